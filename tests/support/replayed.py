"""A gate without a driver: the plugin, the journal and the judge are real, and what would be measured is made up.

For what happens around the measurements, in pytest: selection, hooks, statuses. A run takes a fraction of a second.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_weekops import __version__
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, PressureRecord, SessionSamples
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.plugin.choices import Choices
from pytest_weekops.run import opening
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.enclosing import alone
from tests.support.gates import POLICY
from tests.support.synthetic import Records, make_identity, make_records, stamped

LABEL = "pocl"
SMALL = (
    *(
        "--weekops-sizes=64",
        "--weekops-snapshots=2",
        "--weekops-max-snapshots=2",
        "--weekops-iterations=15",
        "--weekops-pressure-size=64",
    ),
    *("--weekops-kernels=auto", "--weekops-policy=policy.yaml", "--weekops-reference-driver=off"),
)


@dataclass
class ReplayedRun(Run):
    """A run whose answers are a healthy campaign's; what is asked for is recorded, and nothing else is."""

    answers: Records = field(default_factory=list)

    def gate(self, stage: str, label: str) -> GateRecord:
        """That gate's record."""
        return self.record(self._gate(stage, "canonical", label))

    def smoke(self, label: str) -> GateRecord:
        """The driver smoke's record."""
        return self.record(self._gate("smoke", "driver", label))

    def _gate(self, stage: str, gate: str, label: str) -> GateRecord:
        gates = (record for record in self.answers if isinstance(record, GateRecord))
        return next(r for r in gates if (r.stage, r.gate, r.platform) == (stage, gate, label))

    def pulse(self, label: str, snapshot: int) -> PressureRecord:
        """The record of one snapshot's pulses."""
        pulses = (record for record in self.answers if isinstance(record, PressureRecord))
        return self.record(next(r for r in pulses if (r.platform, r.snapshot) == (label, snapshot)))

    def measure(self, case: Case) -> Measurement:
        """The case's measurement, at the time of the one whose turn it is."""
        planned = [record for record in self.answers if isinstance(record, Measurement)]
        mine = next(record for record in planned if record.case == case)
        place = sum(isinstance(record, Measurement) and not record.void for record in self.records)
        return self.record(_at_the_time_of(planned[place], mine) if place < len(planned) else mine)


def _at_the_time_of(turn: Measurement, mine: Measurement) -> Measurement:
    later = turn.sessions[0].start_ns[0] - mine.sessions[0].start_ns[0]
    sessions = (
        session.model_copy(update={"start_ns": tuple(ns + later for ns in session.start_ns)})
        for session in mine.sessions
    )
    return mine.model_copy(update={"sessions": tuple(sessions), "order": turn.order, "started_at": turn.started_at})


def void_at_first(patch: pytest.MonkeyPatch) -> None:
    """Have the host take the first attempt at each case of the first snapshot away."""
    measure = ReplayedRun.measure

    def again(self: ReplayedRun, case: Case) -> Measurement:
        if case.snapshot == 1:
            answer = next(r for r in self.answers if isinstance(r, Measurement) and r.case == case)
            self.record(answer.model_copy(update={"void": True, "sessions": ()}))
        return measure(self, case)

    patch.setattr(ReplayedRun, "measure", again)


def seen_to_work(records: Records) -> Records:
    """The records as of a worker that looked at each launch."""

    def looked(session: SessionSamples) -> SessionSamples:
        launches = len(session.wall_ns)
        return session.model_copy(
            update={"compared": (1, launches), "looked_at": launches + len(session.warmup_ns), "same_bits": launches}
        )

    return [
        record.model_copy(update={"sessions": tuple(map(looked, record.sessions))})
        if isinstance(record, Measurement)
        else record
        for record in records
    ]


def open_replayed(request: RunRequest) -> Run:
    """``open_run`` without workers."""
    created = datetime.now(UTC)
    plan = opening._as_measured(request)
    journal = Journal(opening._run_dir(request, created) / "journal.jsonl")
    run = ReplayedRun(
        plan=plan,
        policy=request.policy,
        platforms={
            launch.label: Platform(
                launch.label,
                PlatformSupervisor(launch, plan.deadlines, request.scratch),
                identity=make_identity(launch.label),
            )
            for launch in request.launches
        },
        host=HostWorker(request.scratch, plan.deadlines),
        journal=journal,
        kernel_dirs=request.kernel_dirs,
        say=request.say,
        created_at=created.isoformat(timespec="seconds"),
        command=request.command,
        answers=seen_to_work(stamped(make_records(plan), created.isoformat(timespec="milliseconds"))),
    )
    facts: dict[str, object] = {"run_id": journal.path.parent.name, "version": __version__}
    facts |= {
        "python": sys.version.split()[0],
        "created_at": run.created_at,
        "command": list(run.command),
        "policy": run.policy.effective(),
    }
    journal.append("run", {**facts, "plan": plan.model_dump(mode="json")})
    for identity in run.identities.values():
        journal.append("identity", identity)
    return run


def replay(patch: pytest.MonkeyPatch, directory: Path, *, lay_out: bool = True) -> None:
    """Have every gate of this process answered without a driver, and lay out a project for it where none is there.

    No run takes itself for one of the workers among which xdist spread the tests.
    """
    for name in set(os.environ) - set(alone(os.environ)):
        patch.delenv(name)
    launch = Launch(label=LABEL, profile=LABEL, open=OpenRequest(profile=LABEL))
    patch.setattr(Choices, "launches", property(lambda _self: [launch]))
    patch.setattr(opening, "open_run", open_replayed)
    if not lay_out:
        return
    (directory / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (directory / "test_ok.py").write_text("def test_ok():\n    pass\n", encoding="utf-8")
