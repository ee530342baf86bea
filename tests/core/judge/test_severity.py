"""Severity: total over every check, and monotone in the findings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.finding import CheckStatus, Finding, Severity
from pytest_weekops.core.judge.severity import grade_findings, verdict_severity
from pytest_weekops.core.policy.policy import SeverityTable

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


@pytest.mark.parametrize(
    ("level", "checks"),
    [
        (1, "all_runs_success correctness_error_bound t5_disable_events_total_bound platform_split_present"),
        (1, "required_sizes_present_on_split canonical_gate"),
        (2, "t5_overhead_bound t3_fallback_bound rusticl_ratio_vs_clover rusticl_latency_ratio minimum_snapshots"),
        (2, "all_policy_rows_present per_kernel_size_slo clover_policy_rows pressure_failures_zero no_rollback_event"),
        (2, "unique_cases finite_metrics sizes_covered baseline_usable t5_false_positive_bound never_heard_of"),
        (3, "throughput_drift_abs_bound p95_drift_bound"),
    ],
)
def test_each_failed_check_has_the_severity_of_the_alert_agreement(level: int, checks: str) -> None:
    """What failed outright; what is only inconclusive is SEV3 at most, whatever it is about."""
    for check in checks.split():
        finding = Finding(check=check, status=CheckStatus.FAIL, reason_code="x", message="x")
        unsure = finding.model_copy(update={"status": CheckStatus.INCONCLUSIVE})
        (graded,), (mild,) = grade_findings([finding], TABLE), grade_findings([unsure], TABLE)
        assert (check, graded.severity, mild.severity) == (check, level, 3)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_each_level_says_who_does_what_how_soon(level: int) -> None:
    """Owner, time and action come with every verdict."""
    asked = TABLE.levels[level]
    assert asked.within_minutes == {1: 15, 2: 60, 3: 240, 4: 1440}[level]
    assert asked.owner
    assert asked.action
