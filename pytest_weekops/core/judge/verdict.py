"""The judge: one pure function from policy and campaign to verdict, total on any data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks import Check, checks_for
from pytest_weekops.core.judge.checks.table import table_rows
from pytest_weekops.core.judge.decide import decide
from pytest_weekops.core.judge.drivers import since_baseline
from pytest_weekops.core.judge.finding import Certainty, CheckStatus, Finding, Verdict
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
    kind = campaign.plan.kind
    findings = [_total(check, policy, campaign) for check in checks_for(kind)]
    rows, notes = _total_rows(policy, campaign), _notes(policy, campaign)
    verdict = decide(findings, policy, kind=kind, rules="strict", rows=rows, notes=notes)
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
    if campaign.plan.kind != "weekly":
        return ()
    waived = () if campaign.baselines or not policy.floors.waiver else (policy.floors.waiver,)
    return (*waived, *since_baseline(campaign))
