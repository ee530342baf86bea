"""Falls within one run: a trend over its snapshots, and snapshots that fall out of the series.

Neither needs a baseline. Lanes that measured the same variant, size and platform in the same snapshots are witnesses
of one thing: their mean is bounded, and where they contradict each other nothing is certain. "Worse" means a steeper
fall here: a first snapshot that was slower makes the fall smaller, and is the floors' business.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, levels_of, look_by_look
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels, require_finite
from pytest_weekops.core.judge.certainty.ranks import depth, discordance_tails, pairwise_slopes
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread

# The Theil-Sen line's standard deviation over that of least squares, and its quantiles to one in 3,000: at most 1.11
# for three to twenty normal values by simulation.
THEIL_SEN_FACTOR = 1.12
GUARD_LEVEL = 0.05  # of the order of the snapshots; three have none, since one that is spoilt at an end makes a trend


@dataclass(frozen=True)
class Series:
    """One thing's log speeds, one a snapshot in order, as one or more lanes measured them; larger is faster.

    ``spread`` is that of one lane's value: lanes share the host, so that their mean is taken to vary as much.
    """

    name: str
    lanes: tuple[tuple[float, ...], ...]
    spread: Spread | None = None

    def __post_init__(self) -> None:
        for lane in self.lanes:
            require_finite(lane)
        if len({len(lane) for lane in self.lanes}) != 1:
            raise ValueError(f"{self.name}: lanes are judged together where they have the same snapshots")

    @property
    def means(self) -> tuple[float, ...]:
        """The lanes' mean in each snapshot."""
        return tuple(math.fsum(values) / len(values) for values in zip(*self.lanes, strict=True))


def answer_trend(series: Series, fall: float, plan: LookPlan, errors: Errors) -> Answer:
    """Whether log speed falls along the window by more than ``fall``, a number above 0 such as ``-math.log(0.97)``.

    It fails where the fall is certainly larger, and every lane's own line says so too; it passes where it is certainly
    smaller. Raises ``ValueError`` for values that are not finite or more than the plan's budget.
    """
    count = len(series.means)
    ranked = [discordance_tails(look) for look in plan.reached(count)] if series.spread is None else None

    def bounds(look: int, levels: Levels) -> Interval:
        return lanes_interval(series, look, levels)

    return look_by_look(series.name, -fall, bounds, levels_of(plan, errors, count, ranked), count, errors)


def lanes_interval(series: Series, look: int, levels: Levels) -> Interval:
    """The change over the first ``look`` snapshots: bounds of the lanes' mean, no tighter than any lane's own line."""
    found = trend_interval(series.means[:look], levels, series.spread)
    own = [_line(lane[:look]) for lane in series.lanes]
    return Interval(found.estimate, min(found.lower, *own), max(found.upper, *own))


def trend_interval(values: Sequence[float], levels: Levels, spread: Spread | None) -> Interval:
    """The change over the window along the Theil-Sen line (Sen 1968), and its bounds, in log speed.

    With a spread: so many standard deviations from the line, and not inside of the bound that Kendall's S has at one in
    twenty, which asks for four snapshots. Without one that of the level itself.
    """
    steps = len(values) - 1
    slopes = pairwise_slopes(values)
    estimate = _line(values)
    tails = discordance_tails(len(values))
    if spread is None:
        lower, upper = depth(tails, levels.lower), depth(tails, levels.upper)
        return Interval(
            estimate, slopes[lower - 1] * steps if lower else -math.inf, slopes[-upper] * steps if upper else math.inf
        )
    guard = depth(tails, GUARD_LEVEL)
    if not guard:
        return Interval(estimate, -math.inf, math.inf)
    error = THEIL_SEN_FACTOR * trend_error(len(values), spread)
    return Interval(
        estimate,
        min(estimate - spread.reach(levels.lower) * error, slopes[guard - 1] * steps),
        max(estimate + spread.reach(levels.upper) * error, slopes[-guard] * steps),
    )


def trend_error(count: int, spread: Spread) -> float:
    """Standard deviation of the change over the window along the least-squares line."""
    middle = (count - 1) / 2.0
    total = math.fsum((place - middle) ** 2 for place in range(count))
    return spread.of_sum([(place - middle) * (count - 1) / total for place in range(count)])


def _line(values: Sequence[float]) -> float:
    slopes = pairwise_slopes(values)
    return statistics.median(slopes) * (len(values) - 1) if slopes else 0.0
