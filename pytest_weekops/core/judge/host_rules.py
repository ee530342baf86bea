"""When the host around a measurement moved too much for it to count. Pure, and blind to the measured times."""

from __future__ import annotations

from pytest_weekops.core.measurement.pace import is_covered, pace_change_percent
from pytest_weekops.core.measurement.records import HostCondition
from pytest_weekops.core.policy.policy import HostRules


def void_reason(host: HostCondition, rules: HostRules, *, on_cpu: bool = True) -> str:
    """Why a measurement on this host condition does not count, or nothing. Written so that NaN does not count.

    Where the pace of two sessions or more is known, it decides and the anchors do not: they stand outside of what was
    measured. Otherwise the anchors decide, but for a device that is not the host's CPU (``on_cpu``): how fast the CPU
    multiplies says nothing about it, and its times are judged as measured.
    """
    if not on_cpu:
        moved = ""
    elif len(host.paces) > 1 and is_covered(host.paces, len(host.paces)):
        moved = _pace_moved(host, rules)
    else:
        moved = _anchor_moved(host, rules)
    if moved:
        return moved
    if host.steal_percent is not None and not host.steal_percent <= rules.max_steal_percent:
        return f"{host.steal_percent:.1f} % of the host's time was stolen"
    return ""


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
