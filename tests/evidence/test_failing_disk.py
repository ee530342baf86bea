"""Disks that fail at any one call, and journals cut at any one byte: before or after, never in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.judge.finding import Decision
from pytest_weekops.evidence.artifacts import judged_anew
from pytest_weekops.evidence.journal import Journal, read_journal
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.atomic import write_atomic
from tests.support.failing import failing_call
from tests.support.stored import write_run
from tests.support.synthetic import make_plan, make_records

MOST_CALLS = 40


def refused(work: Callable[[], object]) -> bool:
    """Whether it was refused, in a sentence."""
    try:
        work()
    except WeekopsError as error:
        assert "cannot be written" in str(error)  # noqa: PT017 - what else it raises goes through
        return True
    return False


@pytest.mark.parametrize("before", [None, b"old"])
def test_an_artifact_is_what_it_was_or_what_it_becomes(tmp_path: Path, before: bytes | None) -> None:
    """Whichever call fails, the file is old or new, nothing lies beside it, and who wrote it is told."""
    path, new = tmp_path / "artifact", b"new" * 1000
    for number in range(1, MOST_CALLS):
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
        with failing_call(number) as made:
            failed = refused(partial(write_atomic, path, new))
        content = path.read_bytes() if path.exists() else None
        assert content in ((before, new) if failed else (new,))
        assert [each.name for each in tmp_path.iterdir()] == (["artifact"] if content is not None else [])
        if len(made) < number:
            assert not failed
            assert number > 4, made  # open, fsync, replace, and the directory's fsync
            return
        assert failed, made
    pytest.fail("it never got through")


def test_a_journal_holds_the_lines_before_the_one_that_failed(tmp_path: Path) -> None:
    """Whichever call fails, what is read is each line before it, and perhaps that one; nothing comes behind it."""
    for number in range(1, MOST_CALLS):
        path, taken = tmp_path / f"{number}" / "journal.jsonl", 0
        journal = Journal(path)
        with failing_call(number) as made:
            for place in range(5):
                taken += not refused(partial(journal.append, "note", {"number": place}))
        journal.close()
        read = [event.data["number"] for event in read_journal(path)] if path.read_bytes().count(b"\n") else []
        assert read in (list(range(taken)), list(range(taken + 1))), made
        if len(made) < number:
            assert taken == 5
            return
        assert taken == (number - 1) // 2, made  # a write and an fsync each: no later line was taken
    pytest.fail("it never got through")


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_ctrl_c_in_a_line_leaves_a_journal_that_goes_on(tmp_path: Path, number: int) -> None:
    """Interrupted in a write or an fsync, the line is counted or taken back, and the next one follows."""
    journal = Journal(tmp_path / "journal.jsonl")

    def two() -> None:
        for place in range(2):
            journal.append("note", {"number": place})

    with failing_call(number, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        two()
    journal.append("note", {"number": "behind"})
    assert journal.damage() == ""
    journal.close()
    numbers = [event.data["number"] for event in read_journal(journal.path)]
    assert numbers == [[], [0], [0], [0, 1]][number - 1] + ["behind"]


def test_a_run_cut_at_any_byte_never_promotes(tmp_path: Path) -> None:
    """Cut anywhere, a run has the whole records before, no end, and a verdict of iterate, or it is refused in words."""
    plan = make_plan("canonical")
    whole = write_run(tmp_path / "whole", plan, make_records(plan), ended=0)
    content = (whole / "journal.jsonl").read_bytes()
    verdict, facts = judged_anew(read_run(whole))
    assert facts.decision(verdict)["decision"] == "promote"
    cut = tmp_path / "cut" / "journal.jsonl"
    cut.parent.mkdir()
    seen = set()
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        lines = content[:length].count(b"\n")
        if not lines:
            with pytest.raises(InputError, match=r"is empty|holds only a torn line"):
                read_run(cut)
            continue
        run = read_run(cut)
        assert len(run.events) == lines
        if lines in seen:  # the same records as one byte ago
            continue
        seen.add(lines)
        verdict, facts = judged_anew(run)
        assert facts.decision(verdict)["decision"] == "iterate"
        assert run.ended is None
        assert facts.exit_status == 2
        assert verdict.decision is Decision.ITERATE or lines == content.count(b"\n") - 1
    assert len(seen) == content.count(b"\n") - 1


def test_a_directory_that_takes_nothing_is_refused_before_anything_is_measured() -> None:
    """Where no directory can be made, not even by root, the sentence says which and what to do."""
    with pytest.raises(InputError, match=r"Report directory /proc/1/none cannot be written"):
        Journal(Path("/proc/1/none/journal.jsonl"))
