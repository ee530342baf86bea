"""Two runs' values against each other: bounds that are monotone, mirror each other, and err as often as they say."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.differences import Side, difference_interval
from pytest_weekops.core.judge.certainty.intervals import Levels
from pytest_weekops.core.judge.certainty.spread import Spread
from tests.core.judge.test_intervals import LEVELS, VALUE, worsened
from tests.core.judge.test_properties import QUICK
from tests.support.examples import examples

SDS = st.sampled_from([0.003, 0.05, 0.3])
SPREAD = st.builds(Spread, SDS, st.sampled_from([None, 19]), st.sampled_from([0.0, 0.5]))
VALUES = st.lists(VALUE, min_size=1, max_size=8)


@QUICK
@given(VALUES, worsened(most=8), SPREAD, SPREAD, LEVELS)
def test_a_slower_second_run_never_looks_better(
    first: list[float], pair: tuple[list[float], list[float]], one: Spread, other: Spread, levels: Levels
) -> None:
    """Nor does a second run beside a faster first one: neither estimate nor bounds, not even by one bit."""
    known, (faster, slower) = Side(tuple(first), one), (Side(tuple(values), other) for values in pair)
    before, after = (difference_interval(known, second, levels) for second in (faster, slower))
    assert (after.lower <= before.lower, after.estimate <= before.estimate, after.upper <= before.upper) == (True,) * 3
    before, after = (difference_interval(then, known, levels) for then in (slower, faster))
    assert (after.lower <= before.lower, after.estimate <= before.estimate, after.upper <= before.upper) == (True,) * 3


@settings(max_examples=examples(50), deadline=None)
@given(VALUES, VALUES, SPREAD, LEVELS)
def test_runs_that_change_places_change_signs(
    first: list[float], second: list[float], spread: Spread, levels: Levels
) -> None:
    """What is bounded from below one way is bounded from above the other way."""
    one, other = Side(tuple(first), spread), Side(tuple(second), spread)
    forth = difference_interval(one, other, levels)
    back = difference_interval(other, one, Levels(levels.upper, levels.lower))
    assert (forth.lower, forth.estimate, forth.upper) == (-back.upper, -back.estimate, -back.lower)


@pytest.mark.parametrize("counts", [(6, 6), (3, 12)])
def test_a_bound_errs_about_as_often_as_it_may(counts: tuple[int, int]) -> None:
    """Of 800 pairs of runs of one speed: not more than asked, and not next to never, as two whole bounds would."""
    rng, spread, level, runs = random.Random(11), Spread(0.05), 0.05, 800
    errors = 0
    for _ in range(runs):
        one, other = (Side(tuple(rng.gauss(0.0, 0.05) for _ in range(count)), spread) for count in counts)
        errors += difference_interval(one, other, Levels(0.0, level)).upper < 0.0
    assert 0.01 < errors / runs < level + 3.0 * math.sqrt(level * (1.0 - level) / runs)


def test_one_snapshot_bounds_nothing() -> None:
    """Whatever the other side has; and a level of 0 has no bound either."""
    one, many = Side((0.0,), Spread(0.05)), Side((0.1,) * 6, Spread(0.05))
    for sides in ((one, many), (many, one)):
        found = difference_interval(*sides, Levels(0.1, 0.1))
        assert (found.lower, found.upper) == (-math.inf, math.inf)
    assert difference_interval(many, many, Levels(0.0, 0.1)).lower == -math.inf
    with pytest.raises(ValueError, match="finite values"):
        difference_interval(Side((), Spread(0.05)), many, Levels(0.1, 0.1))
