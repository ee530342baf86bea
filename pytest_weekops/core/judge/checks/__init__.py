"""The checks of a live campaign: each a pure function from policy and campaign to findings, in a fixed order.

Private: import from `pytest_weekops.api`.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks import (
    capabilities,
    cells,
    conformance,
    copies,
    evidence,
    expected_faults,
    guards,
    one_driver,
    one_piece,
    partner,
    possible_clocks,
    possible_times,
    recall,
    runs,
    slo,
    split,
    work_done,
)
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.policy.policy import Policy

Check = Callable[[Policy, Campaign], Finding]

_EVERY_RUN: tuple[Check, ...] = (evidence.canonical_gate, evidence.other_tests)
_POSSIBLE: tuple[Check, ...] = (
    possible_times.times_possible,
    possible_clocks.clocks_agree,
    possible_clocks.order_kept,
    copies.samples_unique,
    one_driver.one_driver,
    one_piece.one_kernel,
    one_piece.work_as_stated,
    one_piece.errors_possible,
    one_piece.witnesses_present,
)
_MEASURED: tuple[Check, ...] = (
    runs.minimum_snapshots,
    runs.all_runs_success,
    expected_faults.expected_faults,
    runs.unique_cases,
    runs.device_selected,
    evidence.host_stable,
    evidence.pressure_failures_zero,
    runs.launches_complete,
    runs.finite_metrics,
    guards.correctness_error_bound,
    work_done.writes_contained,
    work_done.launches_looked_at,
    guards.t3_fallback_bound,
    guards.t5_disable_events_total_bound,
    guards.t5_overhead_bound,
    recall.t5_recall_bound,
    guards.guard_evidence_present,
    *_POSSIBLE,
)
_WEEKLY: tuple[Check, ...] = (
    cells.all_policy_rows_present,
    cells.sizes_covered,
    cells.baseline_usable,
    partner.partner_beside,
    cells.p95_evidence,
    slo.per_kernel_size_slo,
    cells.throughput_drift_abs_bound,
    cells.p95_drift_bound,
)
_SPLIT: tuple[Check, ...] = (
    split.platform_split_present,
    cells.sizes_covered,
    cells.p95_evidence,
    split.clover_policy_rows,
    split.rusticl_ratio_vs_clover,
    split.rusticl_latency_ratio,
    split.required_sizes_present_on_split,
)


_CAPABILITIES: tuple[Check, ...] = (capabilities.capabilities_kept,)
_UNTIMED: tuple[Check, ...] = (capabilities.untimed_results,)


def checks_for(
    kind: str,
    *,
    beside: bool = True,
    expecting: bool = True,
    evidence: bool = True,
    capable: bool = True,
    untimed: bool = True,
) -> tuple[Check, ...]:
    """The checks of one kind of campaign, in the order of its findings.

    Some speak of runs ``beside`` a partner alone, of those ``expecting`` known faults, of those that take in the
    ``evidence`` of others, of those held against a driver that is known to be ``capable`` of something, or of those
    with something ``untimed`` or not applicable. A run without has the findings that it had before there were any.
    """
    if kind == "canonical":
        return (*_EVERY_RUN, expected_faults.expected_faults) if expecting else _EVERY_RUN
    found = (*_EVERY_RUN, *_MEASURED, *(_SPLIT if kind == "split" else _WEEKLY), *conformance.CONFORMANCE)
    found = (*found, *(_UNTIMED if untimed else ()), *(_CAPABILITIES if capable else ()))
    unasked: list[Check] = [] if beside else [partner.partner_beside]
    unasked += [] if evidence else conformance.CONFORMANCE
    unasked += [] if expecting else [expected_faults.expected_faults]
    return tuple(check for check in found if check not in unasked)
