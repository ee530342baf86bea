"""How far a fleet run has come, host by host and label by label, how long it takes, and the worst that was found."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_weekops.core.fleet.outcome import MISSING, HostOutcome, HostState
from pytest_weekops.core.judge.finding import CheckStatus, Severity
from pytest_weekops.core.policy.policy import SeverityTable

WAITING, ASKED, RUNNING = "waiting", "asked", "running"
_MEASURED = frozenset({HostState.PROMOTED, HostState.ITERATE, HostState.INCONCLUSIVE})
_SHOWN = 200


@dataclass(frozen=True)
class HostProgress:
    """How one host stands. ``state`` is one of three words, or its outcome's; times are in seconds of one clock.

    ``measured`` of up to ``planned`` cases; no ``planned`` as long as it did not say. ``begun`` is when it was asked,
    ``ended`` when it had an outcome.
    """

    host: str
    label: str
    state: str = WAITING
    measured: int = 0
    planned: int | None = None
    begun: float | None = None
    ended: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its gate was not begun."""
        return self.state == WAITING

    @property
    def is_running(self) -> bool:
        """Whether its gate was begun and has no outcome yet."""
        return self.state in (ASKED, RUNNING)

    def total_s(self, moment: float) -> float | None:
        """How long its gate takes at most, by how far it came; None while that cannot be said."""
        if self.begun is None:
            return None
        if self.ended is not None:
            return self.ended - self.begun if self.state in _MEASURED else None
        if not self.planned or not self.measured:
            return None
        return (moment - self.begun) * max(1.0, self.planned / self.measured)

    def left_s(self, moment: float) -> float | None:
        """How long its gate still takes at most; None while that cannot be said."""
        total = self.total_s(moment)
        return None if total is None or self.begun is None else max(0.0, total - (moment - self.begun))

    def words(self, moment: float) -> str:
        """``pocl-1 (cpu): running, 12 of up to 24 cases, at most about 40 s left``."""
        text = f"{self.host} ({self.label}): {self.state}"
        if self.state != RUNNING or not self.planned:
            return text
        text += f", {self.measured} of up to {self.planned} cases"
        if self.measured == self.planned:
            return f"{text}, coming to its end"
        left = self.left_s(moment)
        return text if left is None else f"{text}, at most {about(left)} left"


@dataclass(frozen=True)
class Row:
    """Hosts of one label, or of all, by what became of them. ``lost``: lost, late or without data.

    ``other``: inconclusive, refused, or of another driver. ``measured`` of up to ``planned`` cases are those of hosts
    that said. ``left_s`` in seconds; None while it cannot be said.
    """

    label: str
    hosts: int
    waiting: int
    running: int
    promoted: int
    iterate: int
    lost: int
    other: int
    measured: int
    planned: int
    left_s: float | None

    def words(self) -> str:
        """``cpu: 2 waiting, 1 running, 3 promoted, 40 of up to 96 cases, about 12 min left``; nobody is left out."""
        counts = {
            "waiting": self.waiting,
            "running": self.running,
            "promoted": self.promoted,
            "iterate": self.iterate,
            "lost": self.lost,
            "otherwise": self.other,
        }
        told = [f"{count} {state}" for state, count in counts.items() if count]
        told += [f"{self.measured} of up to {self.planned} cases"] if self.planned else []
        return f"{self.label}: {', '.join(told)}" + ("" if not self.left_s else f", {about(self.left_s)} left")


def row(label: str, hosts: Sequence[HostProgress], moment: float) -> Row:
    """One line of the table, for these hosts."""
    states = Counter(host.state for host in hosts)
    waiting, running = (sum(map(of, hosts)) for of in (_is_waiting, _is_running))
    promoted, iterate = states[HostState.PROMOTED], states[HostState.ITERATE]
    lost = sum(states[state] for state in MISSING)
    other = len(hosts) - waiting - running - promoted - iterate - lost
    measured, planned = sum(host.measured for host in hosts), sum(host.planned or 0 for host in hosts)
    left = left_s(hosts, moment)
    return Row(label, len(hosts), waiting, running, promoted, iterate, lost, other, measured, planned, left)


def _is_waiting(host: HostProgress) -> bool:
    return host.is_waiting


def _is_running(host: HostProgress) -> bool:
    return host.is_running


def left_s(hosts: Iterable[HostProgress], moment: float) -> float | None:
    """How long these hosts still take, if as many go on at once as now; None while that cannot be said.

    Those that wait are taken to need what the others do on the average.
    """
    waiting = running = 0
    totals: list[float] = []
    lefts: list[float | None] = []
    for host in hosts:
        total = host.total_s(moment)
        totals += [] if total is None else [total]
        waiting += host.is_waiting
        if host.is_running:
            running += 1
            lefts.append(host.left_s(moment))
    if not waiting and not running:
        return 0.0
    if not totals or not running:
        return None
    typical = math.fsum(totals) / len(totals)
    return max(typical if left is None else left for left in lefts) + math.ceil(waiting / running) * typical


def rows(labels: Iterable[str], hosts: Iterable[HostProgress], moment: float) -> list[Row]:
    """A line for each label, in this order, and one for all of them where there are several."""
    by_label: dict[str, list[HostProgress]] = {label: [] for label in labels}
    for host in hosts:
        by_label[host.label].append(host)
    found = [row(label, of, moment) for label, of in by_label.items()]
    return found if len(found) == 1 else [*found, row("all", [host for of in by_label.values() for host in of], moment)]


def about(seconds: float) -> str:
    """A time that is left, no more exactly than it is known."""
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


# -- the worst -----------------------------------------------------------------------------------------------------


def gravity(outcome: HostOutcome, table: SeverityTable) -> Severity:
    """How grave a host's outcome is: by its findings, or by what became of it."""
    if outcome.state is HostState.PROMOTED:
        return Severity.SEV4
    found = [finding.severity for finding in outcome.findings if _counts(finding.status) and finding.severity]
    if found and outcome.state in _MEASURED:
        return min(found)
    if outcome.state in MISSING:
        return Severity(table.no_data)
    if outcome.state is HostState.INCONCLUSIVE:
        return Severity(table.inconclusive)
    return Severity(table.checks.get("fleet_refused", table.unlisted))


def worst(outcomes: Iterable[HostOutcome], table: SeverityTable) -> str:
    """``SEV1 node3 (a100): correctness: ...``, the gravest, first of several; nothing where all promoted."""
    against = [outcome for outcome in outcomes if outcome.state is not HostState.PROMOTED]
    if not against:
        return ""
    gravest = min(against, key=lambda outcome: gravity(outcome, table))
    level = gravity(gravest, table)
    told = next(
        (
            f"{finding.check} {finding.status.value}: {finding.message}"
            for finding in gravest.findings
            if _counts(finding.status) and finding.severity == level
        ),
        gravest.why or gravest.state.value,
    )
    return f"SEV{int(level)} {gravest.host} ({gravest.label}): {told}"[:_SHOWN]


def _counts(status: CheckStatus) -> bool:
    return status is not CheckStatus.PASS
