"""The judge of recorded campaigns: older rules exactly, or strict with the older ones beside them for parity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.judge.decide import decide
from pytest_weekops.core.judge.finding import CheckStatus, Finding, Verdict
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.recorded import compat, own_rules
from pytest_weekops.core.recorded.campaign import RecordedCampaign
from pytest_weekops.core.recorded.strict import Terms
from pytest_weekops.core.recorded.strict_baseline import baseline_usable
from pytest_weekops.core.recorded.strict_list import strict_findings, total

Rules = Literal["compat", "strict"]


@dataclass(frozen=True)
class RecordedJudgement:
    """A verdict, the older decision word under compat, and the older decisions of each snapshot."""

    verdict: Verdict
    decision: str
    snapshot_decisions: tuple[str, ...] = ()


def judge_recorded(
    policy: Policy,
    campaign: RecordedCampaign,
    *,
    rules: Rules = "strict",
    min_ratio: float | None = None,
    required_sizes: Sequence[int] | None = None,
) -> RecordedJudgement:
    """Judge a recorded campaign. Total: data never makes it raise."""
    terms = Terms(
        policy=policy,
        min_ratio=policy.split.min_ratio if min_ratio is None else min_ratio,
        required_sizes=tuple(policy.split.required_sizes if required_sizes is None else required_sizes),
        rows_apply=campaign.kind in ("weekly", "split"),
        sizes_asked=bool(required_sizes),
    )
    older, word, snapshots = _older(terms, campaign)
    findings = older if rules == "compat" else _strict(terms, campaign, older)
    verdict = decide(findings, policy, kind=campaign.kind, rules=rules, notes=_notes(campaign, rules))
    return RecordedJudgement(verdict, word if rules == "compat" else verdict.decision.value, snapshots)


def _older(terms: Terms, campaign: RecordedCampaign) -> tuple[tuple[Finding, ...], str, tuple[str, ...]]:
    if campaign.kind == "canary_campaign":
        own = own_rules.judge_canary(terms.policy.campaign, campaign)
        return own.findings, own.decision, own.snapshot_decisions
    if campaign.kind == "stress_split":
        own = own_rules.judge_stress_split(terms.policy.campaign, campaign)
        return own.findings, own.decision, ()
    if campaign.kind == "weekly":
        findings = compat.weekly_findings(terms.policy, campaign)
    else:
        findings = compat.split_findings(
            terms.policy, campaign, min_ratio=terms.min_ratio, required_sizes=terms.required_sizes
        )
    bad = any(finding.status is not CheckStatus.PASS for finding in findings)
    return findings, "iterate" if bad else "promote", ()


def _strict(terms: Terms, campaign: RecordedCampaign, older: Sequence[Finding]) -> tuple[Finding, ...]:
    """Strict findings, marked where the older rules would not have raised them."""
    raised = {finding.check for finding in older if finding.status is not CheckStatus.PASS}
    findings = strict_findings(terms, campaign)
    if not terms.rows_apply:
        own = [finding for finding in older if finding.check not in {f.check for f in findings}]
        findings = [*own, total(baseline_usable, terms, campaign), *findings]
    return tuple(
        finding.model_copy(update={"strict_only": True})
        if finding.status is not CheckStatus.PASS and finding.check not in raised
        else finding
        for finding in findings
    )


def _notes(campaign: RecordedCampaign, rules: Rules) -> tuple[str, ...]:
    if rules == "compat":
        return ("Judged by the older rules, holes included.",)
    notes = ["Recorded without raw samples: means are the recorded ones, without intervals."]
    if campaign.defects:
        notes.append(f"Not readable: {'; '.join(campaign.defects[:4])}.")
    return tuple(notes)
