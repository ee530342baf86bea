"""When a guard is disabled and what enables it again: a state per device, kernel and size. Pure."""

from __future__ import annotations

import math
from typing import Literal

from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.policy.policy import GuardRules
from pytest_weekops.core.record import Record

Event = Literal["disabled", "enabled"]
Rail = Literal["hard", "alarms", "overhead"]


class GuardState(Record):
    """Violations in a row, clean measurements in a row, and whether the guard is disabled, since when, in which run."""

    overhead_violations: int = 0
    alarm_violations: int = 0
    clean: int = 0
    disabled: bool = False
    reason: str = ""
    since: str = ""
    run_id: str = ""


def violations(evidence: GuardEvidence, rules: GuardRules, *, bounded: bool, missed: str = "") -> dict[Rail, str]:
    """Which rails a measurement breaks, each with its words; one that breaks ``hard`` breaks no other.

    ``bounded`` says whether the overhead of this size is bounded at all, ``missed`` what the element-wise comparison
    found and the guard did not. Written so that NaN, infinity and a negative share break a rail.
    """
    overhead, alarms = evidence.overhead_percent, evidence.false_positive_rate
    if evidence.disable_events:
        return {"hard": evidence.disable_reason or "the guard disabled itself"}
    if evidence.detections:
        return {"hard": f"a wrong result: {evidence.detections[0]}"}
    if missed:
        return {"hard": f"the guard was silent on a wrong result: {missed}"}
    if not 0 <= overhead < math.inf:
        return {"hard": f"overhead {overhead:.2f} % is none"}
    if bounded and overhead > rules.max_overhead_hard_percent:
        return {"hard": f"overhead {overhead:.2f} % above the hard {rules.max_overhead_hard_percent:g} %"}
    found: dict[Rail, str] = {}
    if not 0 <= alarms <= rules.max_false_positive_rate:
        found["alarms"] = f"false alarms {alarms:.3g} above {rules.max_false_positive_rate:g}"
    if bounded and overhead > rules.max_overhead_soft_percent:
        found["overhead"] = f"overhead {overhead:.2f} % above the soft {rules.max_overhead_soft_percent:g} %"
    return found


def advance(
    state: GuardState,
    evidence: GuardEvidence,
    rules: GuardRules,
    *,
    bounded: bool,
    when: str,
    run_id: str,
    missed: str = "",
) -> tuple[GuardState, Event | None]:
    """The state after one measurement, and the event where it changed.

    A hard violation disables at once, softer ones when enough of a kind come in a row, each kind counted by itself.
    Disabled stays disabled until ``clean_to_enable`` clean measurements in a row, one violation among them starts the
    count anew (hysteresis).
    """
    found = violations(evidence, rules, bounded=bounded, missed=missed)
    if not found:
        clean = state.clean + 1
        if state.disabled and clean < rules.clean_to_enable:
            return state.model_copy(update={"clean": clean, "overhead_violations": 0, "alarm_violations": 0}), None
        return GuardState(clean=min(clean, rules.clean_to_enable)), "enabled" if state.disabled else None
    overhead = state.overhead_violations + 1 if "overhead" in found else 0
    alarms = state.alarm_violations + 1 if "alarms" in found else 0
    counted = state.model_copy(update={"overhead_violations": overhead, "alarm_violations": alarms, "clean": 0})
    full = {"hard": "hard" in found, "alarms": alarms >= rules.alarm_violations}
    full["overhead"] = overhead >= rules.overhead_violations
    reason = next((words for rail, words in found.items() if full[rail]), "")
    if state.disabled or not reason:
        return counted, None
    return counted.model_copy(update={"disabled": True, "reason": reason, "since": when, "run_id": run_id}), "disabled"
