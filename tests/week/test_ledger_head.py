"""The head file: it finds what was cut off, lags behind after a crash, and never accuses an honest writer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.week.ledger import Ledger, LedgerError, open_ledger
from pytest_weekops.week.ledger_head import (
    SHARED_NAME,
    Head,
    head_problems,
    left_behind,
    read_head_file,
    write_head_file,
)
from pytest_weekops.week.ledger_place import Joined, write_joined
from pytest_weekops.week.ledger_store import Writing
from tests.support.ledgers import filled


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """And no file is no head, not a damaged one."""
    path = tmp_path / "ledger.head"
    assert read_head_file(path) is None
    write_head_file(path, 3, "ab")
    assert read_head_file(path) == (3, "ab")


@pytest.mark.parametrize(
    ("head", "beside", "words"),
    [
        ((4, "last"), (4, "last"), ""),
        ((4, "last"), (3, "third"), ""),  # a crash between a commit and its head file
        ((4, "last"), (0, ""), ""),
        ((4, "last"), (3, "other"), "head file does not match"),
        ((4, "last"), (-1, ""), "head file does not match"),
        ((4, "last"), (5, "last"), "head file counts 5 records, the ledger has 4"),
        ((4, "last"), None, "head file is missing"),
        ((5, "last"), (4, "last"), "head table counts 5 records"),
        ((4, "other"), (4, "last"), "head table counts 4 records"),
        (None, (4, "last"), "head table is empty"),
    ],
)
def test_heads_agree_or_say_how_they_do_not(tmp_path: Path, head: Head | None, beside: Head | None, words: str) -> None:
    """A head file may lag behind, and may be ahead of nothing."""
    entries = filled(tmp_path).entries()
    names = {"last": entries[3].hash, "third": entries[2].hash}

    def real(pair: Head | None) -> Head | None:
        return pair and (pair[0], names.get(pair[1], pair[1]))

    problems = head_problems(entries, real(head), real(beside))
    assert [words in problem for problem in problems] == ([True] if words else [])


@pytest.mark.parametrize(
    "text", ['{"count": 1e999, "hash": "x"}', "[" * 100_000, "[]", '{"count": [], "hash": 1}', "\0"]
)
def test_a_head_file_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Whatever stands in it: the ledger does not verify, and nothing raises anything else."""
    ledger = filled(tmp_path)
    ledger.head_path.write_text(text, encoding="utf-8")
    assert any("head file does not match" in problem for problem in ledger.problems())
    with pytest.raises(LedgerError, match="head file does not match"):
        ledger.append("note", "n5", {})


def test_a_head_file_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """A pipe without a writer would be waited for without end."""
    ledger = filled(tmp_path)
    ledger.head_path.unlink()
    os.mkfifo(ledger.head_path)
    assert any("head file does not match" in problem for problem in ledger.problems())


def test_a_crash_before_the_head_file_leaves_a_ledger_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a commit and its head file another writer, a reader and the next start find a lagging head, no damage."""
    with monkeypatch.context() as crash:
        crash.setattr(Ledger, "_catch_up_head", lambda *_: None)
        open_ledger(tmp_path).append("note", "first", {})
    ledger = open_ledger(tmp_path)
    assert json.loads(ledger.head_path.read_text(encoding="utf-8"))["count"] == 0
    assert (ledger.problems(), len(ledger.entries())) == ([], 1)
    second = ledger.append("note", "second", {})
    assert json.loads(ledger.head_path.read_text(encoding="utf-8")) == {"count": 2, "hash": second.hash}
    assert ledger.problems() == []


def test_a_late_writer_does_not_set_the_head_file_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that was held up between its commit and its head file writes the newest head, not its own."""
    catch_up = Ledger._catch_up_head

    def held_up(self: Ledger, writing: Writing) -> None:
        monkeypatch.setattr(Ledger, "_catch_up_head", catch_up)
        open_ledger(tmp_path).append("note", "overtakes", {})
        catch_up(self, writing)

    monkeypatch.setattr(Ledger, "_catch_up_head", held_up)
    open_ledger(tmp_path).append("note", "slow", {})
    ledger = open_ledger(tmp_path)
    assert json.loads(ledger.head_path.read_text(encoding="utf-8"))["count"] == 2
    assert [entry.key for entry in ledger.entries()] == ["slow", "overtakes"]


def test_a_reader_that_meets_the_first_record_halfway_reads_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No head file when the reading began and one record when it ended: somebody wrote, nobody removed."""
    place = "pytest_weekops.week.ledger.read_head_file"

    def and_then_somebody_writes(path: Path) -> tuple[int, str] | None:
        head = read_head_file(path)
        monkeypatch.setattr(place, read_head_file)
        open_ledger(tmp_path).append("note", "first", {})
        return head

    monkeypatch.setattr(place, and_then_somebody_writes)
    assert [entry.key for entry in open_ledger(tmp_path).entries()] == ["first"]


def test_without_a_head_file_no_first_record_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the head file cannot be written, the first record is taken back: it could be cut without a trace."""

    def full(*_: object) -> None:
        raise WeekopsError("no room")

    with monkeypatch.context() as disk:
        disk.setattr("pytest_weekops.week.ledger_head.write_atomic", full)
        with pytest.raises(WeekopsError, match="no room"):
            open_ledger(tmp_path).append("note", "first", {})
    assert open_ledger(tmp_path).entries() == ()
    open_ledger(tmp_path).append("note", "first", {})
    assert open_ledger(tmp_path).problems() == []


def test_a_file_that_was_left_behind_for_a_teams_ledger_is_not_read_again(tmp_path: Path) -> None:
    """The head file knows that the directory has joined one, where the mark that says so was deleted."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    first = ledger.append("note", "n1", {})
    write_joined(tmp_path, Joined("team", "an id"))
    write_head_file(ledger.head_path, 1, first.hash)
    (tmp_path / SHARED_NAME).unlink()
    assert read_head_file(ledger.head_path) == (1, first.hash)
    assert [problem for problem in ledger.problems() if "ledger.shared, is gone" in problem] == ledger.problems() != []
    with pytest.raises(LedgerError, match="join again"):
        ledger.append("note", "n2", {})
    with pytest.raises(LedgerError, match="join again"), ledger.held():
        pass
    for text in ("{", "[]", '{"count": 1}'):
        ledger.head_path.write_text(text, encoding="utf-8")
        assert left_behind(ledger.head_path) == []
    ledger.head_path.unlink()
    os.mkfifo(ledger.head_path)
    assert left_behind(ledger.head_path) == []
