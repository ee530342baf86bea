"""The host's pace during a measurement: which quanta count, what moves, and what it excuses in a drift."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.checks.cells import drift_percent
from pytest_weekops.core.judge.host_rules import void_reason
from pytest_weekops.core.judge.metrics import CaseMetrics, on_one_clock
from pytest_weekops.core.measurement.host_condition import HostCondition, SessionPace
from pytest_weekops.core.measurement.pace import LEAST_QUANTA, is_covered, session_paces
from pytest_weekops.core.measurement.records import Measurement, SessionSamples
from pytest_weekops.core.policy.policy import HostRules
from tests.support.synthetic import make_campaign, make_plan, make_records

RULES = HostRules()
WEEKLY = make_plan()


def session(number: int, first: int, last: int) -> SessionSamples:
    """A session of two launches of 10 ns that begin at these stamps."""
    return SessionSamples(
        session=number, wall_ns=(10, 10), start_ns=(first, last), verified=True, max_abs_error=0.0, k_scaled_error=0.0
    )


def paces(*medians: float, quanta: int = 20) -> tuple[SessionPace, ...]:
    """One pace per session."""
    return tuple(
        SessionPace(session=place, quanta=quanta, mean_us=median, median_us=median)
        for place, median in enumerate(medians, 1)
    )


def test_only_quanta_beside_the_timed_launches_count() -> None:
    """Before the first, after the last, and the one that hangs over the end say nothing of the launches."""
    starts, took = (90, 100, 150, 195, 205, 300), (5000, 10, 20, 30, 10, 5000)
    (found,) = session_paces(starts, took, [session(1, 100, 200)])
    assert (found.session, found.quanta) == (1, 2)
    assert found.mean_us == pytest.approx(0.015)
    assert found.median_us == pytest.approx(0.015)


def test_a_session_without_quanta_has_no_pace() -> None:
    """And a session whose launches have no stamps has none either."""
    bare = session(2, 0, 0).model_copy(update={"start_ns": ()})
    assert session_paces((1,), (1,), [session(1, 500, 600), bare]) == ()
    assert session_paces((), (), [session(1, 500, 600)]) == ()


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-5, 10**6)), max_size=40), st.integers(1, 4))
def test_a_pace_is_a_mean_of_quanta(quanta: list[tuple[int, int]], sessions: int) -> None:
    """Whatever ran: each pace lies between the fastest and the slowest quantum, and counts no more than ran."""
    measured = [session(number, number * 1000, number * 1000 + 900) for number in range(1, sessions + 1)]
    found = session_paces([q[0] for q in quanta], [q[1] for q in quanta], measured)
    for pace in found:
        assert pace.quanta <= len(quanta)
        for value in (pace.mean_us, pace.median_us):
            assert min(q[1] for q in quanta if q[1] > 0) * 0.999e-3 <= value <= max(q[1] for q in quanta) * 1.001e-3


@pytest.mark.parametrize(
    ("change", "limit", "is_void"), [(1.25, 25.0, False), (1.26, 25.0, True), (1.0, 40.0, False), (1.65, 70.0, False)]
)
def test_a_pace_that_moved_between_sessions_voids(change: float, limit: float, is_void: bool) -> None:
    """In either direction, at anchors that hold still."""
    rules = HostRules(max_pace_change_percent=limit)
    for pair in ((1000.0, 1000.0 * change), (1000.0 * change, 1000.0)):
        host = HostCondition(anchor_before_ms=6.0, anchor_after_ms=6.0, paces=paces(*pair))
        assert ("pace" in void_reason(host, rules)) is is_void


def test_the_anchors_do_not_void_what_the_pace_covers() -> None:
    """They stand outside of what was measured; stolen time still voids."""
    host = HostCondition(anchor_before_ms=6.0, anchor_after_ms=9.7, steal_percent=0.0, paces=paces(380.0, 390.0))
    assert void_reason(host, RULES) == ""
    assert "stolen" in void_reason(host.model_copy(update={"steal_percent": 6.0}), RULES)


@pytest.mark.parametrize(
    "seen",
    [
        (),
        paces(380.0),
        paces(380.0, 380.0, quanta=LEAST_QUANTA - 1),
        paces(380.0, 0.0),
        paces(380.0, math.nan),
        paces(380.0, 380.0)[1:],
        (paces(380.0)[0], paces(380.0)[0]),
    ],
)
def test_without_a_whole_pace_the_anchors_decide(seen: tuple[SessionPace, ...]) -> None:
    """One session, too few quanta, or numbers that are none."""
    host = HostCondition(anchor_before_ms=6.0, anchor_after_ms=9.7, paces=seen)
    assert "anchor" in void_reason(host, RULES)
    assert not is_covered(seen, 2)


def drifts(slow: Callable[[int], float], host: Callable[[int], float]) -> list[tuple[float, float]]:
    """Trend and dip of each cell where launches and quanta take this many times as long in each snapshot."""

    def watched(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        pace = 400.0 * host(record.case.snapshot)
        return record.model_copy(
            update={"host": HostCondition(anchor_before_ms=6.0, anchor_after_ms=6.0, paces=paces(pace, pace))}
        )

    records = [watched(r) for r in make_records(WEEKLY, speed=lambda case: 1.0 / slow(case.snapshot))]
    return [drift_percent(rows) for rows in make_campaign(WEEKLY, records).good.values()]


def test_a_slow_host_is_no_dip_and_a_slow_driver_is_one() -> None:
    """One snapshot of six takes 1.65 times as long: with the host at the same pace it is the driver's."""
    for _trend, dip in drifts(lambda s: 1.65 if s == 4 else 1.0, lambda s: 1.65 if s == 4 else 1.0):
        assert dip > -5.0
    for _trend, dip in drifts(lambda s: 1.65 if s == 4 else 1.0, lambda _s: 1.0):
        assert dip < -35.0


def test_a_pace_that_slows_alone_is_no_drift_and_hides_none() -> None:
    """Quanta alone that slow down leave the launches' own story; ones that speed up hide no fall."""
    for trend, dip in drifts(lambda _s: 1.0, lambda s: 1.0 + 0.1 * s):
        assert abs(trend) < 5.0
        assert dip > -5.0
    for trend, _dip in drifts(lambda s: 1.0 + 0.1 * s, lambda s: 1.0 / (1.0 + 0.1 * s)):
        assert trend < -25.0


def test_a_cell_is_on_one_clock() -> None:
    """A single measurement without a pace takes it from all, and the anchors speak for the cell."""
    row = CaseMetrics(1, 11, (1.0,), 1.0, 1.0, 1.0, anchor_ms=6.0, pace_ms=0.4)
    assert [r.pace_ms for r in on_one_clock([row, row])] == [0.4, 0.4]
    assert [r.pace_ms for r in on_one_clock([row, row._replace(pace_ms=None)])] == [None, None]
