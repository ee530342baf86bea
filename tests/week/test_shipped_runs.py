"""The run that ships with the project is nobody's attempt, and nothing else can pass for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.calendar import week_of
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.evidence import stray_runs, unaccounted
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.shipped_runs import SHIPPED, is_shipped
from pytest_weekops.week.untold import untold_failures
from tests.support.weeks import W48, add_run, healthy_week, iterates

EXAMPLE = Path(__file__).resolve().parents[2] / "reports" / "example"
MADE = week_of("2026-11-26T03:02:51+00:00")


def counted(reports: Path) -> tuple[int, int, int]:
    """How often close, ``status --verify`` and status count something beside the ledger."""
    entries = open_ledger(reports).entries()
    runs = run_entries(entries)
    return len(stray_runs(reports, runs, MADE)), len(unaccounted(reports, entries)), len(untold_failures(reports, runs))


def test_the_example_is_the_shipped_run() -> None:
    """Whoever makes the example again writes its hashes into ``SHIPPED``."""
    assert SHIPPED[hash_file(EXAMPLE / "journal.jsonl")] == hash_file(EXAMPLE / "decision.json")


@pytest.mark.parametrize("name", ["example", "copied-elsewhere"])
def test_the_shipped_run_is_nobodys_attempt(tmp_path: Path, name: str) -> None:
    """Whatever its directory is called, the week in which it was made closes without it."""
    healthy_week(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / name)
    assert counted(tmp_path) == (0, 0, 0)
    assert close_week(tmp_path, W48).exit_status == 0


def _change(path: Path) -> None:
    """One byte of it."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def _in_a_failed_run(example: Path) -> None:
    """The shipped journal in place of a failed run's own."""
    shutil.rmtree(example)
    add_run(example.parent, "example", crash=True, created_at="2026-11-26T13:00:00+00:00", recorded=False)
    shutil.copy(EXAMPLE / "journal.jsonl", example)


ALTERED: dict[str, tuple[Callable[[Path], None], tuple[int, int, int]]] = {
    "its journal": (lambda example: _change(example / "journal.jsonl"), (1, 1, 0)),
    "its decision": (lambda example: _change(example / "decision.json"), (1, 0, 0)),
    "its place": (_in_a_failed_run, (1, 1, 1)),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_is_not_the_shipped_run_to_the_byte_is_counted(tmp_path: Path, what: str) -> None:
    """Its directory's name hides nothing, nor does its journal beside another run's decision."""
    healthy_week(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / "example")
    alter, expected = ALTERED[what]
    alter(tmp_path / "example")
    assert counted(tmp_path) == expected
    iterates(close_week(tmp_path, W48), "Run directory example is not in the ledger")


def test_another_run_in_a_directory_called_example_is_counted(tmp_path: Path) -> None:
    """It failed, and no name excuses it."""
    healthy_week(tmp_path)
    add_run(tmp_path, "example", crash=True, created_at="2026-11-26T13:00:00+00:00", recorded=False)
    assert counted(tmp_path) == (1, 1, 1)


def test_what_cannot_be_read_did_not_ship(tmp_path: Path) -> None:
    """A directory in the journal's place, a circle of links in the decision's."""
    shutil.copytree(EXAMPLE, tmp_path / "circle")
    (tmp_path / "circle" / "decision.json").unlink()
    (tmp_path / "circle" / "decision.json").symlink_to("decision.json")
    (tmp_path / "directory" / "journal.jsonl").mkdir(parents=True)
    assert [is_shipped(tmp_path / name) for name in ("circle", "directory", "absent")] == [False, False, False]
