"""Every way we could think of to close a week in ``promote`` without the evidence for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.policy.policy import Rollback
from pytest_weekops.core.week.channel import channel_of
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.run_record import record_run
from tests.support.synthetic import make_plan, make_records
from tests.support.weeks import W47, W48, add_run, healthy_week, iterates

EARLY, LATE, LATER = (f"2026-11-24T{hour}:00:00+00:00" for hour in ("08", "13", "14"))
BEFORE, NEXT_WEEK = "2026-11-17T12:00:00+00:00", "2026-12-01T12:00:00+00:00"
NEVER = {"rollback": Rollback(mode="never")}


def crash(reports: Path, run_id: str = "bad", *, created_at: str = LATE, **facts: Any) -> None:
    """A SEV1 run."""
    add_run(reports, run_id, created_at=created_at, crash=True, **facts)


def test_a_failure_after_the_promote(tmp_path: Path) -> None:
    """The last attempt counts, also where only the earlier ones are named."""
    healthy_week(tmp_path)
    crash(tmp_path)
    document = iterates(close_week(tmp_path, W48, ["gate", "replay", "split"]), "bad")
    assert document["severity"]["level"] == 1
    assert document["severity"]["deadline"] == "2026-11-24T13:15:00+00:00"
    assert len(document["attempts"]) == 4


def test_a_failure_that_the_next_week_answered(tmp_path: Path) -> None:
    """A rerun in week 49 lifts the freeze; it does not make week 48 one that promoted."""
    healthy_week(tmp_path)
    crash(tmp_path, policy_changes=NEVER)
    add_run(tmp_path, "rerun", created_at=NEXT_WEEK, policy_changes=NEVER)
    iterates(close_week(tmp_path, W48, ["gate", "replay", "split"]), "Run bad (weekly, 2026-W48) ended in iterate")


def test_a_failure_answered_by_a_rerun_whose_evidence_is_left_out(tmp_path: Path) -> None:
    """The rerun was altered. Naming the runs around it does not hide that the failure rests on it."""
    healthy_week(tmp_path)
    crash(tmp_path, policy_changes=NEVER)
    rerun = add_run(tmp_path, "rerun", created_at=LATER, policy_changes=NEVER)
    (rerun / "journal.jsonl").write_text("made up", encoding="utf-8")
    iterates(close_week(tmp_path, W48, ["gate", "replay", "split"]), "Run bad")


def test_a_rerun_answers_with_its_evidence(tmp_path: Path) -> None:
    """The same week, whole: this one promotes, and its acta still tells of the failure."""
    healthy_week(tmp_path)
    crash(tmp_path, policy_changes=NEVER)
    add_run(tmp_path, "rerun", created_at=LATER, policy_changes=NEVER)
    closed = close_week(tmp_path, W48, ["gate", "split", "rerun"])
    assert closed.exit_status == 0
    acta = (closed.directory / "acta.md").read_text(encoding="utf-8")
    assert "| weekly 2 | iterate | SEV1 | 10 | bad | 4 | " in acta
    assert "1 failed attempts, each answered by a rerun" in acta


def test_a_weaker_rerun(tmp_path: Path) -> None:
    """Fewer snapshots than the attempt that failed."""
    healthy_week(tmp_path)
    crash(tmp_path, policy_changes=NEVER)
    add_run(tmp_path, "weak", created_at=LATER, plan=make_plan("weekly", snapshots=4), policy_changes=NEVER)
    iterates(close_week(tmp_path, W48), "weak promoted at a weaker profile: snapshots 4, was 6")


def test_a_weaker_rerun_that_a_weaker_next_week_would_lift(tmp_path: Path) -> None:
    """A mild failure binds within its week: what the next week promoted weaker does not answer it here."""
    healthy_week(tmp_path)
    weak = make_plan("weekly", snapshots=4)
    slower = make_records(make_plan("weekly"), speed=lambda case: 1 - 0.02 * case.snapshot)
    add_run(tmp_path, "mild", created_at=LATE, records=slower, policy_changes=NEVER)
    add_run(tmp_path, "weak", created_at=LATER, plan=weak, policy_changes=NEVER)
    add_run(tmp_path, "next", created_at=NEXT_WEEK, plan=weak, policy_changes=NEVER)
    document = iterates(close_week(tmp_path, W48), "Run mild")
    assert document["severity"]["level"] == 3
    assert channel_of(open_ledger(tmp_path).entries()).state.value == "promoted"


@pytest.mark.parametrize("created_at", [BEFORE, NEXT_WEEK])
def test_a_freeze_of_another_week(tmp_path: Path, created_at: str) -> None:
    """A SEV1 that stands open from last week, or came since, holds this week's promote back."""
    if created_at == BEFORE:
        crash(tmp_path, created_at=created_at, plan=make_plan("weekly", sizes=(128, 256, 512)))
    healthy_week(tmp_path)
    if created_at != BEFORE:
        crash(tmp_path, created_at=created_at)
    iterates(close_week(tmp_path, W48), "Run bad")


def test_a_promote_older_than_the_failure_and_recorded_later(tmp_path: Path) -> None:
    """Order of recording is no order of measuring."""
    crash(tmp_path, policy_changes=NEVER)
    healthy_week(tmp_path)
    iterates(close_week(tmp_path, W48), "was made before the failure")


def test_a_run_that_measured_half_its_plan(tmp_path: Path) -> None:
    """A decision that says promote over counts that say otherwise."""
    healthy_week(tmp_path, without="replay")
    counts = {"planned": 12, "measured": 6}
    add_run(tmp_path, "half", counts=counts, created_at=LATE)
    document = iterates(close_week(tmp_path, W48), "6 of 12 planned cases were measured")
    assert document["required_gates"]["replay"] == "iterate"


@pytest.mark.parametrize("changes", [{"exit_status": 2}, {"failed_checks": ["mine"]}, {"decision": "Promote"}])
def test_a_document_that_contradicts_itself(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Promote must be said by decision, exit status and checks alike."""
    healthy_week(tmp_path, without="gate")
    add_run(tmp_path, "odd", "canonical", created_at=LATE, **changes)
    assert iterates(close_week(tmp_path, W48), "odd")["required_gates"]["gate"] == "iterate"


def _without_decision(reports: Path) -> None:
    run = add_run(reports, "bare", recorded=False)
    document = json.loads((run / "decision.json").read_text(encoding="utf-8"))
    (run / "decision.json").unlink()
    record_run(reports / "ledger.sqlite", document)
    (run / "decision.json").write_text(json.dumps(document), encoding="utf-8")


def _without_journal(reports: Path) -> None:
    run = add_run(reports, "bare", recorded=False)
    document = json.loads((run / "decision.json").read_text(encoding="utf-8")) | {"artifacts": []}
    (run / "decision.json").write_text(json.dumps(document), encoding="utf-8")
    record_run(reports / "ledger.sqlite", document)


def _with_paths(reports: Path) -> None:
    outside = reports.parent / "outside"
    outside.write_text("proof", encoding="utf-8")
    files = [{"path": "../../outside", "sha256": hash_file(outside)}, {"path": str(outside), "sha256": "0" * 64}]
    run = add_run(reports, "bare", recorded=False)
    document = json.loads((run / "decision.json").read_text(encoding="utf-8"))
    document["artifacts"] += files
    (run / "decision.json").write_text(json.dumps(document), encoding="utf-8")
    record_run(reports / "ledger.sqlite", document)


NO_PROOF = {
    "was not there when the run was recorded": _without_decision,
    "was recorded without its journal.jsonl": _without_journal,
    "leads out of the report directory": _with_paths,
}


@pytest.mark.parametrize("expected", NO_PROOF)
def test_a_run_recorded_without_proof(tmp_path: Path, expected: str) -> None:
    """The ledger's word alone is no evidence, and a path out of the report directory is none."""
    reports = tmp_path / "reports"
    healthy_week(reports, without="replay")
    prepare: Callable[[Path], None] = NO_PROOF[expected]
    prepare(reports)
    iterates(close_week(reports, W48), expected)


def test_runs_of_two_drivers(tmp_path: Path) -> None:
    """The gate was passed by driver 1 and the replay by driver 2: no driver passed both."""
    healthy_week(tmp_path, without="replay")
    add_run(tmp_path, "new", created_at=LATE, driver="2")
    iterates(close_week(tmp_path, W48), "pocl had another driver in run new (2 0000000000000000) than in run gate")


@pytest.mark.parametrize("journal", ["broken off", "unreadable", "copied"])
def test_an_attempt_that_the_ledger_does_not_know(tmp_path: Path, journal: str) -> None:
    """Its journal says the week; where it says nothing, the time of its last change does."""
    healthy_week(tmp_path)
    path = add_run(tmp_path, "lost", recorded=False, created_at=NEXT_WEEK if journal == "copied" else LATE)
    if journal == "unreadable":
        (path / "journal.jsonl").write_bytes(b"\xff{")
        os.utime(path / "journal.jsonl", (1795608000, 1795608000))  # 2026-11-25
    if journal == "copied":  # last week's or next week's, put there today
        assert close_week(tmp_path, W48).exit_status == 0
    else:
        iterates(close_week(tmp_path, W48), "Run directory lost is not in the ledger")


def test_a_run_that_ends_while_the_week_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision was drawn before the failure was recorded: it is not written, and the next try sees it."""
    from pytest_weekops.core.errors import WeekopsError

    healthy_week(tmp_path)
    with monkeypatch.context() as patch:
        from pytest_weekops.report.acta import render_acta

        def slowly(document: dict[str, Any]) -> str:
            crash(tmp_path)
            return render_acta(document)

        patch.setattr("pytest_weekops.week.closing.render_acta", slowly)
        with pytest.raises(WeekopsError, match="another record while week 2026-W48 was being closed"):
            close_week(tmp_path, W48)
    assert list((tmp_path / "weeks").iterdir()) == []
    iterates(close_week(tmp_path, W48), "bad")


def test_last_weeks_record_was_altered(tmp_path: Path) -> None:
    """What this week depends on is not what was written then."""
    healthy_week(tmp_path, day="2026-11-17", prefix="a-")
    path = close_week(tmp_path, W47).directory / "decision.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2026-W47", "2026-W46"), encoding="utf-8")
    healthy_week(tmp_path)
    document = iterates(close_week(tmp_path, W48), "Evidence weeks/2026-W47/decision.json was changed")
    assert document["depends_on"]["intact"] is False
