"""Estimate and one-sided bounds of a location from a few snapshots, none of which rises where a value falls.

The estimate is that of Hodges and Lehmann (1963), the median of the Walsh averages. Where a spread is known, a bound
lies so many of its standard deviations beside the estimate, *and* not inside of a rank bound of one in eight: at three
snapshots all of them lie on the bound's side. So a spread that is wrong errs in no more than one look of eight where the
noise is symmetric. Without a spread the rank bound stands alone, at the level asked for, and where it has none there is
no bound.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.certainty.ranks import depth, signed_rank_tails, walsh_averages
from pytest_weekops.core.judge.certainty.spread import Spread

GUARD_LEVEL = 0.125
# The estimate's standard deviation over that of the mean, and its quantiles to one in 3,000: at most 1.05 for two to
# twenty normal values by simulation, and 1.023 for many (the root of pi / 3).
HODGES_LEHMANN_FACTOR = 1.05


@dataclass(frozen=True)
class Interval:
    """An estimate between two one-sided bounds; infinite where there is no bound. Logarithms of ratios."""

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Levels:
    """One-sided nominal levels of the two bounds: what passes rests on the lower one, what fails on the upper."""

    lower: float
    upper: float


def location_interval(values: Sequence[float], levels: Levels, spread: Spread | None) -> Interval:
    """Bounds of the true log ratio from one value a snapshot. A level of 0 has no bound, and neither has one snapshot.

    Raises ``ValueError`` where a value is not finite, or there is none.
    """
    require_finite(values)
    walsh = walsh_averages(values)
    estimate = statistics.median(walsh)
    if spread is None:
        lower, upper = (depth(signed_rank_tails(len(values)), level) for level in (levels.lower, levels.upper))
        return Interval(estimate, walsh[lower - 1] if lower else -math.inf, walsh[-upper] if upper else math.inf)
    if len(values) < 2:
        return Interval(estimate, -math.inf, math.inf)
    error = HODGES_LEHMANN_FACTOR * spread.of_mean(len(values))
    guard = guard_depth(len(values))
    return Interval(
        estimate,
        min(estimate - reach(spread, levels.lower) * error, walsh[guard - 1]),
        max(estimate + reach(spread, levels.upper) * error, walsh[-guard]),
    )


def guard_depth(count: int) -> int:
    """Which of the ordered Walsh averages no bound may pass; the outermost where none has the guard's level."""
    return max(1, depth(signed_rank_tails(count), GUARD_LEVEL))


def reach(spread: Spread, level: float) -> float:
    """Standard deviations from estimate to bound; infinite at a level of 0."""
    return spread.quantile(level) if level > 0 else math.inf


def require_finite(values: Sequence[float]) -> None:
    """Raise ``ValueError`` where there are no values, or one is no finite number: nothing can be bounded with it."""
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError(f"an interval needs finite values, one a snapshot, not {list(values)!s:.120}")
