"""Ranks that bound a 95th percentile, against the binomial distribution in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.percentiles import lower_rank, percentile_interval, upper_rank
from pytest_weekops.core.judge.certainty.spread import Spread

P = Fraction(19, 20)


def below(count: int, rank: int, share: Fraction = P) -> Fraction:
    """P(N < rank) for N binomial."""
    return sum((math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(rank)), Fraction(0))


@pytest.mark.parametrize("count", [1, 5, 20, 58, 59, 60, 96, 200])
@pytest.mark.parametrize("level", [0.0501, 0.0099, 1e-4])
def test_the_ranks_have_the_level_and_no_more(count: int, level: float) -> None:
    """The lower rank is the largest whose error is within the level, the upper one the smallest."""
    low = lower_rank(count, level)
    assert below(count, low) <= level
    assert below(count, low + 1) > level
    high = upper_rank(count, level)
    if high:
        assert 1 - below(count, high) <= level
        assert 1 - below(count, high - 1) > level
    else:
        assert P**count > level


def test_the_largest_of_59_is_the_first_bound_of_95_percent() -> None:
    """That is where the number of launches that a p95 asks for comes from."""
    assert (upper_rank(58, 0.05), upper_rank(59, 0.05)) == (0, 59)
    assert lower_rank(0, 0.05) == upper_rank(0, 0.05) == lower_rank(50, 0.0) == 0


def test_a_large_count_is_counted_as_well() -> None:
    """Where factorials would not fit into a float: at the distribution's middle, a few deviations below it."""
    count = 400_000
    assert count * 0.95 - 4 * math.sqrt(count * 0.0475) < lower_rank(count, 0.001) < count * 0.95


launches = st.lists(st.floats(1.0, 2.0), min_size=20, max_size=20)
SPREAD = Spread(0.05)


def upper(slower: list[list[float]], faster: list[list[float]] | None, limit: float, level: float) -> float:
    """The one bound there is: below 0 the limit is certainly broken."""
    return percentile_interval(slower, faster, limit, level, SPREAD).upper


@given(st.lists(launches, min_size=3, max_size=5), st.integers(0, 4), st.integers(0, 19), st.floats(1.0, 3.0))
def test_a_slower_launch_never_makes_it_less_certain(
    snapshots: list[list[float]], at: int, launch: int, factor: float
) -> None:
    """Monotone on both sides of a ratio."""
    at %= len(snapshots)
    worse = [list(each) for each in snapshots]
    worse[at][launch] *= factor
    other = [[1.0] * 40 for _ in snapshots]
    for faster in (None, other):
        assert upper(worse, faster, 1.1, 0.05) <= upper(snapshots, faster, 1.1, 0.05)
    assert upper(other, worse, 1.1, 0.2) >= upper(other, snapshots, 1.1, 0.2)


def test_what_one_snapshot_says_is_not_certain() -> None:
    """However many launches it has: they resemble each other. And snapshots vary: 3 % beyond the limit is no news."""
    good, bad = [1.0] * 50, [9.0] * 500
    assert upper([good, good, bad], None, 2.0, 0.01) > 0
    assert upper([bad, bad, bad], None, 2.0, 0.01) < 0
    assert upper([[1.03] * 100] * 3, None, 1.0, 0.01) > 0
    assert percentile_interval([[1.03] * 100] * 3, None, 1.0, 0.01, Spread(0.002)).upper < 0


def test_too_few_launches_are_certain_of_nothing() -> None:
    """On either side."""
    assert upper([[9.0]] * 3, None, 1.0, 1e-9) == math.inf
    assert upper([[9.0] * 100] * 3, [[1.0]] * 3, 1.0, 0.01) == math.inf


def test_at_a_level_of_one_any_launch_is_a_bound() -> None:
    """The lower rank is the last there is, and never one beyond it."""
    assert lower_rank(5, 1.5) == lower_rank(5, 1.0) == 5  # sums of probabilities may end beside 1
    assert upper_rank(5, 1.0) == 1
