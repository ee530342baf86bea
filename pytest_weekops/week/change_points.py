"""Where the level of a cell changed: PELT (Killick, Fearnhead and Eckley 2012) of absolute deviations, by ruptures.

Shown and never gating. ruptures comes with the extra ``history``; without it nothing is looked for, and that is said.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pytest_weekops.core.week.history import Series
from pytest_weekops.core.week.levels import (
    LEAST_LEVEL,
    LEAST_RUNS,
    Shift,
    deviations,
    in_noise,
    measured,
    penalty,
    shifts,
)

NOT_LOOKED = (
    "Change points were not looked for: ruptures is not installed, which finds them. "
    'It comes with `pip install "pytest-weekops[history]"`.'
)


def can_look() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("ruptures") is not None


def level_starts(numbers: Sequence[float]) -> list[int]:
    """Where a new level begins among throughputs in order, as places; nothing of fewer than ``LEAST_RUNS``."""
    if len(numbers) < LEAST_RUNS:
        return []
    import numpy as np
    import ruptures

    signal = np.array(in_noise(numbers)).reshape(-1, 1)
    search = ruptures.Pelt(custom_cost=_deviations_cost(), min_size=LEAST_LEVEL, jump=1)
    found = search.fit(signal).predict(pen=penalty(len(numbers)))
    return [int(place) for place in found[:-1]]  # the last is the end


def _deviations_cost() -> Any:
    """The library's cost ``l1``, which asks for each segment anew, with all ends of a start found at once."""
    from ruptures.base import BaseCost

    class Deviations(BaseCost):  # type: ignore[misc,unused-ignore]  # the library has no types
        model = "l1"
        min_size = LEAST_LEVEL

        def fit(self, signal: Any) -> Any:
            """Take the numbers."""
            self.signal = signal
            self.numbers = [float(each) for each in signal[:, 0]]
            self.known: dict[int, tuple[list[float], Iterator[float]]] = {}
            return self

        def error(self, start: int, end: int) -> float:
            """What the level from ``start`` up to and without ``end`` costs."""
            if start not in self.known:
                self.known[start] = [], deviations(self.numbers[start:])
            costs, more = self.known[start]
            costs += islice(more, max(0, end - start - len(costs)))  # no more than is asked for: most starts are not
            return costs[end - start - 1]

    return Deviations()


def look(series: Series) -> tuple[Shift, ...] | None:
    """The changes of a series' level; None where it was not looked for them: no library, or too few runs."""
    numbers = [point.throughput for point in measured(series) if point.throughput is not None]
    if not can_look() or len(numbers) < LEAST_RUNS:
        return None
    return shifts(series, level_starts(numbers))
