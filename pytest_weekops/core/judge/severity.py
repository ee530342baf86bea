"""Severity of findings and of a verdict: total, and monotone in the findings."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_weekops.core.judge.finding import CheckStatus, Finding, Severity
from pytest_weekops.core.policy.policy import SeverityTable


def grade_findings(findings: Iterable[Finding], table: SeverityTable) -> tuple[Finding, ...]:
    """The findings with their severity filled in; one that a check already graded worse keeps it."""
    return tuple(finding.model_copy(update={"severity": grade(finding, table)}) for finding in findings)


def grade(finding: Finding, table: SeverityTable) -> Severity:
    """Severity of one finding: what passes or does not block is SEV4, inconclusive as the table says."""
    if finding.status is CheckStatus.PASS or not finding.blocking:
        return Severity.SEV4
    level = table.checks.get(finding.check, table.unlisted)
    if finding.status is CheckStatus.NO_DATA:
        level = max(level, table.no_data)
    elif finding.status is CheckStatus.INCONCLUSIVE:
        level = max(level, table.inconclusive)
    return Severity(min(level, finding.severity or level, 3))


def verdict_severity(findings: Iterable[Finding]) -> Severity:
    """The worst severity of the findings; SEV2 where there are none, since nothing was checked."""
    grades = [finding.severity or Severity.SEV2 for finding in findings]
    return min(grades, default=Severity.SEV2)
