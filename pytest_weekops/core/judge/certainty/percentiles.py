"""Bounds of a 95th percentile from order statistics of launches: no assumption on their shape, and monotone.

Of ``n`` independent launches the number at or below the true percentile is binomial, so the ``r``-th smallest lies
above it with a probability that can be counted (Conover, Practical Nonparametric Statistics, section 3.2). Launches of
one snapshot resemble each other; what is certain of all launches has to hold in enough of the snapshots as well.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from pytest_weekops.core.judge.certainty.intervals import Interval, Levels, location_interval
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.measurement.stats import percentile95

SHARE = 0.95
_REACH = 12.0  # standard deviations of the binomial distribution, outside of which nothing is left to count


@functools.lru_cache(maxsize=1024)
def lower_rank(count: int, level: float) -> int:
    """Largest rank ``r`` whose order statistic lies above the percentile with at most that probability; 0 for none."""
    return _rank(count, SHARE, level)


@functools.lru_cache(maxsize=1024)
def upper_rank(count: int, level: float) -> int:
    """Smallest rank whose order statistic lies below the percentile with at most that probability; 0 for none.

    The largest of 59 launches is the first bound with 95 % behind it.
    """
    mirrored = _rank(count, 1.0 - SHARE, level)  # counted from the top, launches above the percentile
    return count - mirrored + 1 if mirrored else 0


def _rank(count: int, share: float, level: float) -> int:
    """Largest ``r`` with P(N < r) <= level, N binomial(count, share); 0 where even r = 1 has more."""
    if count < 1 or level <= 0:
        return 0
    middle, deviation = count * share, math.sqrt(count * share * (1.0 - share))
    first = max(0, math.floor(middle - _REACH * deviation))
    whole, total = math.lgamma(count + 1), 0.0
    for k in range(first, count + 1):
        ways = whole - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        total += math.exp(ways + k * math.log(share) + (count - k) * math.log1p(-share))
        if total > level:
            return k
    return count


def percentile_interval(
    slower: Sequence[Sequence[float]],
    faster: Sequence[Sequence[float]] | None,
    limit: float,
    level: float,
    spread: Spread,
) -> Interval:
    """How far the p95 of ``slower`` stays below a limit, in ln: below 0 it is beyond. Only the upper bound is a bound.

    One list of launches a snapshot, in milliseconds; ``faster`` the other side's in the same snapshots, whose p95 the
    limit is a multiple of, or None where it is milliseconds. ``level`` is the error of the upper bound. Both must lie
    beyond the limit: what is certain of all launches together (two sides share the level), and what is certain of the
    snapshots, whose p95 have the ``spread``.
    """
    sides = [slower] if faster is None else [slower, faster]
    pooled = [sorted(ms for launches in side for ms in launches) for side in sides]
    estimate = -_excess(pooled, limit)
    each = [-_excess(snapshot, limit) for snapshot in zip(*sides, strict=True)]
    between = location_interval(each, Levels(0.0, level), spread).upper
    return Interval(estimate, -math.inf, max(estimate, between, -_certain(pooled, limit, level)))


def _certain(pooled: Sequence[Sequence[float]], limit: float, level: float) -> float:
    """By how much the p95 of all launches is certainly beyond the limit, in ln; minus infinity where nothing is."""
    low = lower_rank(len(pooled[0]), level / len(pooled))
    if not low:
        return -math.inf
    found = math.log(pooled[0][low - 1] / limit)
    if len(pooled) == 1:
        return found
    high = upper_rank(len(pooled[1]), level / 2.0)
    return found - math.log(pooled[1][high - 1]) if high else -math.inf


def _excess(sides: Sequence[Sequence[float]], limit: float) -> float:
    """ln(p95, or ratio of two, over the limit)."""
    tails = [percentile95(launches) for launches in sides]
    return math.log(tails[0] / limit) - (math.log(tails[1]) if len(tails) > 1 else 0.0)
