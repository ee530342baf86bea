"""The end of a run on a disk that fails at any one call, and on one that is full: before or after, and said."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.measurement.records import GateRecord
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.artifacts import contradictions, judged_anew
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run.conclusion import Conclusion, conclude
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.week.ledger import LedgerError, open_ledger
from pytest_weekops.week.ledger_place import Joined, write_joined
from pytest_weekops.week.ledger_sharing import join_ledger
from pytest_weekops.week.run_record import record_run
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.command import COMMAND
from tests.support.failing import failing_call
from tests.support.history import promoted
from tests.support.postgres import PASSWORD, Server
from tests.support.stored import write_run
from tests.support.synthetic import STARTED, make_identity, make_plan, make_records

MOST_CALLS = 80
PLAN = make_plan("canonical")


class Absent:
    """In the place of workers: this run was measured before it begins."""

    def close(self) -> None:
        """Nothing to stop."""


def a_run(directory: Path) -> Run:
    """A canonical run, begun."""
    supervisor = cast("PlatformSupervisor", Absent())
    run = Run(
        plan=PLAN,
        policy=default_policy(),
        platforms={name: Platform(name, supervisor, make_identity(name)) for name in PLAN.platforms},
        host=cast("HostWorker", Absent()),
        journal=Journal(directory / "journal.jsonl"),
        created_at=STARTED,
        command=("pytest", "suites/canonical"),
    )
    facts = {"run_id": directory.name, "created_at": STARTED, "command": list(run.command)}
    run.journal.append("run", {**facts, "plan": PLAN.model_dump(mode="json"), "policy": run.policy.effective()})
    for identity in run.identities.values():
        run.journal.append("identity", identity)
    return run


def ended(run: Run) -> Conclusion | None:
    """Its records and its conclusion; None where the disk refused one of them, which a sentence says."""
    try:
        for record in make_records(PLAN):
            run.record(cast("GateRecord", record))
        return conclude(run)
    except WeekopsError as error:
        assert "cannot be written" in str(error)  # noqa: PT017 - what else it raises goes through
        return None
    finally:
        run.close()


def test_whichever_call_fails_the_state_is_before_or_after(tmp_path: Path) -> None:
    """A promote is whole on disk or there is none; the ledger holds the run whole or not at all, and the older one."""
    for number in range(1, MOST_CALLS):
        reports = tmp_path / str(number)
        record_run(reports / "ledger.sqlite", promoted("older"))
        run = a_run(reports / "canonical-1")
        with failing_call(number) as made:
            conclusion = ended(run)
        directory, decision = reports / "canonical-1", reports / "canonical-1" / "decision.json"
        recorded = [entry.run_id for entry in run_entries(open_ledger(reports).entries())]
        assert recorded in (["older"], ["older", "canonical-1"]), made
        assert not list(directory.glob(".*")), made
        stored = read_run(directory)
        if decision.exists():
            verdict, facts = judged_anew(stored)
            on_disk = json.loads(decision.read_text(encoding="utf-8"))
            assert not contradictions(directory, facts.decision(verdict), on_disk), made
        if conclusion is None:
            assert recorded == ["older"], made
            assert not (stored.ended == 0 and decision.exists()) or made[-1] == "fsync", made
        else:
            assert conclusion.exit_status == (0 if recorded[1:] else 3), made
            assert decision.exists()
            assert recorded[1:] or "weekops record" in " ".join(conclusion.remarks), made
        if len(made) < number:
            assert conclusion is not None
            assert recorded[1:] == ["canonical-1"]
            assert number > 15, made
            return
    pytest.fail("it never got through")


@pytest.mark.parametrize("is_away", [False, True])
def test_the_end_of_a_run_whose_ledger_is_shared(
    tmp_path: Path, postgres: Server, is_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It enters itself; where the server is away it promotes no further than its files, and says what enters it."""
    reports, name = tmp_path / "reports", f"end-{is_away}".lower()
    monkeypatch.setenv("WEEKOPS_LEDGER", postgres.url())
    join_ledger(reports, name, new=True)
    with monkeypatch.context() as away:
        if is_away:
            away.setenv("WEEKOPS_LEDGER", postgres.url("not_there"))
        conclusion = ended(a_run(reports / "canonical-1"))
    assert conclusion is not None
    assert conclusion.verdict.decision.value == "promote"
    assert conclusion.exit_status == (3 if is_away else 0)
    assert ("weekops record canonical-1" in " ".join(conclusion.remarks)) is is_away
    assert PASSWORD not in " ".join(conclusion.remarks)
    recorded = [entry.run_id for entry in run_entries(open_ledger(reports).entries())]
    assert recorded == ([] if is_away else ["canonical-1"])


@pytest.mark.parametrize("joined", [False, True])
def test_a_run_is_refused_before_it_measures(tmp_path: Path, joined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be found out at its end is found before: a directory that has not joined, a server that is away."""
    monkeypatch.setenv("WEEKOPS_LEDGER", "postgresql:///team?host=/nowhere")
    monkeypatch.setattr("pytest_weekops.week.ledger.BUSY_TIMEOUT_S", 0.0)
    if joined:
        write_joined(tmp_path / "reports", Joined("main", "x"))
    request = RunRequest(
        plan=make_plan("weekly"),
        policy=default_policy(),
        launches=(),
        report_dir=tmp_path / "reports",
        scratch=tmp_path,
    )
    with pytest.raises(LedgerError, match="cannot be" if joined else "has not joined it"):
        open_run(request)
    assert not list(tmp_path.glob("reports/*/journal.jsonl"))


def small_files(size: int) -> Callable[[], None]:
    """A disk that takes no file longer than this, with few descriptors and little memory; for a child process."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))

    return limit


@pytest.mark.parametrize(("size", "status"), [(10**8, 0), (2000, 3)])
def test_a_report_on_a_full_disk_in_little_room(tmp_path: Path, size: int, status: int) -> None:
    """With 32 descriptors and 1 GiB of addresses the judge gives its verdict; what finds no room leaves nothing."""
    plan = make_plan("weekly")
    directory = write_run(tmp_path / "weekly-1", plan, make_records(plan), ended=0)
    before = (directory / "journal.jsonl").read_bytes()
    done = subprocess.run(
        [*COMMAND, "report", str(directory)],
        preexec_fn=small_files(size),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == status, done.stderr
    assert (directory / "journal.jsonl").read_bytes() == before
    names = sorted(path.name for path in directory.iterdir())
    if status:
        assert "cannot be written: File too large" in done.stderr
        assert names == ["journal.jsonl", "summary.md"]  # which is shorter, and whole
    else:
        assert "verdict: promote (SEV4), exit status 0" in done.stdout
        assert names == ["decision.json", "journal.jsonl", "junit.xml", "summary.md"]
