"""What a fleet owes at the end of a week: pure, from the runs that the ledger has and the decisions that they came to.

A run that did not promote stands open until a later one of the same suite promotes that asks no less. A week that was
closed without a weekly run, or over a host whose driver nobody knows, would be closed on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.core.record import Record

SUITE = "weekly"  # the suite that a week is closed on


class Driver(StrEnum):
    """What is known of a host's driver when its run has ended."""

    KNOWN = "known"  #: what it was found with, was given, or was rolled back to
    UNKNOWN = "unknown"  #: half switched, or its rollback was not verified
    UNTOUCHED = "untouched"  #: its stage was never begun: this run says nothing of it


@dataclass(frozen=True)
class HostCame:
    """One host in one run: its label, its outcome's state (empty where there is none), and its driver."""

    host: str
    label: str
    state: str
    driver: Driver = Driver.KNOWN


@dataclass(frozen=True)
class RunCame:
    """One fleet run. ``policies`` are hashes by label; ``has_ended`` is whether there is a decision in the ledger."""

    fleet_run: str
    fleet_id: str
    suite: str
    sizes: tuple[int, ...]
    policies: dict[str, str]
    hosts: tuple[HostCame, ...]
    has_ended: bool = True
    exit_status: int = 0
    severity: int = 4
    of_week: bool = True
    problems: tuple[str, ...] = field(default=())


class Owed(Record):
    """One thing that is owed before, or after, a week is closed: of which fleet, label and host, and what."""

    fleet_id: str
    label: str = ""
    host: str = ""
    what: str
    severity: int = 3

    def words(self) -> str:
        """It in a line."""
        whose = " ".join(filter(None, (self.fleet_id, self.label, self.host)))
        return f"{whose}: {self.what}"


class FleetWeek(Record):
    """What a week comes to. ``lacks`` keeps it from being closed, ``owed`` is what it is closed with."""

    week: str
    lacks: tuple[Owed, ...]
    owed: tuple[Owed, ...]
    runs: tuple[str, ...]

    @property
    def decision(self) -> str:
        """``promote`` where nothing is owed."""
        return "iterate" if self.lacks or self.owed else "promote"

    @property
    def severity(self) -> int:
        """The gravest of what is owed; 4 where nothing is."""
        return min((one.severity for one in (*self.lacks, *self.owed)), default=4)

    @property
    def exit_status(self) -> ExitStatus:
        """0 promote, 10 something is SEV1, 11 only runs are missing, else 1: as of a week of one machine."""
        if not self.lacks and not self.owed:
            return ExitStatus.PROMOTE
        if self.severity == 1:
            return ExitStatus.ROLLBACK_REQUIRED
        return ExitStatus.ITERATE if self.owed else ExitStatus.INCONCLUSIVE


def fleet_week(week: str, runs: Sequence[RunCame]) -> FleetWeek:
    """What a week comes to by these runs, oldest first. Those of other weeks only say which driver a host has now."""
    mine = [run for run in runs if run.of_week]
    lacks = [*_unended(mine), *_unknown_drivers(runs), *_missing(mine)]
    return FleetWeek(week=week, lacks=tuple(lacks), owed=tuple(_owed(mine)), runs=tuple(run.fleet_run for run in mine))


def _unended(runs: Iterable[RunCame]) -> Iterator[Owed]:
    for run in runs:
        if not run.has_ended:
            what = f"run {run.fleet_run} has not ended; `weekops fleet run FILE {run.suite} --resume` goes on with it"
            yield Owed(fleet_id=run.fleet_id, what=what)


def _unknown_drivers(runs: Iterable[RunCame]) -> Iterator[Owed]:
    """Hosts that are half switched, or stuck, by the last run that did something to them."""
    last: dict[tuple[str, str], tuple[RunCame, HostCame]] = {}
    for run in runs:
        for came in run.hosts:
            if came.driver is not Driver.UNTOUCHED:
                last[run.fleet_id, came.host] = run, came
    for (fleet_id, host), (run, came) in last.items():
        if came.driver is Driver.UNKNOWN:
            what = f"nobody knows which driver it has since run {run.fleet_run}; settle that there, and run it again"
            yield Owed(fleet_id=fleet_id, label=came.label, host=host, what=what, severity=1)


def _missing(runs: Sequence[RunCame]) -> Iterator[Owed]:
    """Hosts of which no run of the suite that decides says anything, label by label."""
    for fleet_id in dict.fromkeys(run.fleet_id for run in runs):
        ended = [run for run in runs if run.fleet_id == fleet_id and run.suite == SUITE and run.has_ended]
        told = {came.host for run in ended for came in run.hosts if came.state}
        every = {came.host: came for run in runs if run.fleet_id == fleet_id for came in run.hosts}
        for host, came in every.items():
            # What a stage that failed has kept from being measured is owed by that run, and not missing.
            stopped = any(one.host == host for run in ended for one in run.hosts)
            if host not in told and not stopped:
                yield Owed(fleet_id=fleet_id, label=came.label, host=host, what=f"no {SUITE} run of this week")


def _owed(runs: Sequence[RunCame]) -> Iterator[Owed]:
    """What the runs that are not answered owe, host by host, and what is wrong with the runs' files."""
    for place, run in enumerate(runs):
        for problem in run.problems:
            yield Owed(fleet_id=run.fleet_id, what=f"run {run.fleet_run}: {problem}", severity=2)
        if not run.has_ended or run.exit_status == 0:
            continue
        weaker = [_weaker(later, run) for later in runs[place + 1 :] if _promotes(later, run)]
        if "" in weaker:
            continue
        not_lifted = "".join(f"; {why}" for why in weaker)
        what = f"run {run.fleet_run} ({run.suite}) ended with {run.exit_status} at SEV{run.severity}{not_lifted}"
        yield Owed(fleet_id=run.fleet_id, what=what, severity=run.severity)
        for came in run.hosts:
            if came.state != "promoted":
                state = came.state or "not measured"
                yield Owed(fleet_id=run.fleet_id, label=came.label, host=came.host, what=state, severity=run.severity)


def _promotes(later: RunCame, run: RunCame) -> bool:
    same = (later.fleet_id, later.suite) == (run.fleet_id, run.suite)
    return same and later.has_ended and later.exit_status == 0 and not later.problems


def _weaker(later: RunCame, run: RunCame) -> str:
    """In what a promote asked less than the run that it would answer; nothing where it did not."""
    hosts = {came.host for came in run.hosts} - {came.host for came in later.hosts}
    sizes = set(run.sizes) - set(later.sizes) if later.sizes else set()
    policies = [label for label, sha256 in run.policies.items() if later.policies.get(label) != sha256]
    if hosts:
        return f"{later.fleet_run} promoted without {', '.join(sorted(hosts)[:4])}"
    if sizes or (later.sizes and not run.sizes):
        return f"{later.fleet_run} promoted at other sizes"
    return f"{later.fleet_run} promoted under another policy of {policies[0]}" if policies else ""
