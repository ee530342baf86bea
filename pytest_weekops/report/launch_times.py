"""All launch times of a cell in two runs, one under the other on one axis of time: how often, as characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.campaign import cell_name
from pytest_weekops.core.judge.run_speed import CellChange
from pytest_weekops.report.strip import Axis, axis_around, table_lines
from pytest_weekops.report.table import number

WIDTH = 30  # columns, and bins
_RAMP = ".:-=+*#@"  # up to the fullest bin; a space is none
LEGEND = f"all launches: how often, from {_RAMP[0]} to {_RAMP[-1]} in each run, on one logarithmic axis per cell"


@dataclass(frozen=True)
class LaunchTimes:
    """Both runs' launches of one cell, counted in bins of equal width on a logarithmic axis between two times in ms."""

    name: str
    low_ms: float
    high_ms: float
    first: tuple[int, ...]
    second: tuple[int, ...]

    @property
    def strips(self) -> tuple[str, str]:
        """Each run's bins as characters, fuller ones darker, each run by its own fullest bin."""
        return _strip(self.first), _strip(self.second)

    @property
    def ends(self) -> tuple[str, str]:
        """What the two ends of the strips are, in ms."""
        return number(self.low_ms, 3), number(self.high_ms, 3)


def launch_times(change: CellChange) -> LaunchTimes:
    """The launches of a cell that both runs measured."""
    sides = [[math.log(ms) for ms in side.launches_ms if ms > 0] for side in (change.first, change.second)]
    axis = axis_around([value for side in sides for value in side], WIDTH)
    first, second = (_counts(axis, side) for side in sides)
    return LaunchTimes(cell_name(change.cell), math.exp(axis.low), math.exp(axis.high), first, second)


def _counts(axis: Axis, values: Sequence[float]) -> tuple[int, ...]:
    found = [0] * axis.width
    for place in axis.places(values):
        found[place] += 1
    return tuple(found)


def _strip(counts: Sequence[int]) -> str:
    fullest = max(counts, default=0)
    return "".join(_RAMP[math.ceil(count / fullest * len(_RAMP)) - 1] if count else " " for count in counts)


def launch_lines(cells: Sequence[CellChange]) -> list[str]:
    """A table of two lines per cell, at most 80 columns, and what its characters are; nothing without a cell."""
    rows: list[tuple[str, ...]] = []
    for times in map(launch_times, cells):
        (low, high), (first, second) = times.ends, times.strips
        rows += [(times.name, "1st", low, first, high), ("", "2nd", "", second, "")]
    columns = (("cell", "<"), ("run", "<"), ("from ms", ">"), ("all launches", "<"), ("to ms", ">"))
    return [*table_lines(columns, rows), "", LEGEND] if rows else []


def launch_document(change: CellChange) -> dict[str, Any]:
    """The same as JSON data: the ends of a logarithmic axis of as many bins as there are counts."""
    times = launch_times(change)
    return {"low_ms": times.low_ms, "high_ms": times.high_ms, "a": list(times.first), "b": list(times.second)}
