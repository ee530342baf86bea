"""Findings as workflow commands, which a code host shows beside the change that caused them."""

from __future__ import annotations

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.report.summary import finding_line, sort_findings


def github_lines(decision: str, findings: tuple[Finding, ...]) -> list[str]:
    """GitHub workflow commands, one per finding; newlines and percent signs escaped as that format asks."""
    lines = []
    for finding in sort_findings(findings):
        level = "error" if finding.blocking else "warning"
        text = finding_line(finding).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"::{level} title=weekops {decision}::{text}")
    return lines
