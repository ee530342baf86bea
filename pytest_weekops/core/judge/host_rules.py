"""When the host around a measurement moved too much for it to count. Pure, and blind to the measured times."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_weekops.core.judge.metrics import case_pair_logs, delay_limit, least_pairs, partner_pair_logs
from pytest_weekops.core.measurement.calm import calm_launches
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.pace import is_covered, pace_change_percent
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Measurement, SessionSamples
from pytest_weekops.core.policy.policy import HostRules


def void_reason(
    host: HostCondition,
    rules: HostRules,
    sessions: Sequence[SessionSamples] = (),
    plan: CampaignPlan | None = None,
    *,
    on_cpu: bool = True,
) -> str:
    """Why a measurement on this host condition does not count, or nothing. Written so that NaN does not count.

    Where the pace of two sessions or more is known, it decides and the anchors do not: they stand outside of what was
    measured. Otherwise the anchors decide, but for a device that is not the host's CPU (``on_cpu``): how fast the CPU
    multiplies says nothing about it, and its times are judged as measured. First of all, each of the ``sessions`` needs
    as many calm launches as the ``plan`` asks for.
    """
    disturbed = calm_shortage(host, sessions, plan) if plan is not None and on_cpu else ""
    if disturbed or not on_cpu:
        moved = disturbed
    elif len(host.paces) > 1 and is_covered(host.paces, len(host.paces)):
        moved = _pace_moved(host, rules)
    else:
        moved = _anchor_moved(host, rules)
    if moved:
        return moved
    return _withheld(host, rules)


def _withheld(host: HostCondition, rules: HostRules) -> str:
    if host.steal_percent is not None and not host.steal_percent <= rules.max_steal_percent:
        return f"{host.steal_percent:.1f} % of the host's time was stolen"
    if host.throttled_percent is not None and not host.throttled_percent <= rules.max_throttled_percent:
        return f"a CPU quota of the control group withheld {host.throttled_percent:.1f} % of the host's time"
    return ""


def calm_shortage(host: HostCondition, sessions: Sequence[SessionSamples], plan: CampaignPlan) -> str:
    """Which session has too few calm launches, or nothing. What was not watched is for a check to say, not void."""
    limit = delay_limit(host, plan)
    for session in sessions:
        calm = calm_launches(session, limit)
        if session.delay_ns is not None and sum(calm) < plan.iterations:
            return _busy(len(calm) - sum(calm), len(calm), f"launches of session {session.session}")
    return ""


def pairs_void_reason(first: Measurement, second: Measurement, plan: CampaignPlan, rules: HostRules) -> str:
    """Why two measurements that took turns do not count, or nothing.

    Too few pairs of which both turns were calm, or too much stolen time. What else the host does, it does to both.
    """
    found = case_pair_logs(first, second, plan)
    turns = sum(map(len, first.turns.order)) // 2 if first.turns is not None else 0
    if len(found) < least_pairs(plan):
        return _busy(turns - len(found), turns, "pairs of turns")
    return _withheld(first.host, rules)


def beside_void_reason(measurement: Measurement, plan: CampaignPlan, rules: HostRules) -> str:
    """The same of a measurement and the partner in its record."""
    assert measurement.turns is not None
    found, turns = partner_pair_logs(measurement, plan), sum(map(len, measurement.turns.order)) // 2
    if len(found) < least_pairs(plan):
        return _busy(turns - len(found), turns, "pairs of turns")
    return _withheld(measurement.host, rules)


def in_turns(measurement: Measurement) -> bool:
    """Whether it took turns to its end: what the host did, it did to both sides, and pairs say whether it counts."""
    return measurement.turns is not None and not measurement.turns.broken_off


def _busy(disturbed: int, of: int, what: str) -> str:
    share = f"{100 * disturbed / of:.0f} %" if of else "all"
    return f"the host was busy with other programs: {share} of the {of} {what} were disturbed"


def _pace_moved(host: HostCondition, rules: HostRules) -> str:
    if pace_change_percent(host.paces) <= rules.max_pace_change_percent:
        return ""
    medians = ", ".join(f"{pace.median_us:.0f}" for pace in host.paces)
    return f"the host's pace moved between sessions: a fixed quantum of work took {medians} us"


def _anchor_moved(host: HostCondition, rules: HostRules) -> str:
    before, after = host.anchor_before_ms, host.anchor_after_ms
    if before and after and not 100.0 * abs(after / before - 1.0) <= rules.max_anchor_change_percent:
        return f"the anchor moved from {before:.1f} to {after:.1f} ms"
    return ""
