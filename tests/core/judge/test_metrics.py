"""The numbers of one measurement: what makes it incomplete, and which clock its times are held against."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.judge.metrics import CaseMetrics, case_metrics, incompleteness
from tests.core.judge.test_verdict import WEEKLY
from tests.support.synthetic import make_measurement

WHOLE = make_measurement(next(iter(WEEKLY.all_cases())), plan=WEEKLY)
FIRST, SECOND = WHOLE.sessions


def test_a_whole_measurement_lacks_nothing() -> None:
    """And has metrics."""
    assert incompleteness(WHOLE, WEEKLY) == ""
    assert case_metrics(WHOLE, WEEKLY) is not None


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        ((), "0 of 2 sessions"),
        ((FIRST,), "1 of 2 sessions"),
        ((FIRST, FIRST), "2 of 2 sessions"),
        ((SECOND, FIRST), "2 of 2 sessions"),
        ((FIRST, SECOND, SECOND.model_copy(update={"session": 3})), "3 of 2 sessions"),
        ((FIRST.model_copy(update={"wall_ns": FIRST.wall_ns[:7]}), SECOND), "7 of 8 launches in session 1"),
        ((FIRST, SECOND.model_copy(update={"verified": False})), "session 2 is not verified"),
    ],
)
def test_anything_but_every_session_in_its_order_is_incomplete(sessions: tuple[object, ...], words: str) -> None:
    """One session twice is no second session; what is incomplete has no metrics."""
    measurement = WHOLE.model_copy(update={"sessions": sessions})
    assert incompleteness(measurement, WEEKLY) == words
    assert case_metrics(measurement, WEEKLY) is None


def metrics(anchor: float | None, pace: float | None) -> CaseMetrics:
    """Launches of 2 ms with a p95 of 4 ms."""
    return CaseMetrics(
        snapshot=1,
        seed=11,
        launches_ms=(2.0, 2.0),
        mean_gflops=1.0,
        median_ms=2.0,
        p95_ms=4.0,
        anchor_ms=anchor,
        pace_ms=pace,
    )


@pytest.mark.parametrize(("anchor", "pace", "clock"), [(10.0, 0.5, 0.5), (10.0, None, 10.0), (None, None, 1.0)])
def test_times_are_held_against_the_pace_then_the_anchor_then_nothing(
    anchor: float | None, pace: float | None, clock: float
) -> None:
    """Speed and slowness by the same clock; as measured, by none."""
    found = metrics(anchor, pace)
    assert found.speed == pytest.approx(math.log(clock / 2.0))
    assert found.slowness95 == pytest.approx(math.log(4.0 / clock))
    assert (found.bare_speed, found.bare_slowness95) == (-math.log(2.0), math.log(4.0))
