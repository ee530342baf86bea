"""Strict rules per ``kernel:size`` of a recorded campaign: rows, coverage, drift over the series, and the split."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS
from pytest_weekops.core.measurement.stats import lowest_deviation, trend
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.row_units import misstated
from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, RecordedCampaign, Run, group
from pytest_weekops.core.recorded.older import change_percent
from pytest_weekops.core.recorded.strict import (
    Check,
    Terms,
    all_runs_success,
    mean_of,
    minimum_snapshots,
    no_rollback_event,
    platform_selected,
    pressure_failures_zero,
    unique_cases,
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


def all_policy_rows_present(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every row with a limit has an ok run."""
    check = "all_policy_rows_present"
    seen = {run.key for run in campaign.ok_runs}
    missing = tuple(key for key in terms.policy.demanded_rows if key not in seen)
    if missing:
        return failed(
            check, "missing", f"no ok run for {listed(missing)}", rows=missing, observed=len(missing), required=0
        )
    return passed(check, "every row with a limit has runs", observed=0, required=0)


def sizes_covered(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every ``kernel:size`` that ran has a row or a waiver in words."""
    check = "sizes_covered"
    bare = tuple(key for key in group(campaign.runs) if not terms.policy.covers(key))
    if bare:
        message = f"neither row nor waiver for {listed(bare)}. Add one to the policy."
        return failed(check, "not_covered", message, rows=bare, observed=len(bare), required=0)
    if not campaign.runs:
        return no_data(check, "no_runs", "nothing ran")
    return passed(check, "every size that ran has a row or a waiver", observed=0, required=0)


def _judge_rows(check: str, policy: Policy, runs: Sequence[Run], *, all_must_be_there: bool) -> Finding:
    rows = group(runs)
    missing = [key for key in policy.demanded_rows if key not in rows]
    bad, details = [], []
    for key, row in policy.demanded_rows.items():
        if key not in rows:
            continue
        gflops, p95 = mean_of(rows[key], THROUGHPUT), mean_of(rows[key], P95)
        problem = misstated(row, "GFLOPS")
        good = (
            not problem
            and (row.min_avg_gflops is None or gflops >= row.min_avg_gflops)
            and (row.max_p95_time_ms is None or p95 <= row.max_p95_time_ms)
        )
        details.append({"key": key, "mean_gflops": gflops, "p95_ms": p95, "pass": good})
        if not good:
            bad.append(f"{key}: {problem or f'{gflops:.5g} GFLOPS, p95 {p95:.5g} ms'}")
    if bad:
        return failed(
            check, "bound", listed(bad), rows=tuple(bad), details=tuple(details), observed=len(bad), required=0
        )
    if (missing and all_must_be_there) or (policy.demanded_rows and not details):
        return failed(
            check, "missing", f"no runs for {listed(missing)}", rows=tuple(missing), observed=len(missing), required=0
        )
    words = (
        f"{len(details)} rows hold on recorded means"
        if details
        else f"no row has a limit: {policy.floors.waiver or 'all waived'}"
    )
    return passed(check, words, details=tuple(details), observed=0, required=0)


def per_kernel_size_slo(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Mean throughput and p95 of every row are within its limits."""
    return _judge_rows("per_kernel_size_slo", terms.policy, campaign.ok_runs, all_must_be_there=False)


def clover_policy_rows(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The same on the baseline platform of a split, where every row must be there."""
    baseline = terms.policy.split.baseline.lower()
    runs = [run for run in campaign.ok_runs if run.on == baseline]
    return _judge_rows("clover_policy_rows", terms.policy, runs, all_must_be_there=True)


def _first_to_last(runs: Sequence[Run], metric: str, sign: float) -> float:
    """Percent for the worse from the first to the last snapshot, by the older rule's arithmetic to the last bit."""
    series = sorted(runs, key=lambda run: run.snapshot or 0)
    first, last = (run.number_of(metric) or math.nan for run in (series[0], series[-1]))
    return -sign * change_percent(first, last)


def _series(runs: Sequence[Run], metric: str) -> list[float] | None:
    """One value per snapshot in order; None where a value is missing, not positive or not finite."""
    by_snapshot: dict[int, list[float]] = {}
    for run in runs:
        value = as_finite(run.number_of(metric))
        if value is None or value <= 0 or run.snapshot is None:
            return None
        by_snapshot.setdefault(run.snapshot, []).append(value)
    return [math.fsum(v / len(values) for v in values) for _snapshot, values in sorted(by_snapshot.items())]


def _drift(
    check: str, campaign: RecordedCampaign, metric: str, limit: float | None, deviation: float | None, sign: float
) -> Finding:
    """``sign`` is +1 where more is better; only change for the worse blocks."""
    if limit is None:
        return passed(check, "the policy waives it")
    bad, short, observed = [], [], -math.inf
    for key, runs in group(campaign.ok_runs).items():
        series = _series(runs, metric)
        if series is None:
            bad.append(f"{key}: a value is missing or not finite")
        elif len(series) < 2:
            short.append(key)
        else:
            logs = [sign * math.log(value) for value in series]
            fall, dip = _worse(trend(logs), sign), _worse(lowest_deviation(logs), sign)
            last = -sign * change_percent(statistics.median(series), series[-1])
            over_window = _first_to_last(runs, metric, sign)
            observed = max(observed, fall, dip, over_window)
            if not _within(fall, limit):
                bad.append(f"{key}: trend {fall:.2f} % for the worse over the window")
            elif not over_window <= limit:  # a cold first snapshot is a slow one: a fast first is a fall after it
                bad.append(f"{key}: the last snapshot {over_window:.2f} % worse than the first")
            elif not last <= limit:  # nothing after it says that it came back, and a trend of medians is blind to it
                bad.append(f"{key}: the last snapshot {last:.2f} % worse than the median")
            elif deviation is not None and not _within(dip, deviation):
                bad.append(f"{key}: one snapshot {dip:.2f} % worse than the median")
    facts = {"observed": round(observed, 6) if math.isfinite(observed) else None, "required": limit}
    if bad:
        return failed(check, "drift", listed(bad), rows=tuple(bad), **facts)
    if short or not campaign.ok_runs:
        return no_data(
            check,
            "one_snapshot",
            f"one snapshot shows no drift: {listed(short) or 'nothing ran'}",
            rows=tuple(short),
            **facts,
        )
    return passed(check, "neither trend nor a single snapshot fell beyond its limit", **facts)


def _within(value: float, limit: float) -> bool:
    """Whether a change that came by way of logarithms is within its limit: their rounding is nobody's drift."""
    return value <= limit or math.isclose(value, limit, rel_tol=1e-12, abs_tol=1e-12)


def _worse(log_change: float, sign: float) -> float:
    """Percent for the worse: of throughput that fell, or of a time that rose, each against what it was."""
    return -sign * math.expm1(sign * log_change) * 100.0


def throughput_drift_abs_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Throughput falls neither along the window nor in any one snapshot beyond its limits."""
    rails = terms.policy.guardrails
    limit, deviation = rails.max_abs_throughput_drift_percent, rails.max_throughput_deviation_percent
    return _drift("throughput_drift_abs_bound", campaign, THROUGHPUT, limit, deviation, 1.0)


def p95_drift_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """p95 rises neither along the window nor in any one snapshot beyond its limit."""
    limit = terms.policy.guardrails.max_p95_drift_percent
    deviation = None if limit is None else max(limit, terms.policy.guardrails.max_throughput_deviation_percent)
    return _drift("p95_drift_bound", campaign, P95, limit, deviation, -1.0)


# -- the split ---------------------------------------------------------------------------------------------------


def _pairs(terms: Terms, campaign: RecordedCampaign) -> dict[tuple[str, str | None], tuple[list[Run], list[Run]]]:
    """Baseline and candidate runs per cell over all seeds (seed None) and per seed."""
    split = terms.policy.split
    found: dict[tuple[str, str | None], tuple[list[Run], list[Run]]] = {}
    for run in campaign.ok_runs:
        for seed in (None, run.seed_key):
            pair = found.setdefault((run.key, seed), ([], []))
            if run.on == split.baseline.lower():
                pair[0].append(run)
            elif run.on == split.candidate.lower():
                pair[1].append(run)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or "")))


def _compare(check: str, terms: Terms, campaign: RecordedCampaign, metric: str, limit: float) -> Finding:
    bad, missing, details = [], [], []
    for (key, seed), (before, after) in _pairs(terms, campaign).items():
        name = key if seed is None else f"{key} seed {seed[:20]}"
        if not before or not after:
            missing.append(name)
            continue
        below, above = mean_of(before, metric), mean_of(after, metric)
        ratio = above / below if below > 0 else math.nan
        good = ratio >= limit if metric == THROUGHPUT else 0 < ratio <= limit
        details.append({"key": key, "seed": seed, "ratio": ratio, "pass": good})
        if not good:
            bad.append(f"{name}: {ratio:.4f}")
    ratios = [float(str(d["ratio"])) for d in details]
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    extreme = (min(finite) if metric == THROUGHPUT else max(finite)) if finite else None
    facts = {"observed": extreme, "required": limit, "details": tuple(details)}
    if bad or missing:
        words = [*bad, *(f"{name}: absent on one platform" for name in missing)]
        return failed(check, "ratio", listed(words), rows=tuple(words), **facts)
    if not details:
        return no_data(check, "no_pairs", "no cell ran on both platforms", **facts)
    return passed(check, "every cell holds on the mean and for each seed, on recorded means", **facts)


def rusticl_ratio_vs_clover(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Candidate throughput is at least the ratio of the baseline's, on the mean and per seed."""
    return _compare("rusticl_ratio_vs_clover", terms, campaign, THROUGHPUT, terms.min_ratio)


def rusticl_latency_ratio(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Candidate p95 is at most the latency ratio of the baseline's, on the mean and per seed."""
    return _compare("rusticl_latency_ratio", terms, campaign, P95, terms.policy.split.max_latency_ratio)


def required_sizes_present_on_split(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every required size ran with both controlled kernels on both platforms."""
    check = "required_sizes_present_on_split"
    split = terms.policy.split
    sizes = terms.required_sizes or tuple(sorted({run.size for run in campaign.runs}))
    seen = {(run.on, run.kernel, run.size) for run in campaign.ok_runs}
    kernels = (
        CONTROLLED_KERNELS
        if {r.kernel for r in campaign.runs} & set(CONTROLLED_KERNELS)
        else tuple({r.kernel for r in campaign.runs})
    )
    missing = tuple(
        f"{platform} {kernel}:{size}"
        for size in sizes
        for kernel in kernels
        for platform in (split.baseline, split.candidate)
        if (platform.lower(), kernel, size) not in seen
    )
    if missing or not sizes:
        words = listed(missing) if missing else "no size ran"
        return failed(check, "missing", f"absent: {words}", rows=missing, observed=len(missing), required=0)
    return passed(check, f"sizes {', '.join(map(str, sizes))} ran on both platforms", observed=0, required=0)


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
