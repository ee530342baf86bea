"""The few statistics that the judge decides with: order statistics and robust trends. Pure Python, replayable."""

from __future__ import annotations

import bisect
import functools
import math
import statistics
from collections.abc import Sequence
from fractions import Fraction

_MOST_POINTS = 256


def percentile95(values: Sequence[float]) -> float:
    """The order statistic of rank ceil(0.95 n): at least 95 % of the values are at or below it. NaN for none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)]


def theil_sen_slope(values: Sequence[float]) -> float:
    """Median of all pairwise slopes of an evenly spaced series (Sen 1968); 0 for fewer than two values.

    Pairs grow with the square: a longer series is judged by the medians of at most 256 consecutive blocks.
    """
    if len(values) > _MOST_POINTS:
        block = math.ceil(len(values) / _MOST_POINTS)
        whole = len(values) - len(values) % block
        return theil_sen_slope([statistics.median(values[at : at + block]) for at in range(0, whole, block)]) / block
    slopes = [(values[j] - values[i]) / (j - i) for i in range(len(values)) for j in range(i + 1, len(values))]
    return statistics.median(slopes) if slopes else 0.0


def trend(values: Sequence[float]) -> float:
    """Change over the whole series along its Theil-Sen line, in the values' own unit."""
    return theil_sen_slope(values) * (len(values) - 1)


def lowest_deviation(values: Sequence[float]) -> float:
    """Largest fall of one value, as a negative number or 0: below the series' median and below what came before it.

    A fall has something to fall from. What came before is the median of the values up to there, so that the beginning
    of an improvement is no fall although it lies below the median, a cold first value is none, and a collapse is one
    wherever it stands, in the second of three as well.
    """
    return deepest_falls(values, 1)[0]


def deepest_falls(values: Sequence[float], count: int) -> list[float]:
    """The ``count`` deepest falls of single values, as :func:`lowest_deviation` has them, 0 where there are no more.

    The second says what one bad value alone cannot: that it happened again.
    """
    if any(math.isnan(value) for value in values):
        return [math.nan] * count
    center, before, falls = statistics.median(values) if values else 0.0, list(values[:1]), [0.0] * count
    for value in values[1:]:
        half = len(before) // 2
        usual = before[half] if len(before) % 2 else (before[half - 1] + before[half]) / 2.0
        falls.append(min(0.0, value - min(center, usual)))
        bisect.insort(before, value)
    return sorted(falls)[:count]


def agreed(one: float, other: float) -> float:
    """What two witnesses of one change agree on: the smaller where both have its sign, 0 where they contradict.

    NaN where either is: a witness that says nothing excuses nothing.
    """
    if math.isnan(one) or math.isnan(other):
        return math.nan
    if one * other <= 0:
        return 0.0
    return min(one, other, key=abs)


def percent(log_change: float) -> float:
    """A change of a logarithm as percent."""
    return math.expm1(log_change) * 100.0


@functools.lru_cache(maxsize=256)
def least_successes(trials: int, confidence: float) -> int | None:
    """In how many of so many snapshots a bound must hold before its median is believed to hold: the sign test.

    A median that lies at the bound would hold it in so many, or more, with a probability of at most ``1 - confidence``
    (Conover, Practical Nonparametric Statistics, section 3.4). No assumption is made about the noise but independence
    between snapshots. None where even all of them would not do.
    """
    allowed = 1 - Fraction(confidence)
    limit = allowed.numerator * 2**trials
    ways, tail = 1, 0  # of failing in just so many, and in so many or fewer
    for failures in range(trials + 1):
        tail += ways
        if tail * allowed.denominator > limit:
            return trials - failures + 1 if failures else None
        ways = ways * (trials - failures) // (failures + 1)
    return 0


def trials_to_decide(failures: int, confidence: float) -> int:
    """Fewest snapshots among which so many failures leave the bound believable."""
    trials = failures + 1
    while (least := least_successes(trials, confidence)) is None or trials - failures < least:
        trials += 1
    return trials


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the median between two order statistics (the sign test's); NaN without values."""
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return math.nan, math.nan
    reach = math.ceil(0.98 * math.sqrt(count))
    low, high = max(0, count // 2 - reach), min(count - 1, (count - 1) // 2 + reach)
    return ordered[low], ordered[high]
