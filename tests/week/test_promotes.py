"""``weekops status --verify`` and the files of the runs that promoted: what was changed since opens nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.baselines import pinned_path
from pytest_weekops.week.evidence import promotes_evidence
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.pins import pin_run
from tests.support.synthetic import make_identity
from tests.support.weeks import add_run


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A failed run between two that promoted, and a canonical one; the last is pinned."""
    directory = tmp_path_factory.mktemp("reports")
    add_run(directory, "gate", "canonical", created_at="2026-11-24T11:00:00+00:00")
    add_run(directory, "first")
    add_run(directory, "bad", created_at="2026-11-24T13:00:00+00:00", crash=True)
    add_run(directory, "last", created_at="2026-11-24T14:00:00+00:00", end=True)
    pin_run(directory / "last", directory)
    return directory


def _change(name: str) -> Callable[[Path], None]:
    def alter(reports: Path) -> None:
        with (reports / name).open("ab") as file:
            file.write(b"\n")

    return alter


def _remove(name: str) -> Callable[[Path], None]:
    def alter(reports: Path) -> None:
        path = reports / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return alter


def _pinned(reports: Path) -> None:
    identity = make_identity("pocl")
    path = pinned_path(reports / "baselines", identity.profile, identity.hardware)
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "sha256": "0" * 64}), encoding="utf-8")


ALTERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "nothing": (lambda _reports: None, ""),
    "the last journal": (_change("last/journal.jsonl"), "Evidence last/journal.jsonl was changed"),
    "the last decision": (_change("last/decision.json"), "Evidence last/decision.json was changed"),
    "an earlier journal": (_change("first/journal.jsonl"), "Evidence first/journal.jsonl was changed"),
    "an earlier journal is gone": (_remove("first/journal.jsonl"), "Evidence first/journal.jsonl cannot be read"),
    "the last run is gone": (_remove("last"), "Evidence last/decision.json cannot be read"),
    "the gate is gone": (_remove("gate"), "Evidence gate/decision.json cannot be read"),
    "an earlier run is pruned": (_remove("first"), ""),
    "a failed run's journal": (_change("bad/journal.jsonl"), ""),
    "the baseline": (_pinned, "was altered since it was pinned"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_the_files_of_promotes_are_verified(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """Changed or gone, the channel's state is not known; the chain alone would still say promoted."""
    alter, words = ALTERED[what]
    copy = Path(shutil.copytree(reports, tmp_path / "reports"))
    alter(copy)
    status = ["status", "--report-dir", str(copy), "--require", "promoted"]
    assert main(status) == 0
    assert main([*status, "--verify"]) == (1 if words else 0)
    said = capsys.readouterr()
    assert words in said.err
    assert ("the channel's state is not known. Restore what is named from a copy." in said.err) == bool(words)


def test_what_was_pruned_is_counted(reports: Path, tmp_path: Path) -> None:
    """Nobody takes it for checked."""
    copy = Path(shutil.copytree(reports, tmp_path / "reports"))
    shutil.rmtree(copy / "first")
    found = promotes_evidence(run_entries(open_ledger(copy).entries()), copy)
    assert (found.problems, found.whole, found.pruned) == ((), 2, 1)
    assert found.words.endswith("; those of 1 older ones are not there any more")
