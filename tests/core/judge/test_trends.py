"""Trends and falls within a run: certain beyond their limit or not, two lanes as witnesses of one thing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.answers import Answer, Errors
from pytest_weekops.core.judge.certainty.falls import answer_fall, depths
from pytest_weekops.core.judge.certainty.intervals import Levels
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import Series, answer_trend, trend_error, trend_interval
from pytest_weekops.core.judge.finding import CheckStatus
from tests.core.judge.test_intervals import LEVELS, SPREADS, VALUE
from tests.core.judge.test_properties import QUICK

SIX = LookPlan((6,))
LIMIT = -math.log(0.97)
CARD = Spread(0.003, 19)
MILDNESS = {CheckStatus.FAIL: 0, CheckStatus.INCONCLUSIVE: 1, CheckStatus.PASS: 2}


def line(percent: float, count: int = 6) -> tuple[float, ...]:
    """A straight fall by so many percent over the window."""
    return tuple(math.log1p(-percent / 100.0) * place / (count - 1) for place in range(count))


def trend_of(*lanes: tuple[float, ...], spread: Spread | None = CARD, plan: LookPlan = SIX) -> Answer:
    """A trend against 3 %."""
    return answer_trend(Series("cell", lanes, spread), LIMIT, plan, Errors(0.01 / 6))


def fall_of(*lanes: tuple[float, ...], spread: Spread | None = CARD, plan: LookPlan = SIX) -> Answer:
    """Falls against 3 %."""
    return answer_fall(Series("cell", lanes, spread), LIMIT, plan, Errors(0.01 / 6))


@st.composite
def steeper(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """A series, and one that falls at least as much between any two of its snapshots."""
    before = draw(st.lists(VALUE, min_size=2, max_size=12))
    steps = draw(st.lists(st.sampled_from([0.0, 0.0, 1e-6, 0.01, 5.0]), min_size=len(before), max_size=len(before)))
    return before, [value - math.fsum(steps[: place + 1]) for place, value in enumerate(before)]


@QUICK
@given(steeper(), SPREADS, LEVELS)
def test_no_bound_of_a_trend_rises_where_the_series_falls_more(
    pair: tuple[list[float], list[float]], spread: Spread | None, levels: Levels
) -> None:
    """Steeper between any two snapshots is never milder; rounding apart."""
    before, after = (trend_interval(values, levels, spread) for values in pair)
    for name in ("lower", "estimate", "upper"):
        assert getattr(after, name) <= getattr(before, name) + 1e-9


@QUICK
@given(steeper(), steeper(), SPREADS)
def test_no_trend_turns_milder_where_a_lane_falls_more(
    one: tuple[list[float], list[float]], other: tuple[list[float], list[float]], spread: Spread | None
) -> None:
    """Whatever the other lane did."""
    count = min(len(one[0]), len(other[0]))
    found = [
        answer_trend(
            Series("cell", (tuple(one[side][:count]), tuple(other[side][:count])), spread),
            0.0314159,
            LookPlan(),
            Errors(0.2, 0.2),
        )
        for side in (0, 1)
    ]
    assert MILDNESS[found[1].status] <= MILDNESS[found[0].status]


def test_a_steady_fall_beyond_the_limit_fails() -> None:
    """Five percent over the window on a card whose noise is 0.3 %: certain. A half of that is certainly within 3 %."""
    assert trend_of(line(5.0)).status is CheckStatus.FAIL
    assert trend_of(line(5.0)).interval.estimate == pytest.approx(math.log(0.95))
    assert trend_of(line(1.5)).status is CheckStatus.PASS
    assert trend_of(line(3.3)).status is CheckStatus.INCONCLUSIVE


def test_noise_decides_what_is_certain() -> None:
    """The same fall on a host whose spread is 5 % proves nothing, and with ranks alone six in order are one in 720."""
    assert trend_of(line(5.0), spread=Spread(0.05)).status is CheckStatus.INCONCLUSIVE
    assert trend_of(line(5.0), spread=None).status is CheckStatus.FAIL
    assert trend_of(line(5.0, 5), spread=None, plan=LookPlan((5,))).status is CheckStatus.INCONCLUSIVE


def test_lanes_that_contradict_each_other_are_noise() -> None:
    """17 % in one and 3 % in the other, in the same snapshots: no driver does that. Both at 10 % are one."""
    limit = -math.log(0.95)
    far, near = line(17.0), line(3.0)
    apart = answer_trend(Series("cell", (far, near), CARD), limit, SIX, Errors())
    assert (apart.status, apart.interval.upper >= -limit) == (CheckStatus.INCONCLUSIVE, True)
    assert answer_trend(Series("cell", (far,), CARD), limit, SIX, Errors()).status is CheckStatus.FAIL
    assert answer_trend(Series("cell", (line(10.0), line(10.0)), CARD), limit, SIX, Errors()).status is CheckStatus.FAIL


def test_an_improvement_is_no_fall() -> None:
    """However steep."""
    assert trend_of(tuple(-value for value in line(30.0))).status is CheckStatus.PASS
    assert fall_of(tuple(-value for value in line(30.0))).status is CheckStatus.PASS


def test_three_snapshots_have_no_certain_trend() -> None:
    """One that is spoilt at the end would make it, however small the spread; four in order are one in 24."""
    for spread in (CARD, None):
        for count in (1, 2, 3):
            assert (
                trend_of(line(30.0, 4)[:count], spread=spread, plan=LookPlan((3,))).status is CheckStatus.INCONCLUSIVE
            )
    assert trend_of(line(30.0, 4), plan=LookPlan((4,))).status is CheckStatus.FAIL


def test_the_error_of_a_trend_by_hand() -> None:
    """Of three snapshots the line goes from first to last, two of them; with a lag of a half it varies less."""
    assert trend_error(3, Spread(1.0)) == pytest.approx(math.sqrt(2.0))
    assert trend_error(3, Spread(1.0, lag1=0.5)) == pytest.approx(math.sqrt(1.5))


def test_a_collapse_of_two_snapshots_is_seen() -> None:
    """8 % in two snapshots of a week whose noise is 0.3 %; one alone may be the host's, and is open."""
    level, low = 0.0, math.log(0.92)
    assert fall_of((level, level, low, level, low, level)).status is CheckStatus.FAIL
    assert fall_of((level, level, low, level, level, level)).status is CheckStatus.INCONCLUSIVE
    assert fall_of((level, 0.001, -0.001, level, level, level)).status is CheckStatus.PASS


def test_a_collapse_counts_where_every_lane_saw_it() -> None:
    """In the same snapshots; in others it is each lane's own noise."""
    level, low = 0.0, math.log(0.92)
    one, other = (level, low, level, low, level, level), (level, level, low, level, low, level)
    assert fall_of(one, one).status is CheckStatus.FAIL
    assert fall_of(one, other).status is not CheckStatus.FAIL


def test_falls_need_a_spread_to_be_certain() -> None:
    """Without one any two low snapshots would be."""
    low = math.log(0.5)
    assert fall_of((0.0, low, 0.0, low, 0.0, 0.0), spread=None).status is CheckStatus.INCONCLUSIVE
    assert fall_of((0.0, low, 0.0, low, 0.0, 0.0), spread=Spread(0.3)).status is CheckStatus.INCONCLUSIVE


def test_a_cold_first_snapshot_and_a_beginning_are_no_falls() -> None:
    """There was nothing to fall from."""
    assert depths([-0.5, 0.0, 0.0, 0.0]) == [0.5, 0.0, 0.0]
    assert min(depths([0.0, 0.1, 0.2, 0.3])) > 0


@st.composite
def fallen(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """A series in which no more than half have fallen at any time, and the same with some of those lower still."""
    before: list[float] = [draw(st.floats(0.0, 0.1))]
    after = list(before)
    for place in range(1, draw(st.integers(2, 12))):
        fell = sum(value < 0 for value in before) < (place + 1) // 2 and draw(st.booleans())
        value = draw(st.floats(-2.0, -0.2)) if fell else draw(st.floats(0.0, 0.1))
        before.append(value)
        after.append(value - draw(st.sampled_from([0.0, 0.01, 5.0])) if fell else value)
    return before, after


@QUICK
@given(fallen())
def test_what_fell_does_not_excuse_the_rest_by_falling_further(pair: tuple[list[float], list[float]]) -> None:
    """Worse falls make no fall milder while half of the snapshots still stand; beyond that it is a trend."""
    before, after = (depths(values) for values in pair)
    assert all(now <= then for now, then in zip(after, before, strict=True))


def test_lanes_have_the_same_snapshots() -> None:
    """Or they are witnesses of different things."""
    with pytest.raises(ValueError, match="lanes are judged together where they have the same snapshots"):
        Series("cell", ((0.0, 0.0), (0.0,)))
    with pytest.raises(ValueError, match="needs finite values"):
        Series("cell", ((0.0, math.nan),))


def test_one_snapshot_that_could_have_fallen_is_no_two_witnesses() -> None:
    """Of two snapshots one alone can fall: whatever it shows, nothing is certain."""
    found = answer_fall(Series("auto:512", ((0.0, -1.0),), CARD), LIMIT, LookPlan.between(3, 12), Errors())
    assert (found.status, found.interval.upper) == (CheckStatus.INCONCLUSIVE, math.inf)


def test_two_snapshots_that_did_not_fall_pass() -> None:
    """One step down is too little to be certain of, and none is no fall."""
    plan, errors = LookPlan((2,)), Errors()
    assert answer_fall(Series("x", ((0.0, 0.5),), CARD), 0.1, plan, errors).status is CheckStatus.PASS
    assert answer_fall(Series("x", ((0.0, -0.5),), CARD), 0.1, plan, errors).status is CheckStatus.INCONCLUSIVE
