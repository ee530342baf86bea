"""When a guard is disabled, and that only clean measurements enable it again."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.guard_rails import GuardState, advance
from pytest_weekops.core.policy import GuardRules
from pytest_weekops.core.records import GuardEvidence

RULES = GuardRules(overhead_violations=3, alarm_violations=2, clean_to_enable=2)
CLEAN: dict[str, Any] = {"overhead_percent": 1.0, "false_positive_rate": 0.0, "disable_events": 0, "checks": 16}


def evidence(**changes: Any) -> GuardEvidence:
    """A clean measurement's evidence, then changed."""
    return GuardEvidence.model_validate({**CLEAN, **changes})


def after(*found: GuardEvidence, state: GuardState | None = None, bounded: bool = True) -> tuple[GuardState, list[str]]:
    """The state after these measurements, and the events on the way."""
    current = state or GuardState()
    events: list[str] = []
    for one in found:
        current, event = advance(current, one, RULES, bounded=bounded, when="now", run_id="run")
        events += [event] if event else []
    return current, events


SOFT, ALARM, HARD = evidence(overhead_percent=4.0), evidence(false_positive_rate=0.1), evidence(overhead_percent=6.0)


def test_clean_measurements_change_nothing() -> None:
    """However many."""
    state, events = after(*[evidence()] * 9)
    assert not state.disabled
    assert events == []


def test_soft_violations_disable_when_enough_come_in_a_row() -> None:
    """Three overheads, two false alarms; a clean one between starts the count anew."""
    assert after(SOFT, SOFT)[1] == []
    assert after(SOFT, SOFT, SOFT)[1] == ["disabled"]
    assert after(SOFT, SOFT, evidence(), SOFT, SOFT)[1] == []
    assert after(ALARM, ALARM)[1] == ["disabled"]
    assert after(SOFT, ALARM, SOFT, ALARM)[1] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"overhead_percent": 6.0},
        {"overhead_percent": math.nan},
        {"overhead_percent": math.inf},
        {"disable_events": 1, "disable_reason": "the self-test failed"},
        {"detections": ("row 3",)},
    ],
)
def test_hard_violations_disable_at_once(changes: dict[str, Any]) -> None:
    """Overhead beyond the hard limit, no overhead at all, a failed self-test, a wrong result."""
    state, events = after(evidence(**changes))
    assert events == ["disabled"]
    assert state.reason
    assert (state.since, state.run_id) == ("now", "run")


def test_an_overhead_that_is_not_bounded_is_none() -> None:
    """Below the size from which a policy bounds it, only a missing overhead counts."""
    assert after(HARD, HARD, HARD, bounded=False)[1] == []
    assert after(evidence(overhead_percent=math.nan), bounded=False)[1] == ["disabled"]


def test_a_disabled_guard_needs_clean_measurements_in_a_row() -> None:
    """Hysteresis: one violation starts the count anew."""
    disabled, _events = after(HARD)
    assert after(evidence(), state=disabled)[0].disabled
    assert after(evidence(), SOFT, evidence(), state=disabled)[0].disabled
    state, events = after(evidence(), evidence(), state=disabled)
    assert not state.disabled
    assert events == ["enabled"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([evidence(), SOFT, ALARM, HARD]), max_size=20))
def test_events_alternate_and_agree_with_the_state(found: list[GuardEvidence]) -> None:
    """For every sequence: disabled, enabled, disabled ...; a guard is never enabled right after a violation."""
    state, events = after(*found)
    assert events == ["disabled" if place % 2 == 0 else "enabled" for place in range(len(events))]
    assert state.disabled == (len(events) % 2 == 1)
    if found and found[-1] is HARD:
        assert state.disabled
