"""The fleet's verdict: one pure function from the file, what was asked and the outcomes, total on any outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome
from pytest_weekops.core.judge.finding import CheckStatus, ExitStatus, Finding, Severity
from pytest_weekops.core.record import Record


class FleetDecision(StrEnum):
    """The verdict's one word, mildest first."""

    PROMOTE = "promote"  #: every label has what promotes it
    INCONCLUSIVE = "inconclusive"  #: evidence is there and does not decide; nothing failed
    NO_DATA = "no_data"  #: evidence that is asked for is not there; nothing failed
    ITERATE = "iterate"  #: something failed


class LabelCount(Record):
    """How many hosts of a label stand where. ``needed`` of ``counted`` must promote; ``excepted`` do not count."""

    label: str
    hosts: int
    counted: int
    needed: int
    promoted: int
    states: dict[str, int]
    excepted: tuple[str, ...] = ()
    outliers: tuple[str, ...] = ()


class FleetVerdict(Record):
    """The verdict over all hosts that were asked for, with every finding, the severity, and what is owed."""

    fleet_id: str
    week: str
    decision: FleetDecision
    findings: tuple[Finding, ...]
    severity: Severity
    owner: str
    respond_within_minutes: int
    action: str
    labels: tuple[LabelCount, ...]

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the blocking checks that did not pass, in order, each once."""
        names = [f.check for f in self.findings if f.blocking and f.status is not CheckStatus.PASS]
        return tuple(dict.fromkeys(names))

    @property
    def exit_status(self) -> ExitStatus:
        """The process exit status this verdict asks for, by the rules of a run's."""
        if self.decision is FleetDecision.PROMOTE:
            return ExitStatus.PROMOTE
        if self.severity is Severity.SEV1:
            return ExitStatus.ROLLBACK_REQUIRED
        return ExitStatus.ITERATE if self.decision is FleetDecision.ITERATE else ExitStatus.INCONCLUSIVE


def judge_fleet(fleet: FleetFile, outcomes: Sequence[HostOutcome], asked: Asked) -> FleetVerdict:
    """Judge what became of every host that was asked for; the order of the outcomes does not matter."""
    raise NotImplementedError
