"""The older weekly and split evaluators, check by check, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS, T3_KERNEL, T5_KERNEL
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.row_units import misstated
from pytest_weekops.core.recorded.campaign import ERROR, P95, THROUGHPUT, RecordedCampaign, Run, group
from pytest_weekops.core.recorded.older import OlderError, change_percent, check, mean, metric, metric_or_zero, need

Result = tuple[bool, dict[str, Any]]


def weekly_findings(policy: Policy, campaign: RecordedCampaign) -> tuple[Finding, ...]:
    """The nine checks of the older weekly evaluation; a tenth fails where it would have stopped at an entry."""
    runs, rails = campaign.ok_runs, policy.guardrails
    return (
        check("minimum_snapshots", lambda: _snapshots(campaign, rails.minimum_snapshots)),
        *_guards(runs, policy, ("correctness", "t3", "t5_disable", "t5_overhead")),
        check("all_policy_rows_present", lambda: _rows_present(policy, runs)),
        check("per_kernel_size_slo", lambda: _slo(policy, runs)),
        check("throughput_drift_abs_bound", lambda: _throughput_drift(runs, rails.max_abs_throughput_drift_percent)),
        check("p95_drift_bound", lambda: _p95_drift(runs, rails.max_p95_drift_percent)),
        *([check("all_runs_success", lambda: _unread(campaign.unread_ok))] if campaign.unread_ok else []),
    )


def split_findings(
    policy: Policy, campaign: RecordedCampaign, *, min_ratio: float, required_sizes: Sequence[int]
) -> tuple[Finding, ...]:
    """The nine checks of the older split evaluation."""
    runs = campaign.ok_runs
    return (
        check("all_runs_success", lambda: _unread(campaign.unread) if campaign.unread else _all_ok(campaign.runs)),
        check("platform_split_present", lambda: _both_platforms(runs)),
        *_guards(runs, policy, ("correctness", "t3", "t5_overhead", "t5_disable")),
        check("clover_policy_rows", lambda: _clover_rows(policy, runs)),
        check("rusticl_ratio_vs_clover", lambda: _ratio(runs, min_ratio)),
        check("required_sizes_present_on_split", lambda: _required_sizes(runs, required_sizes)),
    )


def _guards(runs: Sequence[Run], policy: Policy, order: Sequence[str]) -> list[Finding]:
    rails = policy.guardrails
    absolute = rails.max_correctness_error
    found = {
        "correctness": check("correctness_error_bound", lambda: _correctness(runs, absolute)),
        "t3": check(
            "t3_fallback_bound", lambda: _largest(runs, T3_KERNEL, "t3_fallback_rate", rails.max_t3_fallback_rate)
        ),
        "t5_disable": check(
            "t5_disable_events_total_bound", lambda: _disable_events(runs, rails.max_t5_disable_events_total)
        ),
        "t5_overhead": check(
            "t5_overhead_bound", lambda: _largest(runs, T5_KERNEL, "t5_overhead_percent", rails.max_t5_overhead_percent)
        ),
    }
    return [found[name] for name in order]


def _snapshots(campaign: RecordedCampaign, least: float) -> Result:
    executed = need(campaign.metadata.get("executed_snapshots"), "metadata.executed_snapshots")
    return executed >= least, {"observed": executed, "required": least}


def _unread(entries: Sequence[str]) -> Result:
    raise OlderError(f"{len(entries)} entries are no runs ({entries[0]})")


def _all_ok(runs: Sequence[Run]) -> Result:
    bad = tuple(run.name for run in runs if not run.is_ok)
    return bool(runs) and not bad, {"observed": len(bad), "required": 0, "rows": bad}


def _both_platforms(runs: Sequence[Run]) -> Result:
    seen = sorted({run.on for run in runs})
    return "clover" in seen and "rusticl" in seen, {
        "observed": ", ".join(seen) or "none",
        "required": "clover, rusticl",
    }


def _correctness(runs: Sequence[Run], limit: float | None) -> Result:
    if not runs or limit is None:
        return limit is None and bool(runs), {"required": limit, "message": "" if runs else "no ok run"}
    worst = max([metric(run, ERROR) for run in runs])
    return worst <= limit, {"observed": worst, "required": limit}


def _largest(runs: Sequence[Run], kernel: str, name: str, limit: float) -> Result:
    worst = max([metric_or_zero(run, name) for run in runs if run.kernel == kernel], default=0.0)
    return worst <= limit, {"observed": worst, "required": limit}


def _disable_events(runs: Sequence[Run], limit: float) -> Result:
    total = sum(metric_or_zero(run, "t5_disable_events") for run in runs if run.kernel == T5_KERNEL)
    return total <= limit, {"observed": total, "required": limit}


def _rows_present(policy: Policy, runs: Sequence[Run]) -> Result:
    seen = {run.key for run in runs}
    missing = tuple(key for key in policy.demanded_rows if key not in seen)
    return not missing, {"observed": len(missing), "required": 0, "rows": missing}


def _row_facts(key: str, policy: Policy, runs: Sequence[Run]) -> tuple[bool, dict[str, Any]]:
    row = policy.demanded_rows[key]
    gflops, p95 = mean([metric(r, THROUGHPUT) for r in runs]), mean([metric(r, P95) for r in runs])
    good = (
        not misstated(row, "GFLOPS")  # recorded campaigns hold nothing else
        and (row.min_avg_gflops is None or gflops >= row.min_avg_gflops)
        and (row.max_p95_time_ms is None or p95 <= row.max_p95_time_ms)
    )
    return good, {
        "key": key,
        "mean_gflops": gflops,
        "min_avg_gflops": row.min_avg_gflops,
        "p95_ms": p95,
        "max_p95_time_ms": row.max_p95_time_ms,
        "pass": good,
    }


def _slo(policy: Policy, runs: Sequence[Run]) -> Result:
    rows = group(runs)
    judged = [_row_facts(key, policy, rows[key]) for key in policy.demanded_rows if key in rows]
    bad = tuple(facts["key"] for good, facts in judged if not good)
    return bool(judged) and not bad, {"rows": bad, "details": tuple(facts for _good, facts in judged)}


def _clover_rows(policy: Policy, runs: Sequence[Run]) -> Result:
    rows = group(run for run in runs if run.on == "clover")
    missing = tuple(key for key in policy.demanded_rows if key not in rows)
    judged = [_row_facts(key, policy, rows[key]) for key in policy.demanded_rows if key in rows]
    bad = tuple(facts["key"] for good, facts in judged if not good)
    return not missing and not bad, {"rows": (*missing, *bad), "details": tuple(facts for _good, facts in judged)}


def _changes(runs: Sequence[Run], name: str) -> list[float]:
    found = []
    for key, members in group(runs).items():
        if any(run.snapshot is None for run in members):
            raise OlderError(f"a snapshot number of {key} is missing")
        series = sorted(members, key=lambda run: run.snapshot or 0)
        found.append(change_percent(metric(series[0], name), metric(series[-1], name)))
    return found


def _throughput_drift(runs: Sequence[Run], limit: float) -> Result:
    changes = [abs(change) for change in _changes(runs, THROUGHPUT)]
    worst = max(changes, default=None)
    return worst is not None and worst <= limit, {"observed": worst, "required": limit}


def _p95_drift(runs: Sequence[Run], limit: float | None) -> Result:
    worst = max(_changes(runs, P95), default=None)
    return worst is not None and (limit is None or worst <= limit), {"observed": worst, "required": limit}


def _ratio(runs: Sequence[Run], least: float) -> Result:
    details = []
    for key, members in group(runs).items():
        clover = [metric(r, THROUGHPUT) for r in members if r.on == "clover"]
        rusticl = [metric(r, THROUGHPUT) for r in members if r.on == "rusticl"]
        below = mean(clover) if clover else 0.0
        ratio = mean(rusticl) / below if rusticl and below != 0 else 0.0
        details.append({"key": key, "ratio": ratio, "min_ratio": least, "pass": ratio >= least})
    bad = tuple(str(d["key"]) for d in details if not d["pass"])
    worst = min((float(str(d["ratio"])) for d in details), default=None)
    return not bad and bool(details), {"observed": worst, "required": least, "rows": bad, "details": tuple(details)}


def _required_sizes(runs: Sequence[Run], sizes: Sequence[int]) -> Result:
    seen = {(run.on, run.kernel, run.size) for run in runs}
    missing = tuple(
        f"{platform} {kernel}:{size}"
        for size in sizes
        for kernel in CONTROLLED_KERNELS
        for platform in ("clover", "rusticl")
        if (platform, kernel, size) not in seen
    )
    return not missing, {"observed": len(missing), "required": 0, "rows": missing}
