"""Bounds of a location: monotone to the last bit, right as often as they say, and never too sure of themselves."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.intervals import Levels, guard_depth, location_interval
from pytest_weekops.core.judge.certainty.scores import GRID, Score, clipped_moments
from pytest_weekops.core.judge.certainty.spread import Spread
from tests.core.judge.test_properties import QUICK

VALUE = st.floats(-3.0, 3.0)
SPREADS = st.one_of(
    st.none(),
    st.builds(
        Spread,
        st.sampled_from([0.003, 0.02, 0.3]),
        st.sampled_from([None, 4, 19]),
        st.sampled_from([0.0, 0.5]),
    ),
)
LEVELS = st.builds(Levels, st.sampled_from([0.0, 1e-4, 0.009, 0.1]), st.sampled_from([0.0, 1e-4, 0.009, 0.1]))


@st.composite
def worsened(draw: st.DrawFn, most: int = 12) -> tuple[list[float], list[float]]:
    """Values, and the same with one or more of them lower, by very little or by very much."""
    before = draw(st.lists(VALUE, min_size=1, max_size=most))
    falls = draw(st.lists(st.sampled_from([0.0, 0.0, 1e-16, 1e-9, 0.01, 5.0]), min_size=most, max_size=most))
    return before, [value - fall for value, fall in zip(before, falls, strict=False)]


@QUICK
@given(worsened(), SPREADS, LEVELS)
def test_no_bound_rises_where_a_value_falls(
    pair: tuple[list[float], list[float]], spread: Spread | None, levels: Levels
) -> None:
    """Neither estimate nor bounds, not even by one bit."""
    before, after = (location_interval(values, levels, spread) for values in pair)
    assert after.lower <= before.lower
    assert after.estimate <= before.estimate
    assert after.upper <= before.upper


@QUICK
@given(st.lists(VALUE, min_size=2, max_size=12), SPREADS, LEVELS)
def test_a_lower_bound_mirrored_is_an_upper_one(values: list[float], spread: Spread | None, levels: Levels) -> None:
    """Signs turned, the two bounds change places: neither side is favoured."""
    found = location_interval(values, levels, spread)
    turned = location_interval([-value for value in values], Levels(levels.upper, levels.lower), spread)
    assert (found.lower, found.upper) == (-turned.upper, -turned.lower)


@QUICK
@given(st.lists(VALUE, min_size=2, max_size=12), st.sampled_from([0.009, 6e-4, 3e-5]), SPREADS.filter(bool))
def test_a_bound_is_where_the_scores_reach_the_level(values: list[float], level: float, spread: Spread) -> None:
    """At the bound the clipped distances sum to what is needed, and one step of the grid further they do not."""
    score = Score(spread, len(values), level)
    bound = score.lower(values)

    def total(limit: float) -> float:
        return math.fsum(min(score.clip, max(-score.clip, (value - limit) / spread.sd)) for value in values)

    assert total(bound) >= score.least > total(bound + GRID)


@pytest.mark.parametrize("count", [3, 5, 8, 12])
def test_a_bound_stops_at_the_guard_however_small_the_spread(count: int) -> None:
    """With a spread that is far too small the sign test's bound stands: of twelve values four lie below it at most."""
    values = [0.1 * place for place in range(count)]
    found = location_interval(values, Levels(0.01, 0.01), Spread(1e-6))
    below = sum(value < found.lower for value in values)
    assert below == sum(value > found.upper for value in values) == guard_depth(count) - 1
    assert sum(math.comb(count, place) for place in range(guard_depth(count))) <= 0.2 * 2**count


@given(st.floats(-20, 20), st.floats(0.1, 20))
def test_one_spoilt_snapshot_of_three_proves_nothing(spoilt: float, sd: float) -> None:
    """Two at the limit and one anywhere: neither pass nor fail, whatever the third says."""
    found = location_interval([0.0, 0.0, spoilt], Levels(0.009, 0.009), Spread(sd))
    assert found.lower <= 0.0 <= found.upper


def test_without_a_spread_three_snapshots_have_no_bound() -> None:
    """One in eight is the best that three signs allow."""
    found = location_interval([0.0, 0.01, 0.02], Levels(0.1, 0.1), None)
    assert (found.lower, found.estimate, found.upper) == (-math.inf, 0.01, math.inf)
    found = location_interval([0.0, 0.01, 0.02], Levels(0.125, 0.125), None)
    assert (found.lower, found.upper) == (0.0, 0.02)


def test_one_snapshot_has_no_bound() -> None:
    """Whatever is known beforehand: once is never."""
    assert location_interval([0.5], Levels(0.1, 0.1), Spread(0.001)).upper == math.inf


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    """The judge calls it a fail."""
    with pytest.raises(ValueError, match="needs finite values"):
        location_interval([0.0, bad, 0.0], Levels(0.01, 0.01), Spread(0.02))
    with pytest.raises(ValueError, match="needs finite values"):
        location_interval([], Levels(0.01, 0.01), Spread(0.02))


@pytest.mark.parametrize("mean", [-2.0, 0.0, 0.7])
@pytest.mark.parametrize("clip", [0.5, 1.5, 8.0])
def test_moments_of_a_clipped_normal(mean: float, clip: float) -> None:
    """Against the integral over a fine grid."""
    step = 1e-3
    points = [mean + step * place for place in range(-9000, 9001)]
    mass = [math.exp(-((x - mean) ** 2) / 2.0) * step / math.sqrt(2.0 * math.pi) for x in points]
    clipped = [min(clip, max(-clip, x)) for x in points]
    first = math.fsum(m * c for m, c in zip(mass, clipped, strict=True))
    second = math.fsum(m * c * c for m, c in zip(mass, clipped, strict=True))
    assert clipped_moments(mean, clip) == pytest.approx((first, second - first**2), abs=1e-6)


def test_three_equal_snapshots_can_decide_at_any_level() -> None:
    """The clip leaves them enough to say, with a fifth to spare, also where many requirements share an error."""
    for level, count in itertools.product((0.01, 1e-4, 1e-6), (2, 3, 5, 12)):
        for degrees in (None, 19):
            score = Score(Spread(0.02, degrees, 0.3), count, level)
            assert count * score.clip >= 1.2 * score.least
