"""Strict rules for recorded campaigns: every hole of the older evaluators closed by the check that names it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.checks.outcome import failed, listed, no_data, passed
from pytest_weekops.core.finding import Finding
from pytest_weekops.core.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.policy import Policy
from pytest_weekops.core.recorded.campaign import ERROR, P95, PEAK, THROUGHPUT, RecordedCampaign, Run, as_number, group


@dataclass(frozen=True)
class Terms:
    """What a campaign is judged by: the policy, and what the command line said beside it."""

    policy: Policy
    min_ratio: float
    required_sizes: tuple[int, ...]
    rows_apply: bool = True  # a campaign judged by its own rules has no policy rows


Check = Callable[[Terms, RecordedCampaign], Finding]


def finite(value: object) -> float | None:
    """The value where it is a finite number."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def worst(values: Sequence[float]) -> float:
    """The largest value; NaN where any is NaN, wherever it stands."""
    return math.nan if any(math.isnan(value) for value in values) else max(values, default=math.nan)


def mean_of(runs: Sequence[Run], metric: str) -> float:
    """Mean of a metric; NaN where any run lacks it or holds something else."""
    values = [run.number_of(metric) for run in runs]
    if not values or any(value is None or not math.isfinite(value) for value in values):
        return math.nan
    return math.fsum(value / len(values) for value in values if value is not None)


# -- the runs as such --------------------------------------------------------------------------------------------


def minimum_snapshots(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Enough snapshots, counted from runs; metadata that says otherwise is a contradiction."""
    check = "minimum_snapshots"
    wanted = max(2, terms.policy.guardrails.minimum_snapshots)
    rows = group(run for run in campaign.ok_runs if run.snapshot is not None)
    demanded = [key for key in terms.policy.demanded_rows if terms.rows_apply] or list(rows)
    sets = [{run.snapshot for run in rows.get(key, ())} for key in demanded]
    counted = len(set.intersection(*sets)) if sets else 0
    unnumbered = [run.name for run in campaign.runs if run.snapshot is None or run.snapshot < 1]
    claimed = campaign.metadata.get("executed_snapshots")
    distinct = len({run.snapshot for run in campaign.runs if run.snapshot is not None})
    facts: dict[str, Any] = {"observed": counted, "required": wanted}
    if counted < wanted:
        return failed(
            check, "too_few", f"{counted} snapshots have an ok run in every row, {wanted:g} are required", **facts
        )
    if unnumbered:
        return failed(check, "unnumbered", f"no snapshot number: {listed(unnumbered)}", rows=tuple(unnumbered), **facts)
    if claimed is not None and finite(claimed) != distinct:
        message = f"metadata says {claimed!r:.20} snapshots were executed, the runs show {distinct}"
        return failed(check, "metadata_contradicts", message, **facts)
    return passed(check, f"{counted} snapshots counted from runs", **facts)


def all_runs_success(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Every run is ok, at least one, and every entry of the file is a run."""
    check = "all_runs_success"
    bad = [f"{run.name}: {run.status[:40]}" for run in campaign.runs if not run.is_ok]
    if bad:
        return failed(
            check,
            "not_ok",
            f"{len(bad)} runs are not ok: {listed(bad)}",
            observed=len(bad),
            required=0,
            rows=tuple(bad),
        )
    if campaign.defects:
        return failed(check, "unreadable", listed(campaign.defects), observed=len(campaign.defects), required=0)
    if not campaign.runs:
        return no_data(check, "no_runs", "there are no runs", observed=0, required=1)
    return passed(check, f"all {len(campaign.runs)} runs are ok", observed=0, required=0)


def unique_cases(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """No (kernel, size, seed, snapshot, platform) stands there twice."""
    check = "unique_cases"
    seen = Counter((r.on, r.kernel, r.size, repr(r.seed), r.snapshot) for r in campaign.runs)
    twice = [
        f"{on} {kernel}:{size} seed {seed:.20} snapshot {snap}"
        for (on, kernel, size, seed, snap), n in seen.items()
        if n > 1
    ]
    if twice:
        return failed(
            check,
            "duplicated",
            f"recorded more than once: {listed(twice)}",
            rows=tuple(twice),
            observed=len(twice),
            required=0,
        )
    return passed(check, "each case stands there once", observed=0, required=0)


def platform_selected(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Every run was answered by the platform and device it selected; in a split both platforms are there."""
    check = "platform_split_present"
    wrong = [word for run in campaign.ok_runs if (word := _mismatch(run))]
    devices: dict[str, set[str]] = {}
    for run in campaign.ok_runs:
        devices.setdefault(run.on, set()).add(str(run.metrics.get("device")))
    wrong += [f"{on} answered with {len(names)} devices" for on, names in devices.items() if len(names) > 1]
    seen = {run.on for run in campaign.ok_runs}
    if campaign.is_split:
        wanted = {terms.policy.split.baseline.lower(), terms.policy.split.candidate.lower()}
        missing, stray = sorted(wanted - seen), sorted(seen - wanted)
    else:
        scope = terms.policy.scope.platform.lower()
        missing, stray = [], sorted(seen - {scope}) if scope else sorted(seen)[1:]
    if missing:
        return failed(check, "platform_missing", f"no ok run on {', '.join(missing)}", rows=tuple(missing))
    if stray:
        return failed(
            check,
            "platform_not_selected",
            f"runs on {', '.join(s[:40] for s in stray)}, which is not selected",
            rows=tuple(stray),
        )
    if wrong:
        return failed(check, "platform_not_selected", f"not what was selected: {listed(wrong)}", rows=tuple(wrong))
    if not seen:
        return no_data(check, "no_runs", "there is no ok run")
    return passed(check, f"answered by {', '.join(sorted(seen))} as selected")


def _mismatch(run: Run) -> str:
    answered = run.metrics.get("platform")
    if not isinstance(answered, str) or answered.lower() != run.on:
        return f"{run.name} was answered by {answered!r:.40}"
    device = run.metrics.get("device")
    if not isinstance(device, str) or not device:
        return f"{run.name} names no device"
    selection = run.metrics.get("platform_selection")
    if isinstance(selection, dict):
        if "selected_device" in selection and selection["selected_device"] != device:
            return f"{run.name} selected {selection['selected_device']!r:.40} and ran on {device[:40]!r}"
        chosen = selection.get("selected_platform", answered)
        if not isinstance(chosen, str) or chosen.lower() != run.on:
            return f"{run.name} selected the platform {chosen!r:.40}"
    return ""


def no_rollback_event(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """The campaign was not rolled back while it ran."""
    check = "no_rollback_event"
    event = campaign.rollback_event
    if event is not None and event is not False:
        return failed(check, "rolled_back", "the campaign rolled back while it ran", observed=1, required=0)
    return passed(check, "no rollback happened", observed=0, required=0)


def pressure_failures_zero(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """Every pressure pulse asked for was completed without a failure."""
    check = "pressure_failures_zero"
    bad = []
    for number, pulse in enumerate(campaign.pressure or (), start=1):
        asked, done, lost = (finite(pulse.get(name)) for name in ("requested", "completed", "failures"))
        if (
            asked is None
            or done is None
            or lost is None
            or lost != 0
            or done != asked
            or asked < 0
            or pulse.get("errors")
        ):
            bad.append(f"pulse {number}: {done} of {asked} done, {lost} failed")
    if bad:
        return failed(check, "failed_pulses", listed(bad), observed=len(bad), required=0, rows=tuple(bad))
    if not campaign.pressure and _pressure_planned(campaign):
        return no_data(check, "missing_pulses", "pressure was planned and none is recorded")
    return passed(check, f"{len(campaign.pressure or ())} pressure records without a failure", observed=0, required=0)


def _pressure_planned(campaign: RecordedCampaign) -> bool:
    plan = campaign.metadata.get("pressure")
    if not isinstance(plan, dict):
        return campaign.pressure is None
    pulses = [finite(plan.get(name)) for name in ("pulses_per_snapshot", "pulses_per_seed") if name in plan]
    return not pulses or any(count != 0 for count in pulses)


# -- numbers -----------------------------------------------------------------------------------------------------


def finite_metrics(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """Throughput, time and error of every ok run are there, finite and above zero; no other metric is NaN."""
    check = "finite_metrics"
    bad, missing = [], []
    for run in campaign.ok_runs:
        for name in (THROUGHPUT, P95, ERROR):
            value = run.number_of(name)
            if value is None:
                missing.append(f"{name} of {run.name}")
            elif not math.isfinite(value) or value <= 0:
                bad.append(f"{name} {value} of {run.name}")
        for name, raw in run.metrics.items():
            value = as_number(raw)
            other = name not in (THROUGHPUT, P95, ERROR) and value is not None
            if other and value is not None and (not math.isfinite(value) or (name == PEAK and value <= 0)):
                bad.append(f"{str(name)[:40]} {value} of {run.name}")
    if bad:
        return failed(check, "not_finite", listed(bad), observed=len(bad), required=0, rows=tuple(bad))
    if missing or not campaign.ok_runs:
        words = listed(missing) if missing else "there is no ok run"
        return no_data(check, "missing", f"missing: {words}", observed=len(missing), required=0, rows=tuple(missing))
    return passed(check, "every metric is finite and positive", observed=0, required=0)


def correctness_error_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The largest error is within the absolute bound; without the data's scale the K-scaled one cannot be judged."""
    check = "correctness_error_bound"
    limit = terms.policy.guardrails.max_correctness_error
    errors = [run.number_of(ERROR) for run in campaign.ok_runs]
    if not errors or any(error is None for error in errors):
        return no_data(check, "missing", "not every ok run has an error", required=limit)
    observed = worst([error for error in errors if error is not None])
    if any(error is not None and error <= 0 for error in errors) or not observed < math.inf:
        return failed(
            check, "not_positive", "an error is zero, negative or not finite", observed=observed, required=limit
        )
    if limit is not None and not observed <= limit:
        bad = tuple(r.name for r in campaign.ok_runs if not (r.number_of(ERROR) or 0) <= limit)
        return failed(
            check, "too_large", f"error {observed:.3g} of {listed(bad)}", observed=observed, required=limit, rows=bad
        )
    message = (
        f"largest error {observed:.3g}; the file does not hold the data's scale, so the K-scaled bound is not judged"
    )
    return passed(check, message, observed=observed, required=limit)


_GUARD_NUMBERS = {
    T3_KERNEL: ("t3_fallback_rate",),
    T5_KERNEL: ("t5_overhead_percent", "t5_false_positive_rate", "t5_disable_events"),
}


def guard_evidence_present(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """Every T3 and T5 run carries every number that the policy bounds; missing is not zero."""
    check = "guard_evidence_present"
    bare = []
    for run in campaign.runs:
        names = _GUARD_NUMBERS.get(run.kernel, ())
        lacking = [name for name in names if run.number_of(name) is None]
        if run.kernel == T3_KERNEL and not isinstance(run.metrics.get("t3_policy_disabled"), bool):
            lacking.append("t3_policy_disabled")
        if lacking:
            bare.append(f"{', '.join(lacking)} of {run.name}")
    if bare:
        return no_data(check, "missing", f"missing: {listed(bare)}", rows=tuple(bare), observed=len(bare), required=0)
    return passed(check, "every controlled run carries its evidence", observed=0, required=0)


def _guard(
    check: str, campaign: RecordedCampaign, kernel: str, metric: str, limit: float, *, total: bool = False
) -> Finding:
    values = [
        value for run in campaign.ok_runs if run.kernel == kernel and (value := run.number_of(metric)) is not None
    ]
    if not values:
        return passed(check, f"no {kernel} run says otherwise", required=limit)
    observed = math.fsum(values) if total and all(map(math.isfinite, values)) else worst(values)
    negative = [value for value in values if value < 0 and metric != "t5_overhead_percent"]
    if not observed <= limit or negative or not all(map(math.isfinite, values)):
        bad = tuple(
            r.name
            for r in campaign.ok_runs
            if r.kernel == kernel and not 0 <= (r.number_of(metric) or 0) <= (0 if total else limit)
        )
        return failed(
            check,
            "too_high",
            f"{metric} {observed:g}, limit {limit:g}: {listed(bad)}",
            observed=observed,
            required=limit,
            rows=bad,
        )
    return passed(check, f"{metric} {observed:g} of at most {limit:g}", observed=observed, required=limit)


def t3_fallback_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """Online selection fell back within its limit, and was never disabled."""
    check = "t3_fallback_bound"
    off = tuple(
        r.name
        for r in campaign.ok_runs
        if r.kernel == T3_KERNEL and r.metrics.get("t3_policy_disabled") not in (False, None)
    )
    if off:
        return failed(
            check, "disabled", f"selection was disabled: {listed(off)}", rows=off, observed=len(off), required=0
        )
    return _guard(check, campaign, T3_KERNEL, "t3_fallback_rate", terms.policy.guardrails.max_t3_fallback_rate)


def t5_disable_events_total_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The guard was disabled at most as often as allowed, in all."""
    limit = terms.policy.guardrails.max_t5_disable_events_total
    return _guard("t5_disable_events_total_bound", campaign, T5_KERNEL, "t5_disable_events", limit, total=True)


def t5_overhead_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The guard's overhead is within its limit in every run."""
    limit = terms.policy.guardrails.max_t5_overhead_percent
    return _guard("t5_overhead_bound", campaign, T5_KERNEL, "t5_overhead_percent", limit)


def t5_false_positive_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The guard's false alarms are within their limit in every run."""
    limit = terms.policy.guardrails.max_t5_false_positive_rate
    return _guard("t5_false_positive_bound", campaign, T5_KERNEL, "t5_false_positive_rate", limit)


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
