"""What is asked of all outcomes together: that none is missing, foreign, told otherwise by its host, or grave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome, HostVerdict
from pytest_weekops.core.fleet.standing import UNACCOUNTED, Standing, strangers
from pytest_weekops.core.judge.finding import Finding, Severity
from pytest_weekops.core.judge.outcome import failed_by_name, passed


def complete(counted: Sequence[Standing]) -> Finding:
    """Every host that was asked for has an outcome, if only that it was lost.

    What an outcome that is gone has said is not known, and it can have been the worst there is.
    """
    gone = [(one.host.name, one.why if one.state == UNACCOUNTED else "") for one in counted]
    finding = failed_by_name(
        "fleet_complete",
        "unaccounted",
        gone,
        lambda told: (
            f"Hosts without an outcome: {told}. The coordinator writes one for each host, lost ones too, so somebody "
            "took it away, and what it said is unknown. Resume the fleet run, or find the record."
        ),
    )
    return _at_sev1(finding) or passed(
        "fleet_complete", f"each of {len(counted)} hosts has an outcome", observed=len(counted)
    )


def evidence(fleet: FleetFile, outcomes: Sequence[HostOutcome], asked: Asked, left: Mapping[str, str]) -> Finding:
    """No outcome is there that nobody asked for, none twice, and no journal comes from two hosts."""
    wrong = [(host, problem) for host, problem in strangers(fleet, outcomes, asked) if host not in left]
    return failed_by_name(
        "fleet_evidence",
        "foreign",
        wrong,
        lambda told: (
            f"Outcomes that cannot be believed: {told}. One host could stand in for another. Find out who wrote them, "
            "and run those hosts again under a new fleet run."
        ),
    ) or passed("fleet_evidence", f"no outcome among {len(outcomes)} is foreign or there twice")


def own_verdicts(counted: Sequence[Standing]) -> Finding:
    """Where a host came to a verdict of its own, it is the one that the coordinator draws from the same journal."""
    return failed_by_name(
        "fleet_own_verdict",
        "differs",
        [(one.host.name, _difference(one.outcome)) for one in counted if one.outcome is not None],
        lambda told: (
            f"Hosts whose own verdict is another: {told}. Both are drawn from one journal by the same pure judge, so "
            "one of the two programs, or the journal on its way, is not what it should be. Compare versions, then run "
            "`weekops judge` on the journal at both ends."
        ),
    ) or passed("fleet_own_verdict", "no host's own verdict differs from the coordinator's")


def _difference(outcome: HostOutcome) -> str:
    own, judged = outcome.own, outcome.judged
    return "" if own is None or judged is None or own == judged else f"{_words(own)} there, {_words(judged)} here"


def _words(verdict: HostVerdict) -> str:
    return f"{verdict.decision} at SEV{int(verdict.severity)} ({verdict.exit_status})"


def worst_host(counted: Sequence[Standing]) -> Finding:
    """No host's journal is SEV1 by the coordinator's judgement: a share lets slow hosts be, and not wrong results."""
    finding = failed_by_name(
        "fleet_worst_host",
        "sev1",
        [(one.host.name, f"SEV1, {one.why or one.state}" if one.is_grave else "") for one in counted],
        lambda told: (
            f"Hosts at SEV1: {told}. A driver that is wrong or crashes on one host does so on others, whatever share "
            "has promoted. Roll back, or except the host by name if it is the host that is broken."
        ),
    )
    return _at_sev1(finding) or passed("fleet_worst_host", "no host is at SEV1")


def _at_sev1(finding: Finding | None) -> Finding | None:
    """The finding as grave as can be, whatever a fleet file says of its check."""
    return finding if finding is None else finding.model_copy(update={"severity": Severity.SEV1})
