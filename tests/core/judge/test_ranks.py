"""Exact tails and Student's quantiles against their definitions, written out slowly, and against printed tables."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest

from pytest_weekops.core.judge.certainty.ranks import (
    depth,
    discordance_tails,
    pairwise_slopes,
    sign_tails,
    signed_rank_tails,
    walsh_averages,
)
from pytest_weekops.core.judge.certainty.spread import Spread


@pytest.mark.parametrize("count", range(1, 9))
def test_signed_ranks_are_counted_over_all_signs(count: int) -> None:
    """Each pattern of signs is as likely as any other: the tail is a count of subsets of the ranks."""
    sums = [sum(chosen) for n in range(count + 1) for chosen in itertools.combinations(range(1, count + 1), n)]
    for w, tail in enumerate(signed_rank_tails(count)):
        assert tail == Fraction(sum(each <= w for each in sums), 2**count)


@pytest.mark.parametrize("count", range(2, 8))
def test_discordant_pairs_are_counted_over_all_orders(count: int) -> None:
    """Each order is as likely as any other: the tail is a count of permutations by their inversions."""
    inversions = [
        sum(order[i] > order[j] for i in range(count) for j in range(i + 1, count))
        for order in itertools.permutations(range(count))
    ]
    for d, tail in enumerate(discordance_tails(count)):
        assert tail == Fraction(sum(each <= d for each in inversions), math.factorial(count))


def test_the_levels_one_knows() -> None:
    """Six values of one sign are one in 64, eight one in 256; six in falling order are one in 720."""
    assert signed_rank_tails(6)[0] == Fraction(1, 64)
    assert signed_rank_tails(8)[0] == Fraction(1, 256)
    assert discordance_tails(6)[0] == Fraction(1, 720)
    assert sign_tails(5) == (Fraction(1, 32), Fraction(6, 32), Fraction(1, 2))


def test_depth_never_exceeds_the_level() -> None:
    """So many ordered values may lie beyond a bound as the level allows, and not one more."""
    assert depth(signed_rank_tails(3), 0.1249) == 0
    assert depth(signed_rank_tails(3), 0.125) == 1
    assert depth(signed_rank_tails(12), 0.01 / 6) == 4  # P(W <= 3) is 5 of 4096, P(W <= 4) 7


def test_averages_and_slopes() -> None:
    """Of three values there are six averages and three slopes."""
    assert walsh_averages([0.0, 2.0, 6.0]) == [0.0, 1.0, 2.0, 3.0, 4.0, 6.0]
    assert pairwise_slopes([0.0, 2.0, 6.0]) == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("sd", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_spread_is_refused(sd: float) -> None:
    """Zero would make every answer certain."""
    with pytest.raises(ValueError, match="a spread is a finite number above 0"):
        Spread(sd)


def test_correlated_neighbours_widen_a_mean() -> None:
    """The mean of three with a lag of a half has 11/18 of one's variance, by hand; a negative lag counts as none."""
    assert Spread(1.0, lag1=0.5).of_mean(3) == pytest.approx(math.sqrt(11.0 / 18.0))
    assert Spread(1.0, lag1=-0.5).of_mean(4) == pytest.approx(0.5)


def test_no_level_has_no_end() -> None:
    """What may never be wrong is never certain."""
    assert Spread(0.02).reach(0.0) == math.inf
