"""Exact tails of the rank statistics behind the bounds, and the averages and slopes that they order.

Wilcoxon's signed ranks order the Walsh averages, the means of all pairs and of each value with itself (Hodges and
Lehmann 1963; Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods*, section 3.3); Kendall's S orders the
pairwise slopes (Sen 1968). The sign test's order the values themselves. A bound at such an order
statistic can never rise where a value falls.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate


@functools.lru_cache(maxsize=128)
def signed_rank_tails(count: int) -> tuple[Fraction, ...]:
    """P(W <= w) for w = 0, 1, ..., of Wilcoxon's statistic of ``count`` values symmetric about 0, up to a half."""
    ways = [1]
    for rank in range(1, count + 1):
        ways = [
            (ways[w] if w < len(ways) else 0) + (ways[w - rank] if w >= rank else 0) for w in range(len(ways) + rank)
        ]
    return _lower_half(ways, 2**count)


@functools.lru_cache(maxsize=128)
def sign_tails(count: int) -> tuple[Fraction, ...]:
    """P(B <= b) for b = 0, 1, ..., of the heads of ``count`` fair coins, up to a half: the sign test's."""
    return _lower_half([math.comb(count, heads) for heads in range(count + 1)], 2**count)


@functools.lru_cache(maxsize=128)
def discordance_tails(count: int) -> tuple[Fraction, ...]:
    """P(D <= d) for d = 0, 1, ..., of the pairs out of order in a random order of ``count`` values, up to a half.

    Kendall's S is ``count * (count - 1) / 2 - 2 D``.
    """
    ways = [1]
    for place in range(1, count):
        padded = [*ways, *[0] * place]
        ways = [sum(padded[max(0, d - place) : d + 1]) for d in range(len(padded))]
    return _lower_half(ways, math.factorial(count))


def _lower_half(ways: Sequence[int], total: int) -> tuple[Fraction, ...]:
    tails = (Fraction(tail, total) for tail in accumulate(ways))
    return tuple(tail for tail in tails if tail <= Fraction(1, 2))


def depth(tails: Sequence[Fraction], level: float) -> int:
    """How many of the ordered averages or slopes may lie beyond a bound of that one-sided level; 0: no bound has it."""
    return sum(1 for tail in tails if tail <= level)


def walsh_averages(values: Sequence[float]) -> list[float]:
    """The means of all pairs of values, each with itself too, in order."""
    count = len(values)
    return sorted((values[i] + values[j]) / 2.0 for i in range(count) for j in range(i, count))


def pairwise_slopes(values: Sequence[float]) -> list[float]:
    """The slopes per step between all pairs of an evenly spaced series, in order."""
    count = len(values)
    return sorted((values[j] - values[i]) / (j - i) for i in range(count) for j in range(i + 1, count))
