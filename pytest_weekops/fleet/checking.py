"""Who answers: every host of a fleet, asked for its version, its hashes and its drivers. Nothing is changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_weekops.core.fleet.fleet_file import FleetFile, Host
from pytest_weekops.core.record import Record
from pytest_weekops.fleet.coordinator import Unreachable
from pytest_weekops.fleet.messages import AskWho, MessageRefused, Who, decode
from pytest_weekops.fleet.program import program_sha256

if TYPE_CHECKING:
    from pytest_weekops.fleet.keys import Keys

ANSWER_S = 600.0
MOST_AT_ONCE = 64
_LOOKS_S = 60.0  # for which a worker is waited for


class HostAnswer(Record):
    """One host's answer, and what stands against it; nothing where it can be asked to run the gate."""

    host: str
    label: str
    who: Who | None = None
    problems: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether it can be asked."""
        return not self.problems

    def words(self) -> str:
        """The host in a line."""
        line = f"{self.host} ({self.label}): {'ok' if self.fits else '; '.join(self.problems)}"
        if self.who is None:
            return line
        drivers = ", ".join(f"{d.profile} {d.version} on {d.device}" for d in self.who.drivers if d.works)
        return f"{line}. {self.who.node}, version {self.who.version}" + (f", {drivers}" if drivers else "")


class Asks(Protocol):
    """What a check needs of a reach."""

    async def is_there(self, host: str) -> bool:
        """Whether its worker is known."""

    def why_gone(self, host: str) -> str:
        """How its worker ended, where it was started from here and has; nothing otherwise."""

    async def who(self, host: str, asked: AskWho, timeout_s: float) -> object:
        """Its answer. Raises ``Unreachable``."""


async def check_fleet(
    fleet: FleetFile,
    *,
    scratch: Path,
    plain: bool,
    keys: Keys | None,
    say: Callable[[str], None],
    ssh_config: Path | None = None,
) -> list[HostAnswer]:
    """Every host's answer, in the file's order. Raises ``WeekopsError`` where a scheduler does not answer."""
    from pytest_weekops.fleet.cluster import DaskReach

    logs = scratch / "logs"
    async with DaskReach(fleet, scratch=scratch, logs=logs, plain=plain, keys=keys, ssh_config=ssh_config) as reach:
        for address in await reach.dashboards():
            say(f"Dask's own view: {address}")
        return await answers(fleet, reach)


async def answers(fleet: FleetFile, reach: Asks) -> list[HostAnswer]:
    """Every host's answer, those of this machine one after the other."""
    here, elsewhere = asyncio.Semaphore(1), asyncio.Semaphore(MOST_AT_ONCE)

    async def one(host: Host) -> HostAnswer:
        async with here if fleet.pools[host.pool].local is not None else elsewhere:
            return await _answer(fleet, host, reach)

    return list(await asyncio.gather(*map(one, fleet.hosts)))


async def _answer(fleet: FleetFile, host: Host, reach: Asks) -> HostAnswer:
    label = fleet.labels[host.label]
    try:
        await _there(host.name, reach)
        who = decode(Who, await reach.who(host.name, AskWho(platforms=label.profiles), ANSWER_S))
    except (Unreachable, MessageRefused) as error:
        return HostAnswer(host=host.name, label=host.label, problems=(f"no answer that can be used: {error}",))
    problems = [who.said] if who.said else []
    if who.program != program_sha256():
        problems.append(f"it has another program, version {who.version} by the hash {who.program[:12]}")
    by_profile = {driver.profile: driver for driver in who.drivers}
    for profile in label.profiles:
        driver = by_profile.get(profile)
        if driver is None or not driver.works:
            problems.append(f"{profile} does not work there: {driver.said if driver else 'nothing was said of it'}")
        elif label.driver and not re.search(label.driver, driver.version):
            problems.append(f"{profile} is {driver.version!r} there, and {label.driver!r} is asked for")
    return HostAnswer(host=host.name, label=host.label, who=who, problems=tuple(problems))


async def _there(host: str, reach: Asks) -> None:
    """Wait for its worker, for a while: asked without one, it says so. Raises ``Unreachable`` where none will come."""
    for _ in range(int(_LOOKS_S / 0.5)):
        if await reach.is_there(host):
            return
        if why := reach.why_gone(host):
            raise Unreachable(why)
        await asyncio.sleep(0.5)
