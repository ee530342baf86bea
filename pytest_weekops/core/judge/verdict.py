"""The judge: one pure function from policy and campaign to verdict, total on any data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.capabilities import references
from pytest_weekops.core.judge.checks import Check, checks_for
from pytest_weekops.core.judge.checks.table import table_rows
from pytest_weekops.core.judge.decide import decide
from pytest_weekops.core.judge.drivers import beside_partner, by_another_clock, since_baseline
from pytest_weekops.core.judge.expected import silent
from pytest_weekops.core.judge.finding import Certainty, CheckStatus, Finding, Verdict
from pytest_weekops.core.judge.left_out import left_out
from pytest_weekops.core.judge.looks import certainty
from pytest_weekops.core.policy.policy import Policy


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """What a command line may say beside plan and policy; ``None`` leaves it to them."""

    min_rusticl_ratio: float | None = None
    required_sizes: Sequence[int] | None = None


def judge(policy: Policy, campaign: Campaign, *, options: JudgeOptions | None = None) -> Verdict:
    """Judge a live campaign, always strictly: no older evaluator knew such campaigns."""
    campaign = _with_options(campaign, options or JudgeOptions())
    plan, kind = campaign.plan, campaign.plan.kind
    asked = {
        "beside": plan.partner is not None,
        "expecting": bool(plan.expected),
        "evidence": bool(plan.evidence),
        "capable": bool(references(campaign)),
        "untimed": bool(plan.needs or plan.results_only),
    }
    checks = checks_for(kind, **asked)
    findings = [_total(check, policy, campaign) for check in checks]
    rows, notes = _total_rows(policy, campaign), _notes(policy, campaign)
    omitted = left_out(policy, campaign)
    verdict = decide(findings, policy, kind=kind, rules="strict", rows=rows, notes=notes, left_out=omitted)
    return verdict.model_copy(update={"certainty": _total_certainty(policy, campaign)})


def _with_options(campaign: Campaign, options: JudgeOptions) -> Campaign:
    update: dict[str, Any] = {}
    if options.min_rusticl_ratio is not None:
        update["min_rusticl_ratio"] = options.min_rusticl_ratio
    if options.required_sizes is not None:
        update["required_sizes"] = tuple(options.required_sizes)
    return replace(campaign, plan=campaign.plan.model_copy(update=update)) if update else campaign


_DATA_ERRORS = (ArithmeticError, ValueError, TypeError, LookupError, AttributeError)


def _total(check: Check, policy: Policy, campaign: Campaign) -> Finding:
    """One check's finding. A check that cannot work with the numbers has not passed."""
    try:
        return check(policy, campaign)
    except _DATA_ERRORS as error:
        message = f"the numbers cannot be worked with: {type(error).__name__}: {error}"[:300]
        return Finding(
            check=getattr(check, "__name__", "check"),
            status=CheckStatus.FAIL,
            reason_code="unreadable",
            message=message,
        )


def _total_rows(policy: Policy, campaign: Campaign) -> tuple[dict[str, Any], ...]:
    try:
        return table_rows(policy, campaign)
    except _DATA_ERRORS:
        return ()


def _total_certainty(policy: Policy, campaign: Campaign) -> Certainty | None:
    try:
        return certainty(policy, campaign)
    except _DATA_ERRORS:
        return None


def _notes(policy: Policy, campaign: Campaign) -> tuple[str, ...]:
    unheard = tuple(silent(campaign.plan, campaign.identities))
    unspoken = (f"Expectations that speak of nothing here: {'; '.join(unheard)}.",) if unheard else ()
    resumed = (*_resumed(campaign), *unspoken)
    if campaign.plan.kind != "weekly":
        return resumed
    bounded = campaign.baselines or campaign.plan.service is not None
    waived = () if bounded or not policy.floors.waiver else (policy.floors.waiver,)
    return (*resumed, *waived, *since_baseline(campaign), *by_another_clock(campaign), *beside_partner(campaign))


def _resumed(campaign: Campaign) -> Iterator[str]:
    """A sentence for each time that the run was gone on with: when, after how long, and what is from before."""
    for segment in campaign.segments[1:]:
        before = sum(m.order < segment.first_order for m in campaign.counted)
        dropped = f"; {segment.halves} that had lost their partner do not count" if segment.halves else ""
        yield (
            f"Resumed as {segment.run_id} at {segment.started_at} after a gap of {_long(segment.gap_s)}: {before} of "
            f"{len(campaign.counted)} measurements are from before it{dropped}."
        )


def _long(seconds: float) -> str:
    """``3 h 12 min``, ``12 min`` or ``40 s``."""
    if not 0 <= seconds < 10**9:
        return f"{seconds:g} s"
    minutes = int(seconds // 60)
    return (
        f"{minutes // 60} h {minutes % 60} min"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )
