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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.core.week.history import Point, Series
    from pytest_weekops.core.week.history_terms import Change

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


@dataclass(frozen=True)
class Step:
    """A run of a series as far as its level goes: its number, None where it has none, and what changed in it.

    It is little beside the run itself, and can be sent to another process.
    """

    run_id: str
    number: float | None
    changes: tuple[Change, ...]


def measured(series: Series) -> tuple[Point, ...]:
    """The runs that have a number."""
    return tuple(point for point in series.points if point.throughput is not None)


def steps(series: Series) -> tuple[Step, ...]:
    """Every run of a series, those without a number as well."""
    return tuple(Step(point.run.run_id, point.throughput, point.changes) for point in series.points)


def numbers_of(found: Sequence[Step]) -> list[float]:
    """The numbers that there are, in order."""
    return [step.number for step in found if step.number is not None]


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


def shifts(found: Sequence[Step], starts: Sequence[int]) -> tuple[Shift, ...]:
    """What begins at those places of :func:`numbers_of`, in order."""
    places = [place for place, step in enumerate(found) if step.number is not None]
    edges = [0, *starts, len(places)]
    numbers = numbers_of(found)
    medians = [statistics.median(map(math.log, numbers[start:end])) for start, end in pairwise(edges)]
    return tuple(
        Shift(found[places[start]].run_id, 100.0 * math.expm1(after - before), _beside(found, places, start))
        for start, (before, after) in zip(starts, pairwise(medians), strict=True)
    )


def _beside(found: Sequence[Step], places: Sequence[int], start: int) -> tuple[tuple[str, Change], ...]:
    """Changes of the runs around a change point, those that have no number among them."""
    first, last = places[start - 1], places[min(start + 1, len(places) - 1)]
    return tuple((step.run_id, change) for step in found[first : last + 1] for change in step.changes)
