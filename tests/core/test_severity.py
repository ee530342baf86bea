"""Severity: total over every check, and monotone in the findings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.finding import CheckStatus, Finding, Severity
from pytest_weekops.core.policy import SeverityTable
from pytest_weekops.core.severity import grade_findings, verdict_severity

TABLE = SeverityTable()
NAMES = st.sampled_from([*TABLE.checks, "per_kernel_size_slo", "never heard of"])
FINDINGS = st.lists(
    st.builds(
        lambda check, status, blocking: Finding(
            check=check, status=status, reason_code="x", message="x", blocking=blocking
        ),
        NAMES,
        st.sampled_from(list(CheckStatus)),
        st.booleans(),
    ),
    max_size=8,
)


@given(FINDINGS, FINDINGS)
def test_more_findings_never_give_a_milder_severity(some: list[Finding], more: list[Finding]) -> None:
    """The severity of a verdict is the worst of its findings."""
    fewer = verdict_severity(grade_findings(some, TABLE)) if some else Severity.SEV4
    assert verdict_severity(grade_findings([*some, *more], TABLE)) <= fewer or not (some or more)


@given(FINDINGS)
def test_a_failed_check_is_at_least_as_grave_as_a_passed_or_missing_one(findings: list[Finding]) -> None:
    """Turning any status into fail never makes the verdict milder."""
    before = verdict_severity(grade_findings(findings, TABLE)) if findings else Severity.SEV4
    failed = [finding.model_copy(update={"status": CheckStatus.FAIL, "blocking": True}) for finding in findings]
    assert verdict_severity(grade_findings(failed, TABLE)) <= before


@given(FINDINGS)
def test_what_blocks_is_never_sev4(findings: list[Finding]) -> None:
    """Any blocking finding that is not passed has a severity that asks for something."""
    for finding in grade_findings(findings, TABLE):
        open_one = finding.blocking and finding.status is not CheckStatus.PASS
        assert (finding.severity is not Severity.SEV4) is open_one


def test_nothing_checked_is_not_harmless() -> None:
    """A verdict without findings is SEV2."""
    assert verdict_severity(()) is Severity.SEV2
