"""``weekops status`` as deployment jobs call it: exit 0 only where a promote was earned and the ledger verifies."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.week.entry import ROLLBACK, WEEK
from pytest_weekops.week.closing import close_week
from pytest_weekops.week.ledger import open_ledger
from tests.support.command import weekops
from tests.support.history import crashed, promoted, record
from tests.support.synthetic import Records, make_plan, make_records
from tests.support.weeks import W48, add_run


def status(report_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command as a process."""
    return weekops("status", "--report-dir", report_dir, *options)


def test_nothing_recorded(tmp_path: Path) -> None:
    """No run is no promote; asking creates nothing."""
    answer = status(tmp_path, "--require", "promoted")
    assert answer.returncode == 1
    assert "channel: iterate" in answer.stdout
    assert "No run is recorded" in answer.stdout
    assert "the channel is iterate, not promoted" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_promoted(tmp_path: Path) -> None:
    """A complete promote opens the gate, and the JSON says by what."""
    add_run(tmp_path, "run-1")
    assert status(tmp_path, "--require", "promoted", "--verify").returncode == 0
    answer = status(tmp_path, "--json", "--verify", "--require", "promoted")
    document = json.loads(answer.stdout)
    assert (document["state"], document["promoted_by"]) == ("promoted", ["run-1"])
    assert document["ledger"]["records"] == 1
    assert "1 records, every one verifies; the files of 1 runs that promoted are what was recorded" in answer.stderr


def test_a_promote_in_which_others_stood_in_for_a_void_snapshot(tmp_path: Path) -> None:
    """The host took one away and the verdict has enough of the others: the gate opens as the run ended."""
    plan = make_plan("weekly", snapshots=5, looks=(3, 5), iterations=15, sizes=(128,))
    records = [
        record.model_copy(update={"void": True})
        if isinstance(record, Measurement) and record.case.snapshot == 4
        else record
        for record in make_records(plan)
    ]
    decision = json.loads((add_run(tmp_path, "run-1", plan=plan, records=records) / "decision.json").read_text())
    assert (decision["exit_status"], decision["counts"]["stayed_void"]) == (0, 1)
    assert main(["status", "--require", "promoted", "--report-dir", str(tmp_path)]) == 0


def test_frozen_says_why_and_what_lifts_it(tmp_path: Path) -> None:
    """Whoever is on call reads the run, the checks and the command."""
    record(tmp_path, promoted("good"), crashed("bad", created_at="2026-11-24T13:00:00+00:00"))
    answer = status(tmp_path)
    assert answer.returncode == 0
    assert "channel: frozen since 2026-11-24T13:00:00+00:00" in answer.stdout
    assert "bad" in answer.stdout
    assert "all_runs_success" in answer.stdout
    words, command = answer.stdout[answer.stdout.index("  lifted by: ") :].splitlines()[:2]
    assert words == "  lifted by: a complete weekly run that promotes at a profile not weaker than bad's:"
    assert command.startswith("    pytest ")
    assert status(tmp_path, "--require", "promoted").returncode == 1
    assert status(tmp_path, "--require", "frozen").returncode == 0
    document = json.loads(status(tmp_path, "--json").stdout)
    assert document["open_failures"][0]["run_id"] == "bad"
    assert document["open_failures"][0]["severity"] == 1


def test_the_last_rehearsal_is_shown(tmp_path: Path) -> None:
    """When it was and how long it took."""
    ledger = record(tmp_path, promoted("good"))
    ledger.append(ROLLBACK, "r1", {"stage": "rehearsed", "seconds": 2.5, "verified": True})
    answer = status(tmp_path)
    assert "channel: promoted" in answer.stdout
    assert "2.5 s, verified" in answer.stdout


def test_a_ledger_that_was_changed_opens_nothing(tmp_path: Path) -> None:
    """A failed run taken out of the ledger is found, by --verify and by the gate itself."""
    ledger = record(tmp_path, promoted("good"), crashed("bad"))
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    connection.execute("DROP TRIGGER record_is_never_removed")
    connection.execute("DELETE FROM record WHERE key = 'bad'")
    connection.close()
    verify = status(tmp_path, "--verify", "--require", "promoted")
    assert verify.returncode == 1
    assert "the end was cut" in verify.stderr
    assert "state is not known" in verify.stderr
    gate = status(tmp_path, "--require", "promoted")
    assert gate.returncode == 4
    assert "does not verify" in gate.stderr
    assert "Traceback" not in verify.stderr + gate.stderr
    document = json.loads(status(tmp_path, "--verify", "--json").stdout)
    assert document["verified"] is False
    assert document["state"] is None


def _forge(report_dir: Path, keep: int) -> None:
    """Keep the first records only, with a head that fits them: the chain verifies by itself."""
    connection = sqlite3.connect(report_dir / "ledger.sqlite", isolation_level=None)
    connection.execute("DROP TRIGGER record_is_never_removed")
    connection.execute("DELETE FROM record WHERE seq > ?", (keep,))
    (last,) = connection.execute("SELECT hash FROM record WHERE seq = ?", (keep,)).fetchone()
    connection.execute("UPDATE head SET count = ?, hash = ?", (keep, last))
    connection.close()
    (report_dir / "ledger.head").write_text(json.dumps({"count": keep, "hash": last}), encoding="utf-8")


def _age(report_dir: Path) -> None:
    """An hour passes: nothing that lies there is being recorded any more."""
    for path in report_dir.rglob("decision.json"):
        os.utime(path, (time.time() - 3600,) * 2)


def test_a_run_that_is_being_recorded_is_waited_for(tmp_path: Path) -> None:
    """Its decision is there and its record comes a moment later: nothing was removed."""
    add_run(tmp_path, "good")
    add_run(tmp_path, "next", created_at="2026-11-24T13:00:00+00:00", recorded=False)
    late = [sys.executable, "-c", RECORD, str(tmp_path)]
    with subprocess.Popen(late, stdin=subprocess.PIPE) as writer:
        answer = status(tmp_path, "--verify")
        assert writer.wait(60) == 0
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "ledger: 2 records, every one verifies" in answer.stdout


RECORD = """
import json, sys, time
from pathlib import Path
from pytest_weekops.week.run_record import record_run
time.sleep(2)
decision = json.loads(Path(sys.argv[1], "next", "decision.json").read_text())
record_run(Path(sys.argv[1], "ledger.sqlite"), {**decision, "run_dir": "next"})
"""


def test_a_failed_run_that_the_ledger_did_not_take_closes_the_gate(tmp_path: Path) -> None:
    """The ledger was locked when it ended: its decision lies there, and a later promote of its kind answers it."""
    add_run(tmp_path, "good")
    add_run(tmp_path, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00", recorded=False)
    gate = status(tmp_path, "--require", "promoted")
    assert gate.returncode == 1
    assert "channel: frozen" in gate.stdout
    assert "Run directory bad is not in the ledger, and its run ended in 'iterate', exit status 10" in gate.stdout
    assert json.loads(status(tmp_path, "--json").stdout)["state"] == "frozen"
    add_run(tmp_path, "better", created_at="2026-11-24T14:00:00+00:00")
    assert status(tmp_path, "--require", "promoted").returncode == 0


def test_a_failed_run_of_another_kind_is_not_answered(tmp_path: Path) -> None:
    """A weekly promote says nothing about a split that failed and was not recorded."""
    add_run(tmp_path, "good")
    add_run(tmp_path, "bad", "split", crash=True, created_at="2026-11-24T13:00:00+00:00", recorded=False)
    add_run(tmp_path, "better", created_at="2026-11-24T14:00:00+00:00")
    assert status(tmp_path, "--require", "promoted").returncode == 1


@pytest.mark.parametrize(
    ("crash", "garbage", "words"),
    [
        (True, "", "broken off with 6 measurements that are not ok"),
        (False, "{}\n", "cannot be read"),
        (False, "", ""),
    ],
    ids=["failed", "damaged", "healthy"],
)
def test_a_run_that_was_killed_closes_the_gate_where_it_had_failed(
    tmp_path: Path, crash: bool, garbage: str, words: str
) -> None:
    """Its journal is all there is: failures in it count, one that cannot be read does too, an interruption does not."""
    add_run(tmp_path, "good")
    broken = add_run(tmp_path, "broken", crash=crash, created_at="2026-11-24T13:00:00+00:00", recorded=False)
    (broken / "decision.json").unlink()
    if garbage:
        journal = broken / "journal.jsonl"
        journal.write_text(garbage + journal.read_text(encoding="utf-8"), encoding="utf-8")
    gate = status(tmp_path, "--require", "promoted")
    assert gate.returncode == (1 if words else 0)
    assert words in " ".join(gate.stdout.split())


def test_a_run_that_was_killed_where_the_host_lacked_references_closes_nothing(tmp_path: Path) -> None:
    """Nothing was found of the driver: its gate was not held, and its cases were not tried."""
    add_run(tmp_path, "good")
    nothing = {"status": MeasurementStatus.UNVERIFIABLE, "sessions": (), "reason": "no space left"}
    undone = {"passed": False, "undone": "no space left"}
    records: Records = [
        record.model_copy(update=nothing if isinstance(record, Measurement) else undone)
        for record in make_records(make_plan("weekly"))
        if isinstance(record, Measurement | GateRecord)
    ]
    later = "2026-11-24T13:00:00+00:00"
    broken = add_run(tmp_path, "broken", records=records, created_at=later, recorded=False)
    (broken / "decision.json").unlink()
    assert status(tmp_path, "--require", "promoted").returncode == 0


def test_a_promote_from_the_future_does_not_count(tmp_path: Path) -> None:
    """A clock that was wrong once would make it young for ever."""
    record(tmp_path, promoted("good", created_at="2099-01-01T12:00:00+00:00"))
    for options in ((), ("--max-age-days", "7")):
        answer = status(tmp_path, "--require", "promoted", *options)
        assert answer.returncode == 1
        assert "promoted in the future" in answer.stdout


def test_a_chain_that_was_cut_and_closed_again_is_found_by_what_lies_beside_it(tmp_path: Path) -> None:
    """The failed run's record is gone, head and all; its directory is not."""
    add_run(tmp_path, "good")
    add_run(tmp_path, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")
    assert status(tmp_path, "--verify").returncode == 0
    _forge(tmp_path, 1)
    _age(tmp_path)
    verify = status(tmp_path, "--verify")
    assert verify.returncode == 1
    assert "Run bad in bad/ ended and is not in the ledger" in verify.stderr
    assert "promoted" not in verify.stdout


def test_a_closed_week_remembers_the_chain(tmp_path: Path) -> None:
    """A record of the week is gone with the run's directory; what the week was closed on is not what is there."""
    add_run(tmp_path, "good")
    add_run(tmp_path, "bad", crash=True, created_at="2026-11-24T13:00:00+00:00")
    close_week(tmp_path, W48)
    assert status(tmp_path, "--verify").returncode == 0
    _forge(tmp_path, 1)
    shutil.rmtree(tmp_path / "bad")
    _age(tmp_path)
    assert "Week 2026-W48 was closed and is not in the ledger" in status(tmp_path, "--verify").stderr
    open_ledger(tmp_path).append(WEEK, "2026-W48", {})
    assert "Week 2026-W48 was closed on another record 2" in status(tmp_path, "--verify").stderr


def test_two_records_in_each_others_place_are_found(tmp_path: Path) -> None:
    """Bodies and keys swapped, numbers and hashes left as they were."""
    ledger = record(tmp_path, promoted("good"), crashed("bad"))
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    connection.execute("DROP TRIGGER record_is_never_changed")
    rows = dict(connection.execute("SELECT key, seq FROM record").fetchall())
    connection.execute("UPDATE record SET seq = 99 WHERE key = 'good'")
    connection.execute("UPDATE record SET seq = ? WHERE key = 'bad'", (rows["good"],))
    connection.execute("UPDATE record SET seq = ? WHERE key = 'good'", (rows["bad"],))
    connection.close()
    verify = status(tmp_path, "--verify")
    assert verify.returncode == 1
    assert "does not match its hash" in verify.stderr
    assert status(tmp_path, "--require", "frozen").returncode == 4


def test_a_ledger_emptied_by_hand_is_found(tmp_path: Path) -> None:
    """A file of no bytes is a ledger without records, and its head file knows how many there were."""
    ledger = record(tmp_path, promoted("good"))
    for rest in tmp_path.glob("ledger.sqlite-*"):
        rest.unlink()
    ledger.path.write_bytes(b"")
    assert status(tmp_path, "--verify").returncode == 1
    assert status(tmp_path, "--require", "promoted").returncode == 4


@pytest.mark.parametrize("days", ["nan", "-1", "soon", "inf"])
def test_a_greatest_age_that_is_none_is_refused(tmp_path: Path, days: str) -> None:
    """A limit that cannot be read would let every promote count."""
    record(tmp_path, promoted("good"))
    answer = status(tmp_path, "--max-age-days", days, "--require", "promoted")
    assert answer.returncode == 4
    assert "is no number of days" in answer.stderr


def test_an_old_promote_does_not_count(tmp_path: Path) -> None:
    """A deployment job that asks for a fresh promote gets one or a no."""
    record(tmp_path, promoted("good", created_at="2020-01-01T12:00:00+00:00"))
    assert status(tmp_path, "--require", "promoted").returncode == 0
    answer = status(tmp_path, "--require", "promoted", "--max-age-days", "8")
    assert answer.returncode == 1
    assert "days ago; at most 8" in answer.stdout


def test_a_damaged_ledger_is_a_usage_error(tmp_path: Path) -> None:
    """A sentence, status 4, and the file left as it was."""
    (tmp_path / "ledger.sqlite").write_bytes(b"garbage" * 300)
    answer = status(tmp_path, "--require", "promoted")
    assert answer.returncode == 4
    assert "Traceback" not in answer.stderr
    assert (tmp_path / "ledger.sqlite").read_bytes() == b"garbage" * 300
