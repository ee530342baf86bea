"""Snapshots that fall out of their series: a collapse that came back is no trend, and no less bad."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, levels_of, look_by_look
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import Series

WITNESSES = 2  # snapshots that have to fall before it is certain: one alone may be the host's
# Of the lowest value, the higher median is at most the median of the others, whose variance is at most 0.45 of one's.
_FALL_FACTOR = 1.21


def answer_fall(series: Series, fall: float, plan: LookPlan, errors: Errors, *, witnesses: int = WITNESSES) -> Answer:
    """Whether single snapshots fall by more than ``fall``, a log ratio above 0, and more than noise explains.

    The estimate is the ``witnesses``-th deepest fall, each the least of what the lanes show, so that it fails where so
    many snapshots fell in every lane. It passes where no snapshot fell so far. Without a spread nothing is certain.
    """
    count = len(series.means)

    def bounds(look: int, levels: Levels) -> Interval:
        deepest = sorted(max(each) for each in zip(*(depths(lane[:look]) for lane in series.lanes), strict=True))
        if len(deepest) < witnesses:  # nothing is certain, and what did not fall so far passes
            return Interval(deepest[0], deepest[0], math.inf) if deepest else Interval(0.0, -math.inf, math.inf)
        noise = math.inf if series.spread is None else fall_reach(look, levels.upper, series.spread)
        return Interval(deepest[witnesses - 1], deepest[0], deepest[witnesses - 1] + noise)

    return look_by_look(series.name, -fall, bounds, levels_of(plan, errors, count, None), count, errors)


def depths(values: Sequence[float]) -> list[float]:
    """How far each snapshot after the first lies off what it could have fallen from; below 0 is a fall.

    That is the median of the series, and of what came before it, whichever is lower: the beginning of an improvement is
    no fall, and a cold first snapshot is none. Of two middle values the higher one is the median here: while no more
    than half have fallen, none of them excuses another by falling further. A fall that stays is a trend.
    """
    center = _high_median(values)
    return [values[place] - min(center, _high_median(values[:place])) for place in range(1, len(values))]


def _high_median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def fall_reach(count: int, level: float, spread: Spread) -> float:
    """How deep any of so many snapshots falls with that probability, at most, though nothing happened: a log ratio."""
    return spread.reach(level / (count - 1)) * _FALL_FACTOR * spread.sd
