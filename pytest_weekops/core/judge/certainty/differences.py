"""How far one run's values lie from another's, where nothing pairs their snapshots: an estimate and two bounds.

Each run has bounds of its own (`intervals.py`), and the difference of a lower and an upper one bounds the difference of
the truths. Two bounds that each err as often as asked would be too wide, since both have to err: their level is the one
at which their distance is that of one bound of the difference. It follows from spreads and counts alone, so that no
bound rises where a value of the second run falls, or one of the first rises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from pytest_weekops.core.judge.certainty.intervals import Interval, Levels, location_interval, require_finite
from pytest_weekops.core.judge.certainty.spread import Spread

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Side:
    """One run's log speeds, one a snapshot, and how much one of them is known to vary."""

    values: tuple[float, ...]
    spread: Spread


def difference_interval(before: Side, after: Side, levels: Levels) -> Interval:
    """Bounds of the second run's true log speed minus the first's; none where either has one snapshot only.

    ``levels`` are the one-sided errors of the difference. Raises ``ValueError`` where a value is not finite, or a side
    has none.
    """
    for side in (before, after):
        require_finite(side.values)
    lower, upper = (_each(level, before, after) for level in (levels.lower, levels.upper))
    # What bounds the second run from below meets what bounds the first from above.
    first = location_interval(before.values, Levels(upper, lower), before.spread)
    second = location_interval(after.values, Levels(lower, upper), after.spread)
    return Interval(second.estimate - first.estimate, second.lower - first.upper, second.upper - first.lower)


def _each(level: float, before: Side, after: Side) -> float:
    """The level of each run's bound at which both together have the level that is asked for; 0 for 0."""
    if level <= 0:
        return 0.0
    deviations = [side.spread.of_mean(len(side.values)) for side in (before, after)]
    return _NORMAL.cdf(_NORMAL.inv_cdf(level) * math.hypot(*deviations) / math.fsum(deviations))
