"""The judge's statistics against definitions written out slowly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.stats import (
    agreed,
    least_successes,
    lowest_deviation,
    percentile95,
    theil_sen_slope,
    trend,
)

FINITE = st.floats(min_value=-1e6, max_value=1e6)


@given(st.lists(FINITE, min_size=1, max_size=200))
def test_p95_is_the_smallest_value_that_covers_95_percent(values: list[float]) -> None:
    """At least 95 % of the values are at or below it, and no smaller value of the list does that."""
    found = percentile95(values)
    assert sum(value <= found for value in values) >= 0.95 * len(values)
    smaller = [value for value in values if value < found]
    assert not smaller or sum(value <= max(smaller) for value in values) < 0.95 * len(values)


def test_p95_of_nothing_is_nan() -> None:
    """No launches have no percentile."""
    assert math.isnan(percentile95([]))


@given(FINITE, st.floats(min_value=-100, max_value=100), st.integers(min_value=2, max_value=12))
def test_the_slope_of_a_line_is_its_slope(start: float, slope: float, count: int) -> None:
    """An exact line gives its own slope, and its trend is the whole change."""
    line = [start + slope * place for place in range(count)]
    assert theil_sen_slope(line) == pytest.approx(slope, abs=1e-6)
    assert trend(line) == pytest.approx(slope * (count - 1), abs=1e-5)


def test_one_outlier_does_not_move_the_slope() -> None:
    """The robust slope ignores a single collapse, which is what the deviation is for."""
    series = [1.0, 1.0, 0.2, 1.0, 1.0, 1.0]
    assert theil_sen_slope(series) == 0.0
    assert lowest_deviation(series) == pytest.approx(-0.8)


def test_a_cold_first_value_alone_is_no_deviation() -> None:
    """The first snapshot may be cold."""
    assert lowest_deviation([0.5, 1.0, 1.0, 1.0]) == 0.0


def test_a_rising_series_does_not_deviate() -> None:
    """An improvement does not make its beginning look like a fall."""
    assert lowest_deviation([0.1 * place for place in range(6)]) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("count", [3, 4, 5, 6, 8, 9])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.87, 0.9])
def test_a_collapse_is_seen_wherever_it_stands(count: int, share: float) -> None:
    """In every snapshot but the first, and from three of them on, one value that collapses is its whole depth off."""
    for place in range(1, count):
        series = [0.0] * count
        series[place] = math.log(share)
        assert lowest_deviation(series) == pytest.approx(math.log(share))


@pytest.mark.parametrize("before", range(1, 8))
def test_a_step_up_is_no_fall(before: int) -> None:
    """An improvement that stays leaves its beginning below the median, and nothing fell."""
    assert lowest_deviation([0.0] * before + [0.2] * (8 - before)) == 0.0


def test_a_fall_after_a_step_up_is_one() -> None:
    """Coming back from an improvement is judged against the median."""
    assert lowest_deviation([0.0, 0.2, 0.2, 0.2, 0.0]) == pytest.approx(-0.2)


@pytest.mark.parametrize("series", [[], [0.5]])
def test_one_value_has_nothing_to_fall_from(series: list[float]) -> None:
    """Nor has none."""
    assert lowest_deviation(series) == 0.0


def test_what_is_no_number_excuses_nothing() -> None:
    """A NaN anywhere leaves the deviation unknown."""
    assert math.isnan(lowest_deviation([0.0, math.nan, 0.0]))


@given(st.lists(FINITE, min_size=3, max_size=12))
def test_a_falling_series_is_never_hidden(values: list[float]) -> None:
    """Deviations are at most zero, whatever the series."""
    assert lowest_deviation(values) <= 0.0


@pytest.mark.parametrize(
    ("one", "other", "both"), [(-0.1, -0.3, -0.1), (0.2, 0.1, 0.1), (-0.1, 0.3, 0.0), (0.0, -0.3, 0.0)]
)
def test_two_witnesses_agree_on_the_smaller_change(one: float, other: float, both: float) -> None:
    """In either order; a contradiction is no change."""
    assert agreed(one, other) == agreed(other, one) == both


@pytest.mark.parametrize("pair", [(math.nan, -0.1), (-0.1, math.nan), (math.nan, 0.0)])
def test_a_witness_that_says_nothing_excuses_nothing(pair: tuple[float, float]) -> None:
    """NaN stays, so that the check it feeds fails."""
    assert math.isnan(agreed(*pair))


def test_no_confidence_needs_no_snapshot() -> None:
    """The other end of the scale: with every error allowed, nothing has to hold."""
    assert least_successes(5, 0.0) == 0
    assert least_successes(5, 0.5) == 3
