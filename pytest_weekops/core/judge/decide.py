"""From findings to a verdict: the one place where promote is said, for live and recorded campaigns alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Verdict
from pytest_weekops.core.judge.severity import grade_findings, verdict_severity
from pytest_weekops.core.policy.policy import Policy, SeverityTable


def decide(
    findings: Iterable[Finding],
    policy: Policy,
    *,
    kind: str,
    rules: Literal["compat", "strict"],
    rows: tuple[dict[str, Any], ...] = (),
    notes: tuple[str, ...] = (),
    left_out: tuple[str, ...] = (),
) -> Verdict:
    """The verdict on these findings: promote where there are some and every blocking one passed, else iterate."""
    graded = grade_findings(findings, _severities(policy))
    blocked = any(finding.blocking and finding.status is not CheckStatus.PASS for finding in graded)
    severity = verdict_severity(graded)
    level = policy.severity.levels[int(severity)]
    return Verdict(
        kind=kind,
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
        left_out=left_out,
    )


def _severities(policy: Policy) -> SeverityTable:
    """The policy's table with what its section on conformance says; a check that the table itself names keeps that."""
    checks = {**policy.conformance.levels, **policy.severity.checks}
    return policy.severity.model_copy(update={"checks": checks})
