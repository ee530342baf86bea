"""The fleet's verdict: one pure function from the file, what was asked and the outcomes, total on any outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.label_checks import LabelCount, judge_label
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome
from pytest_weekops.core.fleet.promoted import PromotionCame, promotion_findings
from pytest_weekops.core.fleet.standing import excepted, standings
from pytest_weekops.core.fleet.whole_checks import complete, evidence, own_verdicts, worst_host
from pytest_weekops.core.judge.finding import CheckStatus, ExitStatus, Finding, Severity
from pytest_weekops.core.judge.severity import grade_findings, verdict_severity
from pytest_weekops.core.record import Record


class FleetDecision(StrEnum):
    """The verdict's one word, mildest first."""

    PROMOTE = "promote"  #: every label has what promotes it
    INCONCLUSIVE = "inconclusive"  #: evidence is there and does not decide; nothing failed
    NO_DATA = "no_data"  #: evidence that is asked for is not there; nothing failed
    ITERATE = "iterate"  #: something failed


_WORDS = (  # the gravest status among the findings that block says the word
    (CheckStatus.FAIL, FleetDecision.ITERATE),
    (CheckStatus.NO_DATA, FleetDecision.NO_DATA),
    (CheckStatus.INCONCLUSIVE, FleetDecision.INCONCLUSIVE),
    (CheckStatus.PASS, FleetDecision.PROMOTE),
)


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


def word_of(findings: Iterable[Finding]) -> FleetDecision:
    """The word that these findings come to; where none of them could block, nothing was looked at."""
    against = {finding.status for finding in findings if finding.blocking}
    return next((word for status, word in _WORDS if status in against), FleetDecision.NO_DATA)


def judge_fleet(
    fleet: FleetFile, outcomes: Sequence[HostOutcome], asked: Asked, *, came: PromotionCame | None = None
) -> FleetVerdict:
    """Judge what became of every host that was asked for; the order of the outcomes does not matter.

    ``came`` is how far a staged promotion came, where the verdict is the last one over all of it.

    A host is in the verdict because it was asked for and not because it answered. ``core/fleet/standing.py`` says what
    each counts as, ``core/fleet/label_checks.py`` what a label owes, and this joins them.
    """
    stands = standings(fleet, outcomes, asked)
    left = excepted(fleet, stands)
    counted = [one for one in stands if one.host.name not in left]
    findings = [complete(counted), evidence(fleet, outcomes, asked, left), own_verdicts(counted), worst_host(counted)]
    counts = []
    for label in fleet.labels:
        mine = [one for one in counted if one.host.label == label]
        out = [one.host.name for one in stands if one.host.label == label and one.host.name in left]
        if mine or out:
            told, count = judge_label(fleet, label, mine, out)
            findings += told
            counts.append(count)
    findings += [] if came is None else promotion_findings(came)
    return _decided(fleet, asked.week, grade_findings(findings, fleet.severity), tuple(counts))


def _decided(
    fleet: FleetFile, week: str, findings: tuple[Finding, ...], counts: tuple[LabelCount, ...]
) -> FleetVerdict:
    severity = verdict_severity(findings)
    level = fleet.severity.levels[int(severity)]
    return FleetVerdict(
        fleet_id=fleet.fleet_id,
        week=week,
        decision=word_of(findings),
        findings=findings,
        severity=severity,
        owner=level.owner,
        respond_within_minutes=level.within_minutes,
        action=level.action,
        labels=counts,
    )
