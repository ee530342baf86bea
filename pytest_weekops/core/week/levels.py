"""A history in levels: what is looked at for change points, and what each of them says. Pure.

Where the levels change is found elsewhere, by a published method; here the numbers are made fit for it. They are logs,
so that a change is a share, in units of their own noise: the median step from run to run, which a single jump does not
move. Nothing is taken to be quieter than half a percent.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_weekops.core.week.history import Change, Point, Series

LEAST_RUNS = 8  # with fewer nothing is looked for
LEAST_LEVEL = 3  # runs of a level: one that stands out is no change
LEAST_NOISE = 0.005  # of a run, in logs
PENALTY = 3.0  # times the log of the number of runs, for each change: chosen on recorded campaigns
_STEP = math.sqrt(2.0) * statistics.NormalDist().inv_cdf(0.75)  # median step of normal noise of deviation 1


@dataclass(frozen=True)
class Shift:
    """The level of a series changed with ``run_id``: ``percent`` is the later level over the one before, as medians.

    ``beside`` has what was another one in that run or its neighbours, with the run's name: a change point is found to
    a run or so.
    """

    run_id: str
    percent: float
    beside: tuple[tuple[str, Change], ...]


def measured(series: Series) -> tuple[Point, ...]:
    """The runs that have a number."""
    return tuple(point for point in series.points if point.throughput is not None)


def in_noise(numbers: Sequence[float]) -> list[float]:
    """The logs of positive numbers in units of their own noise. Raises ``ValueError`` for fewer than two."""
    if len(numbers) < 2:
        raise ValueError(f"noise is seen from one run to the next, and there are {len(numbers)}")
    logs = [math.log(number) for number in numbers]
    step = statistics.median(abs(after - before) for before, after in pairwise(logs))
    noise = max(LEAST_NOISE, step / _STEP)
    return [log / noise for log in logs]


def penalty(count: int) -> float:
    """What a change has to explain of so many runs, in the unit of the summed noise."""
    return PENALTY * math.log(count)


def deviations(numbers: Sequence[float]) -> Iterator[float]:
    """Summed distances of the first, the first two, ... numbers from their own median, in their unit.

    What a level costs, for every end that it may have at once: medians from scratch make a long history slow.
    """
    low: list[float] = []  # negative, so that its largest comes first; one more than above where they are odd
    high: list[float] = []
    below = above = 0.0
    for number in numbers:
        moved = -heapq.heappushpop(low, -number)
        heapq.heappush(high, moved)
        below, above = below + number - moved, above + moved
        if len(high) > len(low):
            moved = heapq.heappop(high)
            heapq.heappush(low, -moved)
            below, above = below + moved, above - moved
        yield max(0.0, above - below - (low[0] if len(low) > len(high) else 0.0))


def shifts(series: Series, starts: Sequence[int]) -> tuple[Shift, ...]:
    """What begins at those places of :func:`measured`, in order."""
    points = measured(series)
    edges = [0, *starts, len(points)]
    medians = [
        statistics.median(math.log(point.throughput or math.nan) for point in points[start:end])
        for start, end in pairwise(edges)
    ]
    return tuple(
        Shift(points[start].run.run_id, 100.0 * math.expm1(after - before), _beside(series, points, start))
        for start, (before, after) in zip(starts, pairwise(medians), strict=True)
    )


def _beside(series: Series, points: Sequence[Point], start: int) -> tuple[tuple[str, Change], ...]:
    """Changes of the runs around a change point, those that have no number among them."""
    first, last = (series.points.index(points[place]) for place in (start - 1, min(start + 1, len(points) - 1)))
    return tuple((point.run.run_id, change) for point in series.points[first : last + 1] for change in point.changes)
