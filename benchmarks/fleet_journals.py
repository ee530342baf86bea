"""Journals of hosts that were never there, with the launch times of one that was: what `fleet_scale.py` judges.

A host's journal has 36 cases in each of its snapshots, written by the gate's own writer of journals. The launches of
each case are those of some measurement of the shipped run (`reports/example`) in the same kernel and size, drawn anew,
times how fast this host is. One host in fifty is slow by a tenth.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from pytest_weekops import __version__
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.schedule import measuring_order
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.kernel_sources import hash_kernels
from pytest_weekops.files.shipped import data_dir

EXAMPLE = Path(__file__).resolve().parents[1] / "reports" / "example"
SEEDS = (11, 12, 13, 14, 15, 16)  # of 2 kernels at 3 sizes: 36 cases
BETWEEN_HOSTS = 0.01  # standard deviation of the logarithm of their speed
SLOW_ONE_IN, SLOW_BY = 50, 0.1
Data = dict[str, Any]


@dataclass(frozen=True)
class Pool:
    """What a recorded run has: its plan, its first line, and the good measurements of each kernel and size."""

    plan: CampaignPlan
    first: Data
    identity: Data
    measured: dict[tuple[str, int], list[Data]]


def recorded(snapshots: int) -> Pool:
    """The shipped run, planned for 36 cases in so many snapshots."""
    run = read_run(EXAMPLE)
    measured = defaultdict(list)
    for event in run.events:
        if event.type == "measurement" and not event.data.get("void"):
            measured[event.data["case"]["kernel"], event.data["case"]["size"]].append(event.data)
    plan = run.plan.model_copy(update={"seeds": SEEDS, "snapshots": snapshots, "max_run_delay_percent": 5.0})
    (identity,) = [event.data for event in run.events if event.type == "identity"]
    return Pool(plan, run.events[0].data, identity, dict(measured))


def write_host(pool: Pool, place: Path, run_id: str, created_at: str, policy: Policy, seed: int) -> None:
    """The journal of one host. What it is told to be synced for may be lost with the machine."""
    drawn = random.Random(seed)
    speed = math.exp(drawn.gauss(0.0, BETWEEN_HOSTS) - (SLOW_BY if seed % SLOW_ONE_IN == 0 else 0.0))
    with mock.patch("os.fsync", return_value=None):
        journal = Journal(place)
        for kind, data in _events(pool, run_id, created_at, policy, drawn, speed):
            journal.append(kind, data)
        journal.close()


def _events(
    pool: Pool, run_id: str, created_at: str, policy: Policy, drawn: random.Random, speed: float
) -> Iterator[tuple[str, Data]]:
    told = {"run_id": run_id, "created_at": created_at, "version": __version__, "policy": policy.effective()}
    told["kernels"] = hash_kernels([str(data_dir("kernels"))])
    yield "run", {**pool.first, **told, "plan": pool.plan.model_dump(mode="json")}
    yield "identity", pool.identity
    platform = pool.plan.platforms[0]
    yield "gate", _gate("canonical", "opening", platform)
    clock, snapshot = _Clock(created_at), 0
    for order, case in enumerate(measuring_order(pool.plan), start=1):
        if case.snapshot != snapshot:
            snapshot = case.snapshot
            yield "snapshot", {"snapshot": snapshot, "started_at": clock.now, "since_previous_s": 0.0}
            yield "pressure", _pressure(platform, snapshot)
        facts = case.model_dump(mode="json")
        yield "start", {"case": facts, "attempt": 1}
        data = drawn.choice(pool.measured[case.kernel, case.size])
        known = {"case": facts, "order": order, "attempt": 1, "started_at": clock.now}
        sessions = [_session(session, drawn, speed, clock) for session in data["sessions"]]
        elapsed = max(data["elapsed_s"], sum(map(_spent, sessions)) + 1.0)
        clock.started += timedelta(seconds=elapsed)
        yield "measurement", {**data, **known, "sessions": sessions, "elapsed_s": elapsed}
    yield "gate", _gate("canonical", "closing", platform)
    yield "gate", _gate("pytest", "suite", "")
    yield "end", {"decision": "promote", "exit_status": 0}


class _Clock:
    """A host's two clocks: the one that launches are stamped by, and the one that people read."""

    def __init__(self, created_at: str) -> None:
        self.ns = 10**12
        self.started = datetime.fromisoformat(created_at)

    @property
    def now(self) -> str:
        """This moment."""
        return self.started.isoformat(timespec="milliseconds")


def _session(recorded: Data, drawn: random.Random, speed: float, clock: _Clock) -> Data:
    """The recorded launches at this host's speed, one after the other, no two of them the same to the nanosecond."""
    walls = [max(1000, int(wall / speed) + drawn.randrange(-9000, 9000)) for wall in recorded["wall_ns"]]
    starts = []
    for wall in walls:
        starts.append(clock.ns)
        clock.ns += wall + 20_000
    device = [int(wall * 0.995) - 1 for wall in walls]
    return {**recorded, "wall_ns": walls, "device_ns": device, "start_ns": starts, "delay_ns": [0] * len(walls)}


def _spent(session: Data) -> float:
    """Seconds that a session's launches took."""
    return float(sum(session["warmup_ns"]) + sum(session["wall_ns"]) + 20_000 * len(session["wall_ns"])) * 1e-9


def _gate(gate: str, stage: str, platform: str) -> Data:
    return {"type": "gate", "gate": gate, "stage": stage, "platform": platform, "passed": True, "reason": ""}


def _pressure(platform: str, snapshot: int) -> Data:
    counts = {"requested": 3, "completed": 3, "failures": 0, "errors": []}
    return {"type": "pressure", "platform": platform, "snapshot": snapshot, "seed": None, **counts}
