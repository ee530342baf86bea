"""The judge: one pure function from policy and campaign to verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.campaign import Campaign
from pytest_weekops.core.checks import compat_findings, strict_findings
from pytest_weekops.core.finding import CheckStatus, Decision, Finding, Verdict
from pytest_weekops.core.policy import Policy
from pytest_weekops.core.severity import grade_findings, verdict_severity

Rules = Literal["compat", "strict"]


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """What the command line may say beside the policy; ``None`` leaves it to the plan, then the policy."""

    min_rusticl_ratio: float | None = None
    required_sizes: Sequence[int] | None = None


def judge(
    policy: Policy, campaign: Campaign, *, rules: Rules = "strict", options: JudgeOptions | None = None
) -> Verdict:
    """Judge a campaign. Total: data never makes it raise, it answers with findings."""
    options = options or JudgeOptions()
    findings: tuple[Finding, ...]
    rows: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()
    if rules == "compat":
        findings, notes = compat_findings(policy, campaign, options)
    else:
        findings, rows, notes = strict_findings(policy, campaign, options)
    graded = grade_findings(findings, policy.severity)
    blocked = [finding for finding in graded if finding.blocking and finding.status is not CheckStatus.PASS]
    severity = verdict_severity(graded)
    level = policy.severity.levels[int(severity)]
    return Verdict(
        kind=campaign.kind,
        rules=rules,
        decision=Decision.ITERATE if blocked or not graded else Decision.PROMOTE,
        findings=graded,
        severity=severity,
        owner=level.owner,
        respond_within_minutes=level.within_minutes,
        action=level.action,
        policy_id=policy.policy_id,
        policy_sha256=policy.sha256,
        rows=rows,
        notes=notes,
    )
