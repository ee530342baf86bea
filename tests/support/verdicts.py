"""What tests ask a verdict for."""

from __future__ import annotations

from pytest_weekops.core.judge.finding import Finding, Verdict


def finding_of(verdict: Verdict, check: str) -> Finding:
    """The one finding of a check."""
    (found,) = (finding for finding in verdict.findings if finding.check == check)
    return found
