"""A look at a run while it goes on: what is open, whether measuring may end, and how certain the end is."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_weekops.core.judge.asking.asked import told
from pytest_weekops.core.judge.asking.noise import noise_ratio
from pytest_weekops.core.judge.asking.run import answers, errors_of, of_kind
from pytest_weekops.core.judge.asking.spreads import assumed
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.certainty.answers import Errors
from pytest_weekops.core.judge.certainty.resolution import resolution
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.trends import THEIL_SEN_FACTOR, trend_error
from pytest_weekops.core.judge.checks.cells import p95_evidence
from pytest_weekops.core.judge.checks.guards import t3_fallback_bound
from pytest_weekops.core.judge.checks.runs import minimum_snapshots
from pytest_weekops.core.judge.finding import Certainty, CheckStatus
from pytest_weekops.core.measurement.records import LookRecord
from pytest_weekops.core.measurement.stats import percent
from pytest_weekops.core.policy.policy import Policy

_COUNTED = (minimum_snapshots, p95_evidence, t3_fallback_bound)  # of which more snapshots give more


def look_at(policy: Policy, campaign: Campaign, snapshots: int) -> LookRecord:
    """What is open after so many snapshots of the campaign's plan. It ends there where nothing is, and it is a look."""
    plan = campaign.plan
    if snapshots not in plan.looks:
        raise ValueError(f"{snapshots} snapshots are no look of {plan.looks}")
    cut = Campaign(
        plan=plan.model_copy(update={"snapshots": snapshots}),
        records=campaign.records,
        identities=campaign.identities,
        baselines=campaign.baselines,
        created_at=campaign.created_at,
    )
    found = tuple(_open(policy, cut))
    voids = sum(measurement.void for measurement in cut.measurements)
    return LookRecord(snapshots=snapshots, ends=not found, open=found, voids=voids)


def _open(policy: Policy, campaign: Campaign) -> Iterable[str]:
    for check in _COUNTED:
        finding = check(policy, campaign)
        if finding.status in (CheckStatus.NO_DATA, CheckStatus.INCONCLUSIVE):
            yield f"{finding.check}: {finding.message}"[:300]
    waiting = [each for each in answers(policy, campaign) if not each.asked.undecided]  # for the rest none would do
    for words in told(waiting, CheckStatus.INCONCLUSIVE):
        yield words[:300]


def certainty(policy: Policy, campaign: Campaign) -> Certainty | None:
    """How certain the verdict on a run with looks is; None for a run without."""
    plan, found = campaign.plan, answers(policy, campaign)
    if not plan.looks or plan.kind == "canonical":
        return None
    looks, errors = LookPlan(plan.looks), errors_of(policy)
    spread = max((s for each in found if (s := each.asked.spread)), key=lambda s: s.sd, default=assumed(policy))
    taken = min(plan.snapshots, looks.budget)
    own = Errors(errors.false_fail / max(1, len(found)), errors.false_pass)
    waiting = [each for each in found if not each.answer.is_decided]
    # Of the run's snapshots: those that were void for a cell are behind it, and decide nothing.
    needed = [each.more and each.more + max(0, taken - each.answer.snapshots) for each in waiting]
    counted = campaign.measurements
    seen = taken > 1 and any(measurement.sessions for measurement in counted)
    return Certainty(
        max_false_block=errors.false_fail,
        max_false_promote=errors.false_pass,
        requirements=len(found),
        looks=plan.looks,
        snapshots=taken,
        spread_percent=100.0 * spread.sd,
        spread_source=spread.source,
        resolution_percent=-percent(-resolution(looks, taken, spread, own)) if seen else None,
        stable_within_percent=_stable_within(policy, campaign),
        bounded=sum(each.asked.kind in ("floor", "baseline", "service", "ratio") for each in found),
        open=len(waiting),
        would_decide=max(each for each in needed if each is not None) if needed and None not in needed else None,
        void=sum(measurement.void for measurement in counted),
        measured=len(counted),
        noise_ratio=noise_ratio(policy, campaign),
    )


def _stable_within(policy: Policy, campaign: Campaign) -> float | None:
    """The largest fall along the window that some cell may have had, in percent, at the error of a false promote."""
    found = []
    for each in of_kind(answers(policy, campaign), "trend"):
        answer, spread = each.answer, each.asked.spread
        if spread is None or answer.snapshots < 2 or answer.levels.lower <= 0:
            return None
        error = THEIL_SEN_FACTOR * trend_error(answer.snapshots, spread)
        found.append(max(0.0, -percent(answer.interval.estimate - spread.reach(answer.levels.lower) * error)))
    return max(found, default=None)
