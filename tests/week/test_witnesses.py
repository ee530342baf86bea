"""A journal that was edited and checksummed anew, or is another run's, is known by what lies beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError
from pytest_weekops.evidence.journal import encode_event, read_journal
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.week.witnesses import read_uncontradicted
from tests.support.weeks import add_run


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recorded runs that promoted, and one that failed."""
    directory = tmp_path_factory.mktemp("reports")
    add_run(directory, "good", end=True)
    add_run(directory, "other", created_at="2026-11-24T13:00:00+00:00", end=True)
    add_run(directory, "bad", created_at="2026-11-24T14:00:00+00:00", crash=True, end=True)
    return directory


@pytest.fixture
def copy(reports: Path, tmp_path: Path) -> Path:
    """A copy of them, to alter."""
    return Path(shutil.copytree(reports, tmp_path / "reports"))


def rewritten(journal: Path, change: Callable[[str, dict[str, Any]], None]) -> None:
    """Edit a journal event by event, with numbers and checksums that fit."""
    lines = []
    for event in read_journal(journal):
        change(event.type, event.data)
        lines.append(encode_event(event.seq, event.type, event.data))
    journal.write_bytes(b"".join(lines))


def _laxer(kind: str, data: dict[str, Any]) -> None:
    if kind == "run":
        data["policy"]["guardrails"]["max_abs_throughput_drift_percent"] = 95.0


def _faster(kind: str, data: dict[str, Any]) -> None:
    if kind == "measurement":
        for session in data["sessions"]:
            session["wall_ns"] = [ns - ns // 4 for ns in session["wall_ns"]]


def _edited(change: Callable[[str, dict[str, Any]], None]) -> Callable[[Path], None]:
    return lambda copy: rewritten(copy / "good" / "journal.jsonl", change)


def _another(copy: Path) -> None:
    shutil.copy(copy / "other" / "journal.jsonl", copy / "good")


def _without(name: str, alter: Callable[[Path], None]) -> Callable[[Path], None]:
    """The same, where one of the two witnesses was removed."""

    def forge(copy: Path) -> None:
        alter(copy)
        for path in copy.glob(name):
            path.unlink()

    return forge


def _both(copy: Path) -> None:
    """The journal edited, and the decision made to fit it."""
    _edited(_faster)(copy)
    from pytest_weekops.files.hashing import hash_file

    path = copy / "good" / "decision.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["artifacts"][0]["sha256"] = hash_file(copy / "good" / "journal.jsonl")
    path.write_text(json.dumps(document), encoding="utf-8")


def _decision(text: str) -> Callable[[Path], None]:
    def forge(copy: Path) -> None:
        for name in copy.glob("ledger*"):
            name.unlink()
        (copy / "good" / "decision.json").write_text(text, encoding="utf-8")

    return forge


def _link(copy: Path) -> None:
    """The journal of another run, by a link."""
    (copy / "good" / "journal.jsonl").unlink()
    (copy / "good" / "journal.jsonl").symlink_to("../other/journal.jsonl")


FORGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "its policy": (_edited(_laxer), "decision.json beside it has the SHA-256"),
    "its times": (_edited(_faster), "it was changed"),
    "its times, without the decision": (_without("good/decision.json", _edited(_faster)), "Record 1 of the ledger"),
    "its times, without the ledger": (_without("ledger*", _edited(_faster)), "decision.json beside it has"),
    "another run's": (_another, "decision.json beside it speaks of run good, and this is run other"),
    "another run's, without the decision": (
        _without("good/decision.json", _another),
        "Record 1 of the ledger speaks of run good, and this is run other",
    ),
    "its times, and its decision": (_both, "Record 1 of the ledger has the SHA-256"),
    "a damaged decision": (_decision("{"), "decision.json beside it cannot be read"),
    "a decision of nothing": (_decision('{"run_id": "good"}'), "has none for the journal of this run"),
    "a link to another run's": (_link, "speaks of run good, and this is run other"),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_lies_beside_a_forged_journal_knows_better(
    copy: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """By itself it promotes, with checksums that fit; judging and pinning refuse it, and pin nothing."""
    forge, words = FORGED[what]
    forge(copy)
    assert judge_stored(read_run(copy / "good")).decision.value == "promote"
    run = str(copy / "good")
    assert main(["judge", run]) == 4
    assert words in capsys.readouterr().err
    assert main(["baseline", "pin", run, "--report-dir", str(copy)]) == 4
    assert words in capsys.readouterr().err
    assert not (copy / "baselines").exists()


def test_no_decision_is_made_anew_of_a_journal_that_the_ledger_does_not_know(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the decision gone, `weekops report` would write another, of the edited journal."""
    _without("good/decision.json", _edited(_faster))(copy)
    before = sorted(path.name for path in (copy / "good").iterdir())
    assert main(["report", str(copy / "good")]) == 4
    assert "Record 1 of the ledger has the SHA-256" in capsys.readouterr().err
    assert sorted(path.name for path in (copy / "good").iterdir()) == before


def test_an_edited_decision_is_known_by_the_ledger(copy: Path) -> None:
    """Its journal is as it was: what it says of the verdict is not."""
    path = copy / "bad" / "decision.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"iterate"', '"promote"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"decision\.json beside it was changed: .* record 3 of the ledger"):
        read_uncontradicted(copy / "bad")


def _names(copy: Path) -> Iterator[Path]:
    yield copy / "good"
    yield copy / "good" / "journal.jsonl"
    alone = copy.parent / "alone"
    alone.mkdir()
    yield Path(shutil.copy(copy / "good" / "journal.jsonl", alone / "some.jsonl"))
    yield Path(shutil.copytree(copy / "good", copy.parent / "elsewhere" / "renamed"))
    yield Path(shutil.copy(copy / "good" / "journal.jsonl", copy / "other" / "copied.jsonl"))
    link = copy.parent / "link"
    link.symlink_to(copy / "good")
    yield link


def test_what_nothing_contradicts_is_read(copy: Path) -> None:
    """By directory, by file, alone, copied elsewhere, beside another run, behind a link."""
    assert [read_uncontradicted(path).run_id for path in _names(copy)] == ["good"] * 6


def test_another_ledger_is_asked_where_it_is_named(copy: Path, tmp_path: Path) -> None:
    """The edited journal lies alone; the report directory for which it is to be pinned has its run."""
    _edited(_faster)(copy)
    alone = tmp_path / "alone"
    alone.mkdir()
    journal = Path(shutil.copy(copy / "good" / "journal.jsonl", alone))
    assert read_uncontradicted(journal).run_id == "good"
    with pytest.raises(InputError, match="Record 1 of the ledger has the SHA-256"):
        read_uncontradicted(journal, copy)


def test_a_ledger_that_cannot_be_asked_refuses(copy: Path) -> None:
    """What it knew of the run is lost; so is the run's word for itself."""
    (copy / "ledger.sqlite").write_bytes(b"garbage" * 300)
    with pytest.raises(InputError, match=r"damaged|database"):
        read_uncontradicted(copy / "good")
