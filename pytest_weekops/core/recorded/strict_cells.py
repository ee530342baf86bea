"""Strict rules per ``kernel:size`` of a recorded campaign: rows, coverage, and drift over the series."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.stats import deepest_falls, trend
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.row_units import misstated
from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, RecordedCampaign, Run, group
from pytest_weekops.core.recorded.older import change_percent
from pytest_weekops.core.recorded.strict import Terms, mean_of


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
            fall = _worse(trend(logs), sign)
            dip, again = (_worse(each, sign) for each in deepest_falls(logs, 2))
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
            elif not _within(again, limit):  # one may be the host's and comes back; two are a collapse
                bad.append(f"{key}: two snapshots {again:.2f} % worse than the median, or more")
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
