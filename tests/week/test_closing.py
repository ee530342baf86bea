"""Closing a week: steps missing, evidence altered, refusals that change nothing, actions that are carried over."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.calendar import parse_week
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import Entry
from pytest_weekops.week.closing import close_action, close_week, list_actions
from pytest_weekops.week.ledger import Ledger, LedgerError, UnsureEntry
from tests.support.weeks import KINDS, W47, W48, W49, add_run, healthy_week, leftovers, snapshot


def test_a_whole_week_promotes(tmp_path: Path) -> None:
    """Every step has intact evidence: promote, SEV4, nothing owed, and both files are what the ledger says."""
    ledger = healthy_week(tmp_path)
    closed = close_week(tmp_path, W48)
    document = json.loads((tmp_path / "weeks" / "2026-W48" / "decision.json").read_text(encoding="utf-8"))
    assert document == closed.document
    assert (closed.exit_status, document["block_decision"], document["severity"]["level"]) == (0, "promote", 4)
    assert document["required_gates"] == dict.fromkeys(("gate", "replay", "split", "severity", "rollback"), "promote")
    assert (document["missing_steps"], document["findings"], document["open_actions"]) == ([], [], [])
    assert leftovers(tmp_path) == ["2026-W48"]
    entry = ledger.entries()[-1]
    assert (entry.kind, entry.key, entry.body["decision"]) == ("week", "2026-W48", "promote")
    for step in KINDS:
        evidence = document["tracks"][step]["evidence"]
        names = [f"{step}/decision.json", f"{step}/journal.jsonl", f"{step}/summary.md"]
        assert [file["path"] for file in evidence] == names
        assert all(file["intact"] and file["sha256"] == file["recorded_sha256"] for file in evidence)


@pytest.mark.parametrize("step", KINDS)
def test_a_missing_step_is_named_and_never_promotes(tmp_path: Path, step: str) -> None:
    """The acta says which step is missing, somebody owes it, and the status says that evidence is lacking."""
    healthy_week(tmp_path, without=step)
    closed = close_week(tmp_path, W48)
    assert closed.exit_status == 11
    assert closed.document["block_decision"] == "iterate"
    assert closed.document["missing_steps"] == [step]
    assert closed.document["tracks"][step]["rationale"].startswith("MISSING")
    assert [action["text"].partition(":")[0] for action in closed.document["new_actions"]] == [step]
    assert f"- {step}: **iterate**. MISSING" in (closed.directory / "acta.md").read_text(encoding="utf-8")
    severity = closed.document["severity"]
    assert (severity["level"], severity["owner"]) == (3, "policy owner")
    assert severity["deadline"] > closed.document["closed_at"]


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _swap(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))


def _remove(path: Path) -> None:
    path.unlink()


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _make_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _link_outside(path: Path) -> None:
    outside = path.parents[2] / f"outside-{path.name}"
    path.rename(outside)  # the same bytes, and no longer in the report directory
    path.symlink_to(outside)


ALTERATIONS: tuple[Callable[[Path], None], ...] = (
    _append,
    _swap,
    _remove,
    _make_directory,
    _make_pipe,
    _make_circle,
    _link_outside,
)


@pytest.mark.parametrize("alter", ALTERATIONS)
@pytest.mark.parametrize("name", ["journal.jsonl", "summary.md", "decision.json"])
def test_altered_evidence_blocks(tmp_path: Path, name: str, alter: Callable[[Path], None]) -> None:
    """Whatever was done to a file after the run, the week is not promoted on it, and the finding names the file."""
    reports = tmp_path / "reports"
    healthy_week(reports)
    alter(reports / "replay" / name)
    closed = close_week(reports, W48)
    assert (closed.exit_status, closed.document["block_decision"]) == (1, "iterate")
    assert [f"Evidence replay/{name}" in text for text in closed.document["findings"]] == [True]
    assert closed.document["required_gates"]["replay"] == "iterate"
    assert closed.document["summary"]["evidence_files_wrong"] == 1
    assert any(name in action["text"] for action in closed.document["new_actions"])
    assert f"`replay/{name}`" in (closed.directory / "acta.md").read_text(encoding="utf-8")
    assert "(NOT as recorded)" in (closed.directory / "acta.md").read_text(encoding="utf-8")


def test_a_week_is_closed_once(tmp_path: Path) -> None:
    """The second closing is refused, and not a byte changes."""
    healthy_week(tmp_path)
    close_week(tmp_path, W48)
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=r"Week 2026-W48 was closed on .* with promote"):
        close_week(tmp_path, W48)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("week", [W47, W49])
def test_a_week_without_runs(tmp_path: Path, week: object) -> None:
    """Nothing to decide: a sentence, and nothing is made. A Monday is not the Sunday before it."""
    add_run(tmp_path, "first", created_at="2026-11-23T00:00:00+00:00")
    add_run(tmp_path, "last", created_at="2026-11-30T00:59:59+01:00")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=f"No run of {week} is in the ledger"):
        close_week(tmp_path, parse_week(str(week)))
    assert snapshot(tmp_path) == before
    assert len(close_week(tmp_path, W48).document["attempts"]) == 2


def test_nothing_at_all(tmp_path: Path) -> None:
    """No ledger: refused, and the directory is not made."""
    with pytest.raises(InputError, match="No run of 2026-W48"):
        close_week(tmp_path / "reports", W48)
    assert list(tmp_path.iterdir()) == []


def _other_week(reports: Path) -> str:
    add_run(reports, "old", created_at="2026-11-17T12:00:00+00:00")
    return "old"


def _unrecorded(reports: Path) -> str:
    add_run(reports, "made-up", recorded=False, created_at="2026-11-17T12:00:00+00:00")
    return "made-up"


def _garbled(reports: Path) -> str:
    (reports / "broken").mkdir()
    (reports / "broken" / "decision.json").write_bytes(b"\xff" * 9)
    return "broken"


REFUSED: dict[str, tuple[Callable[[Path], str], str]] = {
    "other week": (_other_week, "was made in 2026-W47, not in 2026-W48"),
    "not recorded": (_unrecorded, "is not in the ledger"),
    "unknown": (lambda _reports: "nobody", "is not in the ledger"),
    "twice": (lambda _reports: "replay", "twice"),
    "no decision": (_garbled, "is no decision"),
    "leads elsewhere": (lambda _reports: "../../../../etc", "is not in the ledger"),
    "too long": (lambda _reports: "x" * 5000, "is not in the ledger"),
    "no name": (lambda _reports: "a\0b", "is not in the ledger"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_runs_that_are_no_evidence_are_refused(tmp_path: Path, why: str) -> None:
    """One sentence says why; nothing was changed, and the week can still be closed."""
    healthy_week(tmp_path)
    prepare, expected = REFUSED[why]
    name = prepare(tmp_path)
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=expected):
        close_week(tmp_path, W48, ["gate", "replay", "split", name])
    assert snapshot(tmp_path) == before


def test_runs_may_be_named_by_their_directories(tmp_path: Path) -> None:
    """A path, a trailing slash and an id all name the run."""
    healthy_week(tmp_path)
    names = [str(tmp_path / "gate"), f"{tmp_path / 'replay'}/", "split"]
    assert close_week(tmp_path, W48, names).exit_status == 0


def test_a_ledger_that_cannot_be_trusted_closes_nothing(tmp_path: Path) -> None:
    """A failed run that was cut out of it does not make a promote."""
    ledger = healthy_week(tmp_path)
    add_run(tmp_path, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    connection.execute("DROP TRIGGER record_is_never_removed")
    connection.execute("DELETE FROM record WHERE key = 'bad'")
    connection.close()
    with pytest.raises(LedgerError, match="does not verify"):
        close_week(tmp_path, W48)
    assert leftovers(tmp_path) == []


def test_a_week_whose_record_may_be_there_keeps_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answered whether the record was kept: without it they are moved away by the next close, with it not."""
    healthy_week(tmp_path)

    def unsure(
        self: Ledger, kind: str, key: str, body: dict[str, Any], *, before_commit: Callable[[Entry], None]
    ) -> None:
        before_commit(Entry(len(self.entries()) + 1, kind, key, "2026-11-28T12:00:00+00:00", body))
        raise UnsureEntry("lost", path=self.path)

    with monkeypatch.context() as away:
        away.setattr(Ledger, "append", unsure)
        with pytest.raises(UnsureEntry):
            close_week(tmp_path, W48)
    assert leftovers(tmp_path) == ["2026-W48"]
    assert close_week(tmp_path, W48).exit_status == 0
    (aside,) = (name for name in leftovers(tmp_path) if name.startswith(".unfinished-2026-W48"))
    assert leftovers(tmp_path) == sorted(["2026-W48", aside])


def test_actions_are_carried_over_until_somebody_closes_them(tmp_path: Path) -> None:
    """What week 47 owed stands in week 48's record, and is gone from week 49's once it was closed."""
    healthy_week(tmp_path, day="2026-11-17", prefix="a-", without="split")
    first = close_week(tmp_path, W47)
    assert [action["id"] for action in first.document["new_actions"]] == ["2026-W47-1"]
    healthy_week(tmp_path, prefix="b-")
    second = close_week(tmp_path, W48)
    assert second.document["block_decision"] == "promote"
    assert second.document["carried_over"] == ["2026-W47-1"]
    assert [action["id"] for action in second.document["open_actions"]] == ["2026-W47-1"]
    acta = (second.directory / "acta.md").read_text(encoding="utf-8")
    assert "- 2026-W47-1 (carried over): split: MISSING" in acta
    assert second.document["depends_on"]["week"] == "2026-W47"
    close_action(tmp_path, "2026-W47-1", "measured by hand")
    opened, done = list_actions(tmp_path)
    assert (opened, done["2026-W47-1"].body) == ([], {"note": "measured by hand"})
    healthy_week(tmp_path, day="2026-12-01", prefix="c-")
    third = close_week(tmp_path, W49)
    assert (third.document["carried_over"], third.document["open_actions"]) == ([], [])
    for name, why in (("2026-W47-1", "was closed on"), ("2026-W47-2", "There is no open action")):
        with pytest.raises(InputError, match=why):
            close_action(tmp_path, name, "")


def test_an_open_failure_is_owed_once(tmp_path: Path) -> None:
    """The week after it carries the action over and adds none of its own."""
    add_run(tmp_path, "bad", crash=True, created_at="2026-11-17T12:00:00+00:00")
    first = close_week(tmp_path, W47)
    assert [action["run_id"] for action in first.document["new_actions"] if action["run_id"]] == ["bad"]
    healthy_week(tmp_path, without="replay")
    second = close_week(tmp_path, W48)
    assert (second.exit_status, second.document["severity"]["run_id"]) == (10, "bad")
    assert [action["text"].partition(":")[0] for action in second.document["new_actions"]] == ["replay"]
    assert [action["run_id"] for action in second.document["open_actions"]].count("bad") == 1
