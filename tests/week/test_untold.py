"""What lies in the report directory is evidence of attempts: deleting the ledger answers no failed run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import cast

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import Measurement, Phase
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.run.conclusion import conclude
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.untold import untold_failures
from tests.support.history import crash_at_256
from tests.support.measured import begun_run
from tests.support.synthetic import make_plan, make_records, stamped
from tests.support.weeks import add_run

NEXT = "2026-11-24T14:00:00+00:00"


def told(reports: Path) -> tuple[str, ...]:
    """What the ledger lacks."""
    return untold_failures(reports, run_entries(open_ledger(reports).entries()))


def forget(reports: Path) -> None:
    """Delete the ledger, and its head with it."""
    for path in reports.glob("ledger*"):
        path.unlink()


def test_a_deleted_ledger_does_not_answer_a_failed_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The next run begins a ledger of its own and says so; the channel stays frozen, and its records do not verify."""
    add_run(tmp_path, "good", created_at="2026-11-24T11:00:00+00:00")
    add_run(tmp_path, "bad", crash=True)
    forget(tmp_path)
    with begun_run(tmp_path, "next", created_at=NEXT) as run:
        for record in stamped(make_records(run.plan), NEXT):
            run.record(cast("Measurement", record))  # whichever it is
        conclusion = conclude(run)
    words = (
        "Run directory bad is not in the ledger, and its run ended in 'iterate', exit status 10. It ended before the "
        "first run of this ledger, which was begun anew behind it."
    )
    assert (conclusion.exit_status, conclusion.remarks[-1]) == (0, words)
    status = ["status", "--report-dir", str(tmp_path), "--require", "promoted"]
    assert main(status) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"channel: frozen since {NEXT} why: {words}" in said
    assert "lifted by: the ledger as it was, from a copy" in said
    add_run(tmp_path, "later", created_at="2026-11-24T15:00:00+00:00")
    assert main(status) == 1
    capsys.readouterr()
    hour_ago = time.time() - 3600  # it is not being recorded any more
    os.utime(tmp_path / "bad" / "decision.json", (hour_ago, hour_ago))
    assert main([*status, "--verify"]) == 1
    assert "Run bad in bad/ ended and is not in the ledger" in capsys.readouterr().err


def test_promotes_that_lie_there_hold_nothing_back(tmp_path: Path) -> None:
    """They may come from elsewhere, and prove nothing either."""
    add_run(tmp_path, "good")
    forget(tmp_path)
    add_run(tmp_path, "next", created_at=NEXT)
    assert told(tmp_path) == ()
    assert main(["status", "--report-dir", str(tmp_path), "--require", "promoted", "--verify"]) == 0


@pytest.mark.parametrize("sizes", [(128, 256), (128,)], ids=["as strong", "weaker"])
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_a_failed_run_is_answered_at_a_profile_not_weaker(tmp_path: Path, killed: bool, sizes: tuple[int, ...]) -> None:
    """Whether it came to a decision, which the ledger did not take, or was killed before."""
    add_run(tmp_path, "good", created_at="2026-11-24T11:00:00+00:00")
    bad = add_run(tmp_path, "bad", crash=True, recorded=False)
    if killed:
        (bad / "decision.json").unlink()
    assert len(told(tmp_path)) == 1
    add_run(tmp_path, "next", plan=make_plan("weekly", sizes=sizes), created_at=NEXT)
    assert len(told(tmp_path)) == (0 if sizes == (128, 256) else 1)


def test_a_run_that_was_killed_before_the_first_record_is_answered(tmp_path: Path) -> None:
    """It would not be in any ledger: that it is not in this one tells nothing of another."""
    bad = add_run(tmp_path, "bad", crash=True, recorded=False)
    (bad / "decision.json").unlink()
    add_run(tmp_path, "next", "split", created_at=NEXT)
    assert len(told(tmp_path)) == 1
    add_run(tmp_path, "answer", created_at="2026-11-24T15:00:00+00:00")
    assert told(tmp_path) == ()


@pytest.mark.parametrize(("expires", "is_told"), [("2026-12-24", False), ("2026-11-23", True)])
def test_a_run_broken_off_with_known_faults_alone_is_no_failed_one(tmp_path: Path, expires: str, is_told: bool) -> None:
    """The fault was expected, so that nothing went wrong before somebody pulled the plug; not behind its last day."""
    known = {
        "driver": {"profile": "pocl", "driver_version": "1"},
        "case": "auto:256",
        "kind": "crashed",
        "phase": "launch",
        "reason": "a known bug",
        "owner": "us",
        "expires": expires,
    }
    plan = make_plan("weekly", expected=[known])
    records = [
        record.model_copy(update={"phase": Phase.LAUNCH})
        if isinstance(record, Measurement) and record.status == "crashed"
        else record
        for record in crash_at_256(plan)
    ]
    add_run(tmp_path, "good", created_at="2026-11-24T11:00:00+00:00")
    bad = add_run(tmp_path, "bad", plan=plan, records=records, recorded=False)
    (bad / "decision.json").unlink()
    assert bool(told(tmp_path)) is is_told


def test_a_decision_that_cannot_be_read_is_answered_by_nothing(tmp_path: Path) -> None:
    """What it demanded cannot be told."""
    add_run(tmp_path, "good", created_at="2026-11-24T11:00:00+00:00")
    add_run(tmp_path, "bad", crash=True, recorded=False)
    (tmp_path / "bad" / "decision.json").write_text('{"decision": "iterate"}', encoding="utf-8")
    add_run(tmp_path, "next", created_at=NEXT)
    assert len(told(tmp_path)) == 1
