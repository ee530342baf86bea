"""Calm launches: what counts, what does not, and pairs of turns of which both were calm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.calm import (
    OWN_DELAY_NS,
    calm_launches,
    delay_percent,
    is_calm,
    is_enough,
    limit_beside,
    pair_logs,
    turn_times,
)
from pytest_weekops.core.measurement.records import SessionSamples

MS = 1_000_000


def session(walls: list[int], delays: list[int] | None) -> SessionSamples:
    """A verified session of these launches."""
    return SessionSamples(
        session=1,
        wall_ns=tuple(walls),
        delay_ns=None if delays is None else tuple(delays),
        verified=True,
        max_abs_error=0.0,
        k_scaled_error=0.0,
    )


def test_a_launch_is_calm_up_to_its_share_and_its_threads_own_waiting() -> None:
    """5 % of 40 ms and a quarter of a millisecond; one nanosecond more is another program."""
    most = OWN_DELAY_NS + 2 * MS
    assert is_calm(40 * MS, most, 5.0)
    assert not is_calm(40 * MS, most + 1, 5.0)


def test_nobody_asks_where_there_is_no_limit() -> None:
    """Runs of policies without a witness judge every launch, as they always did."""
    assert is_calm(1, 10**9, None)
    assert is_calm(1, None, None)


def test_a_launch_that_nobody_watched_is_not_calm() -> None:
    """An absent witness has seen nothing, which is not the same as having seen that nothing was there."""
    assert not is_calm(40 * MS, None, 5.0)
    assert calm_launches(session([MS, MS], None), 5.0) == (False, False)


def test_nobody_waits_for_a_witness_that_is_not_there() -> None:
    """A session ends with what was planned; a launch that was seen waiting does not count towards it."""
    assert is_enough(40 * MS, None, 5.0)
    assert is_enough(40 * MS, 0, 5.0)
    assert not is_enough(40 * MS, 10 * MS, 5.0)


def test_delays_that_do_not_fit_the_launches_are_no_witness() -> None:
    """A record with one delay less than launches says of none whose it is."""
    assert calm_launches(session([MS, MS], [0]), 5.0) == (False, False)
    assert calm_launches(session([MS, MS], [0]), None) == (False, False)
    assert delay_percent(session([MS, MS], [0])) is None


@given(
    st.lists(st.tuples(st.integers(-5, 50 * MS), st.integers(0, 5 * MS)), max_size=6),
    st.sampled_from([None, 0.1, 5.0, 100.0]),
    st.booleans(),
)
def test_each_launch_of_a_session_is_calm_as_it_is_alone(
    launches: list[tuple[int, int]], most: float | None, is_watched: bool
) -> None:
    """Written out for speed, the rule is still the rule."""
    walls, delays = [wall for wall, _ in launches], [delay for _, delay in launches]
    told = delays if is_watched else [None] * len(walls)
    expected = tuple(is_calm(wall, delay, most) for wall, delay in zip(walls, told, strict=True))
    assert calm_launches(session(walls, delays if is_watched else None), most) == expected


def test_the_share_of_a_session_is_of_all_its_time() -> None:
    """One launch in two waited half of its time."""
    assert delay_percent(session([2 * MS, 2 * MS], [MS, 0])) == pytest.approx(25.0)
    assert delay_percent(session([], [])) is None


@given(st.integers(1, 10**10), st.integers(0, 10**10), st.integers(0, 10**10), st.floats(0.1, 100))
def test_more_waiting_makes_no_launch_calm(wall: int, delay: int, more: int, limit: float) -> None:
    """Whatever is calm with more run delay is so with less."""
    assert is_calm(wall, delay, limit) or not is_calm(wall, delay + more, limit)


def test_turns_are_cut_from_each_session_and_judged_as_a_whole() -> None:
    """Two launches to a turn: the median of each, None for the one that waited, and no turn of what is left over."""
    first = session([10 * MS, 20 * MS, 30 * MS, 50 * MS, 70 * MS], [0, 0, 0, 9 * MS, 0])
    second = session([40 * MS, 40 * MS], [0, 0])
    assert turn_times([first, second], 2, 5.0) == [15.0, None, 40.0]


def test_a_pair_needs_two_calm_turns() -> None:
    """ln(first / second) where both are there."""
    assert pair_logs([2.0, None, 3.0, 4.0], [1.0, 1.0, None, 4.0]) == pytest.approx([math.log(2.0), 0.0])


def test_turns_that_do_not_match_are_no_pairs() -> None:
    """One side has a turn more: which belongs to which is not known."""
    assert pair_logs([1.0, 1.0], [1.0]) == []


@pytest.mark.parametrize(
    ("others", "limit", "counts"),
    [(4.9, 5.0, None), (5.0, 5.0, None), (5.1, 5.0, 5.0), (None, 5.0, 5.0), (math.nan, 5.0, 5.0), (50.0, None, None)],
)
def test_threads_that_wait_for_each_other_are_not_disturbed(
    others: float | None, limit: float | None, counts: float | None
) -> None:
    """Where other programs had no more CPU time than the limit, every launch counts; what nobody knows is no calm."""
    assert limit_beside(others, limit) == counts
