"""When a guard is disabled, and that only clean measurements enable it again."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.guard.rails import GuardState, advance, violations
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.policy.policy import GuardRules
from tests.support.examples import examples

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


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.sampled_from([evidence(), SOFT, ALARM, HARD]), max_size=20))
def test_events_alternate_and_agree_with_the_state(found: list[GuardEvidence]) -> None:
    """For every sequence: disabled, enabled, disabled ...; a guard is never enabled right after a violation."""
    state, events = after(*found)
    assert events == ["disabled" if place % 2 == 0 else "enabled" for place in range(len(events))]
    assert state.disabled == (len(events) % 2 == 1)
    if found and found[-1] is HARD:
        assert state.disabled


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
SHARES = st.sampled_from([0.0, 0.05, 0.1, 1.0]) | FLOATS
OVERHEADS = st.sampled_from([0.0, 1.0, 3.0, 4.0, 5.0, 6.0]) | FLOATS
SOME = st.builds(
    evidence,
    overhead_percent=OVERHEADS,
    false_positive_rate=SHARES,
    disable_events=st.integers(0, 1),
    detections=st.sampled_from([(), (), ("row 3",)]),
)
LIMITS = st.builds(
    GuardRules,
    overhead_violations=st.integers(1, 4),
    alarm_violations=st.integers(1, 4),
    clean_to_enable=st.integers(1, 4),
)
MANY = settings(max_examples=examples(300), deadline=None)


def walk(found: list[GuardEvidence], rules: GuardRules, bounded: bool) -> list[tuple[GuardState, str | None]]:
    """Each measurement's state and event."""
    steps: list[tuple[GuardState, str | None]] = []
    state = GuardState()
    for one in found:
        state, event = advance(state, one, rules, bounded=bounded, when="now", run_id="run")
        steps.append((state, event))
    return steps


@MANY
@given(st.lists(SOME | st.just(evidence()), max_size=14), LIMITS, st.booleans())
def test_only_enough_clean_measurements_in_a_row_enable(
    found: list[GuardEvidence], rules: GuardRules, bounded: bool
) -> None:
    """Where a guard is enabled, the last ``clean_to_enable`` measurements broke no rail, and it was disabled before."""
    steps = walk(found, rules, bounded)
    for place, (state, event) in enumerate(steps):
        if event == "enabled":
            last = found[place + 1 - rules.clean_to_enable : place + 1]
            assert len(last) == rules.clean_to_enable
            assert not any(violations(one, rules, bounded=bounded) for one in last)
            assert steps[place - 1][0].disabled
        elif place and steps[place - 1][0].disabled:
            assert state.disabled


@st.composite
def worse(draw: st.DrawFn) -> tuple[GuardEvidence, GuardEvidence]:
    """Evidence and the same with some of it worse."""
    before = draw(st.builds(evidence, overhead_percent=st.floats(0, 8), false_positive_rate=st.floats(0, 0.2)))
    after = before.model_copy(
        update={
            "overhead_percent": before.overhead_percent + draw(st.sampled_from([0.0, 1.0, 3.0, math.nan, math.inf])),
            "false_positive_rate": before.false_positive_rate + draw(st.sampled_from([0.0, 0.1, math.nan])),
            "disable_events": draw(st.integers(0, 1)),
            "detections": draw(st.sampled_from([(), ("row 3",)])),
        }
    )
    return before, after


@MANY
@given(st.lists(worse(), min_size=1, max_size=10), LIMITS, st.booleans())
def test_worse_evidence_never_gives_a_milder_state(
    pairs: list[tuple[GuardEvidence, GuardEvidence]], rules: GuardRules, bounded: bool
) -> None:
    """Wherever in a sequence: disabled stays disabled, counts of violations do not fall, nothing gets cleaner."""
    mild = walk([before for before, _after in pairs], rules, bounded)
    grave = walk([after for _before, after in pairs], rules, bounded)
    for (milder, _), (graver, _) in zip(mild, grave, strict=True):
        assert graver.disabled >= milder.disabled
        if not graver.disabled:
            assert graver.overhead_violations >= milder.overhead_violations
            assert graver.alarm_violations >= milder.alarm_violations
            assert graver.clean <= milder.clean


@MANY
@given(st.sampled_from([math.nan, math.inf, -math.inf, -1.0]), st.booleans(), st.booleans())
def test_what_is_no_share_breaks_a_rail(value: float, bounded: bool, in_overhead: bool) -> None:
    """NaN, infinity and a negative share, in either figure, whether the size is bounded or not."""
    name = "overhead_percent" if in_overhead else "false_positive_rate"
    assert violations(evidence(**{name: value}), RULES, bounded=bounded)


def test_two_kinds_at_once_are_both_counted() -> None:
    """A false alarm on top of a third overhead does not save the guard from what the overhead has earned."""
    both = evidence(overhead_percent=4.0, false_positive_rate=0.1)
    assert after(SOFT, SOFT, both)[1] == ["disabled"]


def test_a_wrong_result_that_the_guard_did_not_see_disables_at_once() -> None:
    """By the words of the comparison that saw it."""
    state, event = advance(
        GuardState(), evidence(), RULES, bounded=True, when="now", run_id="run", missed="error 3 exceeds 0.001"
    )
    assert event == "disabled"
    assert state.reason == "the guard was silent on a wrong result: error 3 exceeds 0.001"
