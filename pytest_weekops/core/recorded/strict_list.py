"""Which strict rules a recorded campaign is judged by, in which order, each of them total."""

from __future__ import annotations

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.recorded.campaign import RecordedCampaign
from pytest_weekops.core.recorded.strict import (
    Check,
    Terms,
    all_runs_success,
    minimum_snapshots,
    no_rollback_event,
    platform_selected,
    pressure_failures_zero,
    unique_cases,
)
from pytest_weekops.core.recorded.strict_cells import (
    all_policy_rows_present,
    clover_policy_rows,
    p95_drift_bound,
    per_kernel_size_slo,
    sizes_covered,
    throughput_drift_abs_bound,
)
from pytest_weekops.core.recorded.strict_numbers import (
    correctness_error_bound,
    finite_metrics,
    guard_evidence_present,
    t3_fallback_bound,
    t5_disable_events_total_bound,
    t5_false_positive_bound,
    t5_overhead_bound,
)
from pytest_weekops.core.recorded.strict_split import (
    required_sizes_present_on_split,
    rusticl_latency_ratio,
    rusticl_ratio_vs_clover,
)

RUN_CHECKS: tuple[Check, ...] = (
    all_runs_success,
    unique_cases,
    platform_selected,
    no_rollback_event,
    pressure_failures_zero,
    finite_metrics,
    correctness_error_bound,
    guard_evidence_present,
    t3_fallback_bound,
    t5_disable_events_total_bound,
    t5_overhead_bound,
    t5_false_positive_bound,
)
WEEKLY_CHECKS: tuple[Check, ...] = (
    all_policy_rows_present,
    sizes_covered,
    per_kernel_size_slo,
    throughput_drift_abs_bound,
    p95_drift_bound,
)
SPLIT_CHECKS: tuple[Check, ...] = (
    sizes_covered,
    clover_policy_rows,
    rusticl_ratio_vs_clover,
    rusticl_latency_ratio,
    required_sizes_present_on_split,
)
OWN_WEEKLY_CHECKS: tuple[Check, ...] = (throughput_drift_abs_bound,)
OWN_SPLIT_CHECKS: tuple[Check, ...] = (rusticl_ratio_vs_clover, rusticl_latency_ratio)
ASKED_SPLIT_CHECKS: tuple[Check, ...] = (*OWN_SPLIT_CHECKS, required_sizes_present_on_split)


def strict_findings(terms: Terms, campaign: RecordedCampaign) -> list[Finding]:
    """All strict findings of one campaign, in a fixed order; one that raises would be a defect and still blocks."""
    cells = {
        "weekly": (minimum_snapshots, WEEKLY_CHECKS),
        "split": (None, SPLIT_CHECKS),
        "canary_campaign": (minimum_snapshots, OWN_WEEKLY_CHECKS),
        "stress_split": (None, ASKED_SPLIT_CHECKS if terms.sizes_asked else OWN_SPLIT_CHECKS),
    }[campaign.kind]
    checks: list[Check] = [*([cells[0]] if cells[0] else []), *RUN_CHECKS, *cells[1]]
    return [total(check, terms, campaign) for check in checks]


def total(check: Check, terms: Terms, campaign: RecordedCampaign) -> Finding:
    """One check's finding; numbers that it cannot work with have not passed."""
    try:
        return check(terms, campaign)
    except (ArithmeticError, ValueError, TypeError) as error:
        name = getattr(check, "__name__", "check").replace("platform_selected", "platform_split_present")
        return Finding(
            check=name,
            status=CheckStatus.FAIL,
            reason_code="unreadable",
            message=f"the recorded numbers cannot be worked with: {type(error).__name__}",
        )
