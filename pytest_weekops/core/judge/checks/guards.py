"""Checks on correctness and on the two controlled lanes: T3 online selection and the T5 ABFT guard."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.binomial import is_beyond
from pytest_weekops.core.guard.coverage import cost_rule, least_checks, period_for
from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.judge.asking.asked import details, told
from pytest_weekops.core.judge.asking.overheads import are_shares
from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy


def _ok(campaign: Campaign, kernel: str | None = None) -> list[Measurement]:
    return [m for m in campaign.measurements if m.status is MeasurementStatus.OK and kernel in (None, m.case.kernel)]


def _guarded(campaign: Campaign) -> list[tuple[Measurement, GuardEvidence | None]]:
    """Every measurement that came to its end and whose launches a guard checks: T5's, and a workload's own."""
    return [(m, m.guard) for m in _ok(campaign) if m.case.kernel == T5_KERNEL or m.operation in GUARDED]


def correctness_error_bound(policy: Policy, campaign: Campaign) -> Finding:
    """The largest error of every run is within the scaled bound, and every GEMM's within the absolute one, if any.

    The scaled bound is in the operation's own rounding units; an absolute one is made for the sums of one operation.
    """
    check = "correctness_error_bound"
    absolute, scaled = policy.max_abs_error, policy.k_scaled_bound
    judged = [m for m in campaign.measurements if not campaign.is_excused(m.case)]
    sessions = [(name, session) for m in judged for name in [m.case.id] for session in m.sessions]
    bounded = {m.case.id for m in judged if m.operation == "gemm"}
    if not sessions:
        return no_data(check, "no_runs", "no result was verified", required=absolute)
    # Written so that NaN fails: no comparison with it is true.
    bad = [
        f"{name} session {s.session}: {s.max_abs_error:.3g} ({s.k_scaled_error:.3g} units)"
        for name, s in sessions
        if not (absolute is None or name not in bounded or s.max_abs_error <= absolute)
        or not s.k_scaled_error <= scaled
        or not math.isfinite(s.max_abs_error)
        or s.nonfinite
    ]
    errors = [s.max_abs_error for name, s in sessions if name in bounded] or [s.max_abs_error for _name, s in sessions]
    observed = math.nan if any(map(math.isnan, errors)) else max(errors)
    worst_units = max((s.k_scaled_error for _n, s in sessions if not math.isnan(s.k_scaled_error)), default=math.nan)
    if bad:
        return failed(check, "too_large", listed(bad), observed=observed, required=absolute, rows=tuple(bad))
    message = f"largest error {observed:.3g} and {worst_units:.3g} rounding units of at most {scaled:g}"
    return passed(check, message, observed=observed, required=absolute)


def t3_fallback_bound(policy: Policy, campaign: Campaign) -> Finding:
    """Online selection fell back within its limit and was never disabled.

    It fails where it certainly fell back more often, and is open where it did by its count alone: decisions are few,
    and one fallback that the host brought about is one of three after three snapshots.
    """
    check = "t3_fallback_bound"
    limit = policy.guardrails.max_t3_fallback_rate
    found = [(m, m.selector) for m in _ok(campaign, T3_KERNEL) if m.selector is not None]
    bad = [m.case.id for m, t3 in found if t3.policy_disabled or _is_beyond(t3, limit)]
    if bad:
        why = next((f". Disabled since {t3.disabled_reason}" for _m, t3 in found if t3.disabled_reason), "")
        message = f"fallback not between 0 and {limit:g}, or disabled: {listed(bad)}{why}"
        return failed(check, "too_high", message, required=limit, rows=tuple(bad))
    last: dict[tuple[str, int], SelectorEvidence] = {}  # what a cell has counted in the end
    for m, t3 in found:
        cell = m.case.platform, m.case.size
        if cell not in last or t3.decisions >= last[cell].decisions:
            last[cell] = t3
    facts: dict[str, Any] = {"observed": max((t3.fallback_rate for t3 in last.values()), default=None)}
    unsure = tuple(
        f"{platform}:{size}: {t3.fallbacks} of {t3.decisions} decisions fell back, more than {limit:g} but not "
        f"certainly so; without another it would be within it after {math.ceil(t3.fallbacks / limit)}"
        for (platform, size), t3 in last.items()
        if t3.fallback_rate > limit
    )
    if unsure:
        return inconclusive(check, "open", listed(unsure), required=limit, rows=unsure, **facts)
    return passed(check, "within the limit" if found else "no T3 run", required=limit, **facts)


def _is_beyond(selector: SelectorEvidence, limit: float) -> bool:
    """Whether a rate is none, is not that of its own counts, or is certainly beyond the limit by them."""
    rate, fallbacks, decisions = selector.fallback_rate, selector.fallbacks, selector.decisions
    if not 0 <= rate <= 1 or not 0 <= fallbacks <= decisions:
        return True
    if not decisions:
        return rate > limit
    return not math.isclose(rate, fallbacks / decisions) or is_beyond(fallbacks, decisions, limit)


def t5_disable_events_total_bound(policy: Policy, campaign: Campaign) -> Finding:
    """The guards, T5's and those of workloads, were disabled at most as often as allowed, in all."""
    check = "t5_disable_events_total_bound"
    limit = policy.guardrails.max_t5_disable_events_total
    found = [(m, guard) for m, guard in _guarded(campaign) if guard is not None]
    total = sum(abs(guard.disable_events) for _m, guard in found)
    if total > limit:
        rows = tuple(m.case.id for m, guard in found if guard.disable_events)
        return failed(
            check, "disabled", f"{total} disable events: {listed(rows)}", observed=total, required=limit, rows=rows
        )
    return passed(check, f"{total} disable events", observed=total, required=limit)


def t5_overhead_bound(policy: Policy, campaign: Campaign) -> Finding:
    """The guard's overhead and its false alarms are within their limits in every run.

    In a run with looks it fails where it is certainly above its limit, and is open where the estimate alone is. Of the
    guards of workloads the false alarms are bounded, and the overhead is not: one that reads what its launch wrote
    cannot cost 3 % of a launch that does little else.
    """
    check = "t5_overhead_bound"
    limit = policy.guardrails.max_t5_overhead_percent
    alarms = policy.guardrails.max_t5_false_positive_rate
    found = [(m, m.guard) for m in _ok(campaign, T5_KERNEL) if m.guard is not None]
    smallest = policy.guardrails.t5_overhead_from_size
    cells: dict[tuple[str, int], list[float]] = {}
    for m, g in found:
        cells.setdefault((m.case.platform, m.case.size), []).append(g.overhead_percent)
    bad = [
        f"{m.case.id}: false alarms {g.false_positive_rate:.3g}"
        for m, g in _guarded(campaign)
        if g is not None and not 0 <= g.false_positive_rate <= alarms
    ]
    # A check has a fixed cost: a policy may say from which size on it bounds the share; below, it is reported. A cell's
    # overhead is the median over its measurements, each the median over its launches: one spike is no overhead.
    asked, values = of_kind(answers(policy, campaign), "overhead"), []
    for (platform, size), shares in cells.items():
        usable = are_shares(shares)
        middle = statistics.median(shares) if usable else math.nan
        values += [middle] if size >= smallest else []
        if not usable or (not campaign.plan.looks and size >= smallest and not middle <= limit):
            bad.append(f"{platform}:{size}: {middle:.2f} %")
    bad += told(asked, CheckStatus.FAIL)
    facts: dict[str, Any] = {"required": limit, "details": details(asked)}
    if bad:
        message = f"overhead above {limit:g} % or false alarms above {alarms:g}: {listed(bad)}"
        return failed(check, "too_high", message, rows=tuple(bad), **facts)
    facts["observed"] = max(values, default=None)
    if unsure := told(asked, CheckStatus.INCONCLUSIVE):
        return inconclusive(check, "open", listed(unsure), rows=unsure, **facts)
    return passed(check, f"within the limit{_amortised(policy, found)}" if found else "no T5 run", **facts)


def _amortised(policy: Policy, found: Sequence[tuple[Measurement, GuardEvidence]]) -> str:
    """What share of the launches the overhead is spread over, where it is not each of them, and where that is."""
    asked = settings_of(policy.guard)
    said = f", amortised: {asked.words}" if asked.mode != "full" or asked.period > 1 else ""
    longest: dict[str, int] = {}
    for m, g in found:
        if g.period > asked.period:
            cell = f"{m.case.platform}:{m.case.size}"
            longest[cell] = max(longest.get(cell, 0), g.period)
    less = [f"one launch in {period} at {cell}" for cell, period in longest.items()]
    return f"{said}; for what checks cost, drawn at random: {listed(less)}" if less else said


def guard_evidence_present(policy: Policy, campaign: Campaign) -> Finding:
    """Every T3, T5 and guarded workload's run carries the evidence that the policy bounds.

    Missing is not zero, and sampled is not full. A workload's guard checks every timed launch, whatever T5's does.
    """
    check = "guard_evidence_present"
    bare = [m.case.id for m in _ok(campaign, T3_KERNEL) if m.selector is None]
    guarded = _guarded(campaign)
    bare += [m.case.id for m, guard in guarded if guard is None or guard.checks <= 0]
    if bare:
        return no_data(check, "missing", f"no T3 or guard's evidence: {listed(bare)}", rows=tuple(bare))
    asked = settings_of(policy.guard)
    weaker = [f"{m.case.id}: {words}" for m, g in guarded if g is not None and (words := _less(m, g, policy, asked))]
    if weaker:
        message = f"checked less than the policy's guard would ({asked.words}): {listed(weaker)}"
        return no_data(check, "weaker_guard", message, rows=tuple(weaker))
    return passed(check, "every controlled run carries its evidence")


def _less(measurement: Measurement, guard: GuardEvidence, policy: Policy, asked: GuardSettings) -> str:
    """How a guard checked less than it should have, or nothing; T5's should as it was ``asked`` by the policy."""
    launches = sum(len(session.wall_ns) for session in measurement.sessions)
    if measurement.case.kernel == T5_KERNEL:
        size = measurement.case.size
        if guard.period > asked.period and (words := _not_for_cost(guard, policy, size, launches)):
            return words
        return _weaker(guard, asked, size)
    if guard.checks < launches or guard.period > 1 or guard.mode != "full":
        return f"{guard.checks} of {launches} launches"
    return ""


def _not_for_cost(guard: GuardEvidence, policy: Policy, size: int, launches: int) -> str:
    """Why a guard should not have checked so few launches; nothing where a check's cost made it, as the policy lets."""
    rule, words = cost_rule(policy, size), f"one launch in {guard.period}"
    if rule is None or guard.tried_percent is None:
        return words
    if guard.period > (needed := period_for(rule, guard.tried_percent, policy.guard.sampling_period)):
        return f"{words}; a check that costs {guard.tried_percent:.3g} % of one allows one in {needed}"
    least = least_checks(launches, guard.period)
    return f"{guard.checks} of {launches} launches, {least} were due" if guard.checks < least else ""


def _weaker(guard: GuardEvidence, asked: GuardSettings, size: int) -> str:
    """How a guard checked less of a launch than was asked for, or nothing."""
    if guard.mode == "full":
        return ""
    if asked.mode == "full":
        return f"sampled, {guard.row_samples} rows and {guard.col_samples} columns"
    rows, columns = asked.lines(size, size)
    if guard.row_samples < rows or guard.col_samples < columns:
        return f"{guard.row_samples} rows and {guard.col_samples} columns"
    return ""
