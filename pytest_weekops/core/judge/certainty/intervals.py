"""Estimate and one-sided bounds of a location from a few snapshots, none of which rises where a value falls.

Where a spread is known, a bound is where the censored scores (`scores.py`) reach the level, *and* not inside of the
sign test's bound of one in five: of three snapshots all lie on the bound's side, of twelve all but four. So a spread
that is wrong, or noise of any shape, errs in at most one look of five. Without a spread the ranks stand alone at the
level asked for, and where they have none there is no bound. The estimate is that of Hodges and Lehmann (1963).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.certainty.ranks import depth, sign_tails, signed_rank_tails, walsh_averages
from pytest_weekops.core.judge.certainty.scores import Score
from pytest_weekops.core.judge.certainty.spread import Spread

GUARD_LEVEL = 0.2


@dataclass(frozen=True)
class Interval:
    """An estimate and two one-sided bounds; infinite where there is no bound. Logarithms of ratios."""

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
    walsh, count = walsh_averages(values), len(values)
    estimate = statistics.median(walsh)
    if spread is None:
        lower, upper = (depth(signed_rank_tails(count), level) for level in (levels.lower, levels.upper))
        return Interval(estimate, walsh[lower - 1] if lower else -math.inf, walsh[-upper] if upper else math.inf)
    if count < 2:
        return Interval(estimate, -math.inf, math.inf)
    ordered, guard = sorted(values), guard_depth(count)
    return Interval(
        estimate,
        min(Score(spread, count, levels.lower).lower(values), ordered[guard - 1]),
        max(Score(spread, count, levels.upper).upper(values), ordered[-guard]),
    )


def guard_depth(count: int) -> int:
    """Which of the ordered values no bound may pass; the outermost where none has the guard's level."""
    return max(1, depth(sign_tails(count), GUARD_LEVEL))


def require_finite(values: Sequence[float]) -> None:
    """Raise ``ValueError`` where there are no values, or one is no finite number: nothing can be bounded with it."""
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError(f"an interval needs finite values, one a snapshot, not {list(values)!s:.120}")
