"""When the host around a measurement moved too much for it to count. Pure, and blind to the measured times."""

from __future__ import annotations

from pytest_weekops.core.policy import HostRules
from pytest_weekops.core.records import HostCondition


def void_reason(host: HostCondition, rules: HostRules) -> str:
    """Why a measurement on this host condition does not count, or nothing. Written so that NaN does not count."""
    before, after = host.anchor_before_ms, host.anchor_after_ms
    if before and after and not 100.0 * abs(after / before - 1.0) <= rules.max_anchor_change_percent:
        return f"the anchor moved from {before:.1f} to {after:.1f} ms"
    if host.steal_percent is not None and not host.steal_percent <= rules.max_steal_percent:
        return f"{host.steal_percent:.1f} % of the host's time was stolen"
    return ""
