"""Hosts that are none: they answer as a Dask worker would, with a journal of synthetic records or a broken one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pytest_weekops import __version__
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.files.kernel_sources import hash_kernels
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.fleet import running
from pytest_weekops.fleet.book import FleetBook, FleetDecision
from pytest_weekops.fleet.coordinator import Unreachable
from pytest_weekops.fleet.host import BURIED
from pytest_weekops.fleet.messages import AskPiece, End, Errand, GateTask, Piece, decode, encode
from tests.support.stored import opened
from tests.support.synthetic import make_identity, make_plan, make_records, stamped

SIZES = (256, 512)
KERNELS = hash_kernels([str(data_dir("kernels"))])


def fleet_file(hosts: int = 2, **label: Any) -> FleetFile:
    """A fleet of so many workers on a scheduler that is nobody's, all under one label."""
    names = [f"h-{number}" for number in range(1, hosts + 1)]
    pools = {"rack": {"label": "cpu", "scheduler": "tcp://nobody:1", "hosts": names}}
    label = {"profiles": ["pocl"], "deadlines": {"start_s": 5, "silent_s": 5, "gate_s": 60}, **label}
    return FleetFile.model_validate({"version": 1, "fleet_id": "test", "pools": pools, "labels": {"cpu": label}})


def journal(
    task: GateTask,
    *,
    plan: CampaignPlan | None = None,
    speed: float = 1.0,
    first: dict[str, Any] | None = None,
    end: dict[str, Any] | None = None,
    driver: str = "1",
) -> bytes:
    """What a gate leaves that promoted; ``first`` and ``end`` change its first and last line."""
    plan = plan or make_plan(platforms=task.platforms, sizes=SIZES)
    run_id = f"gate-{task.task}-20261124T120000Z-abcd"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    begun = {
        "run_id": run_id,
        "version": __version__,
        "created_at": now,
        "command": ["pytest"],
        "plan": plan.model_dump(mode="json"),
        "policy": yaml.safe_load(task.policy),
        "kernels": KERNELS,
        "segment": opened(run_id).model_dump(mode="json"),
        **(first or {}),
    }
    ended = {"decision": "promote", "exit_status": 0, "ended_at": now, **(end or {})}
    identities = [make_identity(platform).model_copy(update={"driver_version": driver}) for platform in plan.platforms]
    records = stamped(make_records(plan, speed=lambda _case: speed), now)
    events = [("run", begun), *(("identity", each.model_dump(mode="json")) for each in identities)]
    events += [(record.type, record.model_dump(mode="json")) for record in records]
    return b"".join(encode_event(n, kind, data) for n, (kind, data) in enumerate([*events, ("end", ended)], 1))


@dataclass
class Host:
    """One host: what its gate leaves, and what it says of it. ``alter`` changes each answer on its way."""

    leaves: Callable[[GateTask], bytes] = journal
    state: str = "ended"
    status: int | None = 0
    said: str = ""
    alter: Callable[[Piece], object] = encode
    is_there: bool = True
    mute: bool = False
    failure: str = ""
    gone: str = ""
    piece_bytes: int = 700_000
    begun: list[str] = field(default_factory=list)
    gates: dict[str, bytes] = field(default_factory=dict)
    driver: str = "baseline"
    errand: Callable[[Host, Errand], Piece] = lambda host, errand: host.done(errand)
    errands: dict[str, Piece] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def done(self, errand: Errand, **told: Any) -> Piece:
        """An errand that was done, and told so unless something else is ``told``."""
        self.driver = "candidate" if errand.do == "switch" else "baseline"
        return Piece.model_validate({"task": errand.task, "offset": 0, "state": "ended", "status": 0, **told})


class ReachDouble:
    """Reaches hosts that are doubles, and remembers how many ran at once and which were let go."""

    def __init__(self, hosts: dict[str, Host]) -> None:
        self.hosts = hosts
        self.at_once = self.most_at_once = 0
        self.ended: dict[str, bool] = {}

    async def is_there(self, host: str) -> bool:
        """As the host says."""
        return self.hosts[host].is_there

    def why_gone(self, host: str) -> str:
        """As the host says."""
        return self.hosts[host].gone

    async def begin(self, host: str, task: str, text: str) -> None:
        """Have a journal at once."""
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        one = self.hosts[host]
        one.begun.append(task)
        one.gates[task] = one.leaves(decode(GateTask, text))
        await asyncio.sleep(0)

    async def ask(self, host: str, text: str, timeout_s: float) -> object:
        """A piece of it."""
        assert timeout_s > 0
        await asyncio.sleep(0)
        one, asked = self.hosts[host], decode(AskPiece, text)
        if asked.task in one.errands:
            return one.alter(one.errands[asked.task])
        if one.mute:
            raise Unreachable("nobody")
        if one.failure or asked.task not in one.gates:
            return one.alter(Piece(task=asked.task, offset=asked.offset, state="unknown"))
        body = one.gates[asked.task][asked.offset : asked.offset + one.piece_bytes]
        told = {"state": one.state, "status": one.status, "said": one.said}
        return one.alter(
            Piece.model_validate({"task": asked.task, "offset": asked.offset, "text": body.decode("latin-1"), **told})
        )

    async def begin_errand(self, host: str, text: str, timeout_s: float) -> object:
        """Have it done at once."""
        assert timeout_s > 0
        await asyncio.sleep(0)
        one, errand = self.hosts[host], decode(Errand, text)
        if errand.task in one.errands:
            return encode(End(state="refused", said="this errand was begun here before"))
        one.asked.append(errand.do)
        one.errands[errand.task] = one.errand(one, errand)
        return "{}"

    async def bury(self, host: str, text: str, timeout_s: float) -> object:
        """As a host does: what never came is not begun any more."""
        task = decode(AskPiece, text).task
        self.hosts[host].errands.setdefault(task, Piece(task=task, offset=0, state="refused", said=BURIED))
        return await self.ask(host, text, timeout_s)

    async def revive(self, host: str) -> None:
        """As its machine does."""
        await asyncio.sleep(0)

    def failure(self, task: str) -> str:
        """As the host says."""
        return next((one.failure for one in self.hosts.values() if task in one.begun), "")

    async def end(self, host: str, task: str, *, is_settled: bool) -> None:
        """Remember it."""
        assert task in self.hosts[host].begun
        self.at_once -= 1
        self.ended[host] = is_settled


def begun(directory: Path, fleet: FleetFile) -> FleetBook:
    """A weekly fleet run at two sizes."""
    return running.begin(directory, fleet, directory, running.Wanted("weekly", SIZES))


def staged(hosts: int, *stages: dict[str, Any], **label: Any) -> FleetFile:
    """Such a fleet in stages, whose hosts are switched from clover to pocl."""
    fleet = fleet_file(hosts, **label).model_dump(mode="json", exclude={"severity"})
    switch = {"report_dir": "/srv/weekops", "candidate": "pocl", "baseline": "clover", "timeout_s": 5}
    return FleetFile.model_validate({**fleet, "stages": {"cpu": stages}, "switches": {"cpu": switch}})


def ran(book: FleetBook, reach: ReachDouble, said: list[str] | None = None) -> FleetDecision:
    """The decision of a fleet run on doubles."""
    told = said if said is not None else []
    return asyncio.run(running.run(book, reach, told.append, poll_s=0))
