"""The rules that the older campaigns applied to themselves while measuring, snapshot by snapshot and at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.numbers import as_number
from pytest_weekops.core.policy.policy import CampaignRules
from pytest_weekops.core.recorded.campaign import (
    ERROR,
    P95,
    PEAK,
    THROUGHPUT,
    RecordedCampaign,
    Run,
    group,
)
from pytest_weekops.core.recorded.older import OlderError, change_percent, check, mean, metric, metric_or_zero, need

Result = tuple[bool, dict[str, Any]]
Baseline = Mapping[str, list[Run]]  # ok runs on Clover by kernel:size


@dataclass(frozen=True)
class OwnVerdict:
    """Findings and the older decision word: ``promote``, ``iterate``, and ``stop`` or ``drop`` on a wrong result."""

    findings: tuple[Finding, ...]
    decision: str
    snapshot_decisions: tuple[str, ...] = ()


def judge_canary(rules: CampaignRules, campaign: RecordedCampaign) -> OwnVerdict:
    """A weekly campaign by its own rules."""
    limit = as_number(campaign.metadata.get("rollback_after_consecutive_soft_overhead_violations"))
    limit = limit if limit is not None else float(rules.soft_streak_limit)
    decisions: list[str] = []
    hard_failed: list[str] = []
    breach = False
    streak = longest = 0
    before = group(campaign.baseline_runs)
    for snapshot, every, pulses in _snapshots(campaign):
        hard, soft = _snapshot_checks(rules, every, pulses, before)
        bad = [finding.check for finding in hard if finding.status is not CheckStatus.PASS]
        breach = breach or "correctness_bound_all_runs" in bad
        is_soft = soft.status is not CheckStatus.PASS
        streak = streak + 1 if is_soft else 0
        longest = max(longest, streak)
        hard_failed += [f"snapshot {snapshot} {name}" for name in bad]
        due = bool(bad) or (is_soft and streak >= limit)
        decisions.append("rollback" if due else "warn" if is_soft else "continue")
    findings = (
        check("minimum_snapshots_completed", lambda: _minimum(campaign, rules)),
        check(
            "all_snapshot_hard_checks_passed",
            lambda: (
                not hard_failed and bool(decisions) and not campaign.unread,
                {"observed": len(hard_failed), "required": 0, "rows": tuple(hard_failed)},
            ),
        ),
        check(
            "soft_overhead_consecutive_below_limit", lambda: (longest < limit, {"observed": longest, "required": limit})
        ),
        check("rollback_policy_enforced", lambda: _enforced(decisions, campaign.rollback_event)),
        check("drift_abs_percent_bounded", lambda: _drift(campaign.ok_runs, rules.max_abs_drift_percent)),
    )
    return OwnVerdict(findings, _word(findings, breach=breach, worst="stop"), tuple(decisions))


def judge_stress_split(rules: CampaignRules, campaign: RecordedCampaign) -> OwnVerdict:
    """A split campaign by its own rules."""
    runs = campaign.ok_runs
    before = group(campaign.baseline_runs)
    findings = (
        check("all_runs_success", lambda: _every_run_ok(campaign)),
        check("pressure_failures_zero", lambda: _pressure(campaign.pressure or ())),
        check("platform_split_clover_and_rusticl", lambda: _platforms(runs)),
        check("correctness_bound_all_runs", lambda: _correct(runs, rules)),
        check("t3_guardrails_all_runs", lambda: _t3(runs, rules)),
        check("t5_guardrails_all_runs", lambda: _t5(runs, rules, rules.max_t5_overhead_soft_percent)),
        check("rusticl_peak_ratio_min", lambda: _peak_ratio(runs, rules)),
        check("no_regression_vs_block3_clover", lambda: _no_regression(runs, before, rules)),
    )
    breach = findings[3].status is not CheckStatus.PASS
    return OwnVerdict(findings, _word(findings, breach=breach, worst="drop"))


def _word(findings: Sequence[Finding], *, breach: bool, worst: str) -> str:
    if breach:
        return worst
    return "promote" if all(finding.status is CheckStatus.PASS for finding in findings) else "iterate"


def _snapshots(campaign: RecordedCampaign) -> Iterator[tuple[int, list[Run], list[Mapping[str, Any]]]]:
    """Number, runs and pressure pulses of each snapshot, in order."""
    runs: dict[int, list[Run]] = {}
    for run in campaign.runs:
        if run.snapshot is not None:
            runs.setdefault(run.snapshot, []).append(run)
    pulses: dict[float, list[Mapping[str, Any]]] = {}
    for pulse in campaign.pressure or ():
        number = as_number(pulse.get("snapshot"))
        if number is not None:
            pulses.setdefault(number, []).append(pulse)
    for snapshot in sorted(runs):
        yield snapshot, runs[snapshot], pulses.get(float(snapshot), [])


def _snapshot_checks(
    rules: CampaignRules, every: list[Run], pulses: list[Mapping[str, Any]], before: Baseline
) -> tuple[list[Finding], Finding]:
    runs = [run for run in every if run.is_ok]
    hard = [
        check("all_runs_success", lambda: _all_ok(every)),
        check("pressure_failures_zero", lambda: _pressure(pulses)),
        check("correctness_bound_all_runs", lambda: _correct(runs, rules)),
        check("t3_guardrails_all_runs", lambda: _t3(runs, rules)),
        check("t5_guardrails_hard", lambda: _t5(runs, rules, rules.max_t5_overhead_hard_percent)),
        check("no_regression_vs_block6_clover", lambda: _no_regression(runs, before, rules)),
    ]
    return hard, check("t5_overhead_soft_limit", lambda: _soft(runs, rules))


def _minimum(campaign: RecordedCampaign, rules: CampaignRules) -> Result:
    executed = need(campaign.metadata.get("executed_snapshots"), "metadata.executed_snapshots")
    return executed >= rules.minimum_snapshots, {"observed": executed, "required": rules.minimum_snapshots}


def _enforced(decisions: Sequence[str], event: object) -> Result:
    due, happened = "rollback" in decisions, event is not None and event is not False
    return due == happened, {"observed": "rolled back" if happened else "not rolled back", "required": str(due)}


def _every_run_ok(campaign: RecordedCampaign) -> Result:
    return (False, {"rows": campaign.unread}) if campaign.unread else _all_ok(campaign.runs)


def _all_ok(runs: Sequence[Run]) -> Result:
    bad = tuple(run.name for run in runs if not run.is_ok)
    return bool(runs) and not bad, {"observed": len(bad), "required": 0, "rows": bad}


def _pressure(pulses: Sequence[Mapping[str, Any]]) -> Result:
    failures = sum(need(pulse.get("failures"), "pressure failures") for pulse in pulses)
    return failures == 0, {"observed": failures, "required": 0}


def _platforms(runs: Sequence[Run]) -> Result:
    seen = {run.on for run in runs}
    return {"clover", "rusticl"} <= seen, {"observed": ", ".join(sorted(seen)), "required": "clover, rusticl"}


def _correct(runs: Sequence[Run], rules: CampaignRules) -> Result:
    if not runs:
        raise OlderError("there is no ok run")
    worst = max([metric(run, ERROR) for run in runs])
    return worst <= rules.max_correctness_error, {"observed": worst, "required": rules.max_correctness_error}


def _t3(runs: Sequence[Run], rules: CampaignRules) -> Result:
    mine = [run for run in runs if run.kernel == T3_KERNEL]
    worst = max([metric_or_zero(run, "t3_fallback_rate") for run in mine], default=0.0)
    disabled = sum(bool(run.metrics.get("t3_policy_disabled")) for run in mine)
    return worst <= rules.max_t3_fallback_rate and not disabled, {
        "observed": worst,
        "required": rules.max_t3_fallback_rate,
    }


def _t5(runs: Sequence[Run], rules: CampaignRules, overhead_limit: float) -> Result:
    mine = [run for run in runs if run.kernel == T5_KERNEL]
    events = sum(metric_or_zero(run, "t5_disable_events") for run in mine)
    alarms = max([metric_or_zero(run, "t5_false_positive_rate") for run in mine], default=0.0)
    overhead = max([metric_or_zero(run, "t5_overhead_percent") for run in mine], default=0.0)
    good = (
        events <= rules.max_t5_disable_events
        and alarms <= rules.max_t5_false_positive_rate
        and overhead <= overhead_limit
    )
    return good, {"observed": overhead, "required": overhead_limit}


def _soft(runs: Sequence[Run], rules: CampaignRules) -> Result:
    overhead = max([metric_or_zero(r, "t5_overhead_percent") for r in runs if r.kernel == T5_KERNEL], default=0.0)
    return overhead <= rules.max_t5_overhead_soft_percent, {
        "observed": overhead,
        "required": rules.max_t5_overhead_soft_percent,
    }


def _no_regression(runs: Sequence[Run], before: Baseline, rules: CampaignRules) -> Result:
    """Cells that both have are compared; with none there is nothing to regress from, as it was."""
    now = group(run for run in runs if run.on == "clover")
    details = []
    for key in sorted(set(before) & set(now)):
        faster = change_percent(_mean(before[key], THROUGHPUT), _mean(now[key], THROUGHPUT))
        slower = change_percent(_mean(before[key], P95), _mean(now[key], P95))
        good = faster >= rules.min_throughput_change_percent and slower <= rules.max_p95_change_percent
        details.append({"key": key, "throughput_percent": faster, "p95_percent": slower, "pass": good})
    bad = tuple(str(d["key"]) for d in details if not d["pass"])
    return not bad, {"rows": bad, "details": tuple(details)}


def _mean(runs: Sequence[Run], name: str) -> float:
    return mean([metric(run, name) for run in runs])


def _drift(runs: Sequence[Run], limit: float) -> Result:
    changes = []
    for members in group(runs).values():
        if any(run.snapshot is None for run in members):
            raise OlderError("a snapshot number is missing")
        series = sorted(members, key=lambda run: run.snapshot or 0)
        changes.append(abs(change_percent(metric(series[0], THROUGHPUT), metric(series[-1], THROUGHPUT))))
    worst = max(changes, default=None)
    return worst is not None and all(change <= limit for change in changes), {"observed": worst, "required": limit}


def _peak_ratio(runs: Sequence[Run], rules: CampaignRules) -> Result:
    peaks = {(run.on, run.key, repr(run.seed)): metric(run, PEAK) for run in runs}
    cells = {(key, seed) for _on, key, seed in peaks}
    ratios = []
    for key, seed in sorted(cells):
        below = peaks.get(("clover", key, seed), 0.0)
        ratios.append(peaks.get(("rusticl", key, seed), 0.0) / below if below else 0.0)
    worst = min(ratios, default=None)
    return bool(ratios) and all(r >= rules.min_peak_ratio for r in ratios), {
        "observed": worst,
        "required": rules.min_peak_ratio,
    }
