"""The older evaluators once more, slowly and from their description alone: what the judge is compared with.

Nothing of the package is imported. Documents are the recorded JSON, ``slo`` is the ``weekly_slo`` of an older policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

T3, T5 = "auto_t3_controlled", "auto_t5_guarded"
Document = dict[str, Any]
Runs = list[dict[str, Any]]


class Stopped(Exception):
    """The older evaluator stopped with an error here: the check it was at cannot have passed."""


def required(metrics: dict[str, Any], name: str) -> float:
    """A metric that has to be there."""
    if name not in metrics or isinstance(metrics[name], bool) or not isinstance(metrics[name], int | float):
        raise Stopped(name)
    return float(metrics[name])


def or_zero(metrics: dict[str, Any], name: str) -> float:
    """A guard metric: absent counted as zero."""
    return required(metrics, name) if name in metrics else 0.0


def largest(values: Iterable[float]) -> float | None:
    """The largest of a list by comparing from the left: NaN stays where it stands first, and is dropped elsewhere."""
    best: float | None = None
    for value in values:
        if best is None or value > best:
            best = value
    return best


def mean(values: list[float]) -> float:
    """The exact mean, rounded once."""
    if not values:
        raise Stopped("mean of nothing")
    if any(math.isnan(value) for value in values) or {math.inf, -math.inf} <= set(values):
        return math.nan
    odd = [value for value in values if math.isinf(value)]
    return odd[0] if odd else float(sum(map(Fraction, values)) / len(values))


def key_of(run: dict[str, Any]) -> str:
    """``kernel:size``."""
    return f"{run['kernel']}:{run['size']}"


def rows_of(runs: Runs) -> dict[str, Runs]:
    """Runs per row, rows by name, each row's runs sorted by snapshot."""
    rows: dict[str, Runs] = {}
    for key in sorted({key_of(run) for run in runs}):
        rows[key] = [run for run in runs if key_of(run) == key]
    return rows


def change(first: float, last: float) -> float:
    """Percent from the first to the last; nothing to begin with is no change."""
    return 0.0 if first == 0 else (last - first) / first * 100


def changes(runs: Runs, metric: str) -> list[float]:
    """Each row's change over the window."""
    found = []
    for row in rows_of(runs).values():
        if any("snapshot" not in run for run in row):
            raise Stopped("snapshot")
        ordered = sorted(row, key=lambda run: float(run["snapshot"]))
        found.append(change(required(ordered[0]["metrics"], metric), required(ordered[-1]["metrics"], metric)))
    return found


def of(runs: Runs, kernel: str) -> Runs:
    """The runs of one kernel."""
    return [run for run in runs if run["kernel"] == kernel]


def within(value: float | None, limit: float, *, nothing: bool) -> bool:
    """An inclusive ceiling."""
    return nothing if value is None else value <= limit


def guards(runs: Runs, rails: dict[str, float]) -> dict[str, Callable[[], bool]]:
    """The four checks that both evaluators share."""

    def top(kernel: str, name: str) -> float | None:
        return largest([or_zero(run["metrics"], name) for run in of(runs, kernel)])

    return {
        "correctness_error_bound": lambda: within(
            largest([required(run["metrics"], "max_error_max") for run in runs]),
            rails["max_correctness_error"],
            nothing=False,
        ),
        "t3_fallback_bound": lambda: within(top(T3, "t3_fallback_rate"), rails["max_t3_fallback_rate"], nothing=True),
        "t5_disable_events_total_bound": lambda: (
            sum(or_zero(run["metrics"], "t5_disable_events") for run in of(runs, T5))
            <= rails["max_t5_disable_events_total"]
        ),
        "t5_overhead_bound": lambda: within(
            top(T5, "t5_overhead_percent"), rails["max_t5_overhead_percent"], nothing=True
        ),
    }


def row_holds(runs: Runs, row: dict[str, float]) -> bool:
    """Both means of one policy row."""
    gflops = mean([required(run["metrics"], "avg_mean_gflops") for run in runs])
    p95 = mean([required(run["metrics"], "p95_time_ms") for run in runs])
    return gflops >= row["min_avg_gflops"] and p95 <= row["max_p95_time_ms"]


def failed(checks: dict[str, Callable[[], bool]], order: list[str]) -> list[str]:
    """Names of the checks that do not pass, in their order."""
    bad = []
    for name in order:
        try:
            good = checks[name]()
        except Stopped:
            good = False
        if not good:
            bad.append(name)
    return bad


def weekly(document: Document, slo: dict[str, Any]) -> list[str]:
    """The weekly evaluation's failed checks."""
    runs = [run for run in document["runs"] if run.get("status") == "ok"]
    rails, rows = slo["global_guardrails"], slo["per_kernel_size"]
    seen = rows_of(runs)

    def slo_holds() -> bool:
        present = [key for key in rows if key in seen]
        return bool(present) and all(row_holds(seen[key], rows[key]) for key in present)

    checks = {
        **guards(runs, rails),
        "minimum_snapshots": lambda: (
            required(document.get("metadata", {}), "executed_snapshots") >= rails["minimum_snapshots"]
        ),
        "all_policy_rows_present": lambda: all(key in seen for key in rows),
        "per_kernel_size_slo": slo_holds,
        "throughput_drift_abs_bound": lambda: within(
            largest([abs(value) for value in changes(runs, "avg_mean_gflops")]),
            rails["max_abs_throughput_drift_percent"],
            nothing=False,
        ),
        "p95_drift_bound": lambda: within(
            largest(changes(runs, "p95_time_ms")), rails["max_p95_drift_percent"], nothing=False
        ),
    }
    order = [
        "minimum_snapshots",
        "correctness_error_bound",
        "t3_fallback_bound",
        "t5_disable_events_total_bound",
        "t5_overhead_bound",
        "all_policy_rows_present",
        "per_kernel_size_slo",
        "throughput_drift_abs_bound",
        "p95_drift_bound",
    ]
    return failed(checks, order)


def platform_of(run: dict[str, Any]) -> str:
    """The platform asked for, whatever its case."""
    return str(run["platform_selector"]).lower()


def split(document: Document, slo: dict[str, Any], ratio: float, sizes: list[int]) -> list[str]:
    """The split evaluation's failed checks."""
    runs = [run for run in document["runs"] if run.get("status") == "ok"]
    clover = [run for run in runs if platform_of(run) == "clover"]
    rusticl = [run for run in runs if platform_of(run) == "rusticl"]

    def ratio_of(key: str) -> float:
        below = [required(r["metrics"], "avg_mean_gflops") for r in clover if key_of(r) == key]
        above = [required(r["metrics"], "avg_mean_gflops") for r in rusticl if key_of(r) == key]
        return 0.0 if not below or not above or mean(below) == 0 else mean(above) / mean(below)

    def rows_hold() -> bool:
        seen, rows = rows_of(clover), slo["per_kernel_size"]
        judged = [row_holds(seen[key], row) for key, row in rows.items() if key in seen]
        return len(judged) == len(rows) and all(judged)

    checks = {
        **guards(runs, slo["global_guardrails"]),
        "all_runs_success": lambda: bool(document["runs"]) and len(runs) == len(document["runs"]),
        "platform_split_present": lambda: bool(clover) and bool(rusticl),
        "clover_policy_rows": rows_hold,
        "rusticl_ratio_vs_clover": lambda: bool(runs) and all(ratio_of(key) >= ratio for key in rows_of(runs)),
        "required_sizes_present_on_split": lambda: all(
            any(run["size"] == size and run["kernel"] == kernel for run in side)
            for size in sizes
            for kernel in (T3, T5)
            for side in (clover, rusticl)
        ),
    }
    order = [
        "all_runs_success",
        "platform_split_present",
        "correctness_error_bound",
        "t3_fallback_bound",
        "t5_overhead_bound",
        "t5_disable_events_total_bound",
        "clover_policy_rows",
        "rusticl_ratio_vs_clover",
        "required_sizes_present_on_split",
    ]
    return failed(checks, order)


# -- the campaigns' own rules ------------------------------------------------------------------------------------


def _succeeded(runs: Runs) -> bool:
    return bool(runs) and all(run.get("status") == "ok" for run in runs)


def _correct(ok: Runs) -> bool:
    return within(largest([required(run["metrics"], "max_error_max") for run in ok]), 1e-3, nothing=False)


def _t3(ok: Runs) -> bool:
    top = largest([or_zero(run["metrics"], "t3_fallback_rate") for run in of(ok, T3)])
    return within(top, 0.08, nothing=True) and not any(run["metrics"].get("t3_policy_disabled") for run in of(ok, T3))


def _t5(ok: Runs, overhead: float) -> bool:
    metrics = [run["metrics"] for run in of(ok, T5)]
    return (
        sum(or_zero(m, "t5_disable_events") for m in metrics) <= 0
        and within(largest([or_zero(m, "t5_false_positive_rate") for m in metrics]), 0.05, nothing=True)
        and within(largest([or_zero(m, "t5_overhead_percent") for m in metrics]), overhead, nothing=True)
    )


def _no_regression(ok: Runs, before: Runs) -> bool:
    now, then = rows_of(_on_clover(ok)), rows_of(_on_clover(before))
    good = True
    for key in now:
        if key in then:
            rates = [mean([required(r["metrics"], "avg_mean_gflops") for r in side[key]]) for side in (then, now)]
            times = [mean([required(r["metrics"], "p95_time_ms") for r in side[key]]) for side in (then, now)]
            good = change(*rates) >= -8 and change(*times) <= 15 and good
    return good


def _on_clover(runs: Runs) -> Runs:
    return [run for run in runs if run.get("status") == "ok" and platform_of(run) == "clover"]


def _soft(ok: Runs) -> bool:
    return within(largest([or_zero(run["metrics"], "t5_overhead_percent") for run in of(ok, T5)]), 3.0, nothing=True)


def _holds(rule: Callable[..., bool], *facts: Any) -> bool:
    try:
        return rule(*facts)
    except Stopped:
        return False


def canary(document: Document, baseline: Runs) -> tuple[str, list[str], list[str]]:
    """A weekly campaign by its own rules: decision, failed checks, and the word of each snapshot."""
    limit = document["metadata"].get("rollback_after_consecutive_soft_overhead_violations", 2)
    words, streak, longest, wrong, hard_bad = [], 0, 0, False, False
    for snapshot in sorted({run["snapshot"] for run in document["runs"]}):
        every = [run for run in document["runs"] if run["snapshot"] == snapshot]
        ok = [run for run in every if run.get("status") == "ok"]
        pulses = [pulse for pulse in document.get("pressure") or [] if pulse["snapshot"] == snapshot]
        correct = _holds(_correct, ok)
        hard = [
            _succeeded(every),
            sum(pulse["failures"] for pulse in pulses) == 0,
            correct,
            _holds(_t3, ok),
            _holds(_t5, ok, 5.0),
            _holds(_no_regression, ok, baseline),
        ]
        soft = _holds(_soft, ok)
        streak = 0 if soft else streak + 1
        longest, wrong, hard_bad = max(longest, streak), wrong or not correct, hard_bad or not all(hard)
        words.append("rollback" if not all(hard) or streak >= limit else "continue" if soft else "warn")
    checks = {
        "minimum_snapshots_completed": lambda: required(document["metadata"], "executed_snapshots") >= 2,
        "all_snapshot_hard_checks_passed": lambda: bool(words) and not hard_bad,
        "soft_overhead_consecutive_below_limit": lambda: longest < limit,
        "rollback_policy_enforced": lambda: ("rollback" in words) == (document.get("rollback_event") is not None),
        "drift_abs_percent_bounded": lambda: _all_within(
            [abs(c) for c in changes([r for r in document["runs"] if r.get("status") == "ok"], "avg_mean_gflops")], 10
        ),
    }
    bad = failed(checks, list(checks))
    return "stop" if wrong else "iterate" if bad else "promote", bad, words


def _all_within(values: list[float], limit: float) -> bool:
    return bool(values) and all(value <= limit for value in values)


def stress(document: Document, baseline: Runs) -> tuple[str, list[str]]:
    """A split campaign by its own rules: decision and failed checks."""
    runs = [run for run in document["runs"] if run.get("status") == "ok"]

    def peaks_hold() -> bool:
        cells = {(key_of(run), run["seed"]) for run in runs}
        return bool(cells) and all(_peak_ratio(runs, *cell) >= 0.80 for cell in cells)

    checks = {
        "all_runs_success": lambda: _succeeded(document["runs"]),
        "pressure_failures_zero": lambda: sum(p["failures"] for p in document.get("pressure") or []) == 0,
        "platform_split_clover_and_rusticl": lambda: {"clover", "rusticl"} <= {platform_of(run) for run in runs},
        "correctness_bound_all_runs": lambda: _correct(runs),
        "t3_guardrails_all_runs": lambda: _t3(runs),
        "t5_guardrails_all_runs": lambda: _t5(runs, 3.0),
        "rusticl_peak_ratio_min": peaks_hold,
        "no_regression_vs_block3_clover": lambda: _no_regression(runs, baseline),
    }
    bad = failed(checks, list(checks))
    return "drop" if "correctness_bound_all_runs" in bad else "iterate" if bad else "promote", bad


def _peak_ratio(runs: Runs, key: str, seed: object) -> float:
    peaks = {
        platform_of(run): required(run["metrics"], "peak_mean_gflops")
        for run in runs
        if key_of(run) == key and run["seed"] == seed
    }
    return peaks["rusticl"] / peaks["clover"] if peaks.get("clover") and "rusticl" in peaks else 0.0
