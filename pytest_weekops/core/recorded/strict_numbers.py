"""Strict rules for the numbers of recorded runs: finite, within their bounds, and the guards' evidence there."""

from __future__ import annotations

import math

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.numbers import as_number
from pytest_weekops.core.recorded.campaign import ERROR, P95, PEAK, THROUGHPUT, RecordedCampaign
from pytest_weekops.core.recorded.strict import Terms, worst

_MEASURED = (THROUGHPUT, PEAK, P95, ERROR)


def finite_metrics(terms: Terms, campaign: RecordedCampaign) -> Finding:  # noqa: ARG001
    """Throughput, its peak, time and error of every ok run are there, finite and above zero; no other is NaN."""
    check = "finite_metrics"
    bad, missing = [], []
    for run in campaign.ok_runs:
        for name in _MEASURED:
            value = run.number_of(name)
            if value is None:
                missing.append(f"{name} of {run.name}")
            elif not math.isfinite(value) or value <= 0:
                bad.append(f"{name} {value} of {run.name}")
        for name, raw in run.metrics.items():
            value = as_number(raw)
            if name not in _MEASURED and value is not None and not math.isfinite(value):
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


# What a guard can have measured at all: a check cannot take less than no time, and small negatives are noise.
_POSSIBLE = {
    "t3_fallback_rate": (0.0, 1.0),
    "t5_false_positive_rate": (0.0, 1.0),
    "t5_overhead_percent": (-100.0, math.inf),
    "t5_disable_events": (0.0, math.inf),
}


def _guard(
    check: str, campaign: RecordedCampaign, kernel: str, metric: str, limit: float, *, total: bool = False
) -> Finding:
    values = [
        value for run in campaign.ok_runs if run.kernel == kernel and (value := run.number_of(metric)) is not None
    ]
    if not values:
        return passed(check, f"no {kernel} run says otherwise", required=limit)
    observed = math.fsum(values) if total and all(map(math.isfinite, values)) else worst(values)
    least, most = _POSSIBLE[metric]
    odd = [value for value in values if not (least <= value <= most and math.isfinite(value))]
    if not observed <= limit or odd:
        bound = min(most, 0 if total else limit)
        bad = tuple(
            r.name for r in campaign.ok_runs if r.kernel == kernel and not least <= (r.number_of(metric) or 0) <= bound
        )
        words = f"{metric} {observed:g}, limit {limit:g}" if not observed <= limit else f"{metric} cannot be {odd[0]:g}"
        return failed(
            check,
            "too_high" if not observed <= limit else "impossible",
            f"{words}: {listed(bad)}",
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
    """The guard was disabled at most as often as allowed, in all, and for no reason that no event tells of."""
    name = "t5_disable_events_total_bound"
    limit = terms.policy.guardrails.max_t5_disable_events_total
    hidden = tuple(
        run.name
        for run in campaign.ok_runs
        if run.kernel == T5_KERNEL and run.metrics.get("t5_disable_reason") and not run.number_of("t5_disable_events")
    )
    if hidden:
        message = f"a reason for disabling is given and no event is counted: {listed(hidden)}"
        return failed(name, "contradiction", message, rows=hidden, observed=len(hidden), required=0)
    return _guard(name, campaign, T5_KERNEL, "t5_disable_events", limit, total=True)


def t5_overhead_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The guard's overhead is within its limit in every run."""
    limit = terms.policy.guardrails.max_t5_overhead_percent
    return _guard("t5_overhead_bound", campaign, T5_KERNEL, "t5_overhead_percent", limit)


def t5_false_positive_bound(terms: Terms, campaign: RecordedCampaign) -> Finding:
    """The guard's false alarms are within their limit in every run."""
    limit = terms.policy.guardrails.max_t5_false_positive_rate
    return _guard("t5_false_positive_bound", campaign, T5_KERNEL, "t5_false_positive_rate", limit)
