"""A cell's history as a picture: every run's throughput with its bounds, levels, and where something was changed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from pytest_weekops.core.week.history_terms import IMPORTED
from pytest_weekops.report.page.drawing import Picture, finite, new_figure, picture, plain_log, slots
from pytest_weekops.report.page.svg import BAD, FAINT, GRID, INK, OPEN, SERIES, VOID
from pytest_weekops.report.site.shown import CellPage, CellPoint

_MOST_NAMED = 16  # with more changes, none is named in the picture; the list below names all
_FAR = 1.5  # times the distance of the runs from their middle: bounds beyond it would flatten the picture


def history_picture(cell: CellPage) -> Picture | None:
    """One cell over its runs; None where no run has a number."""
    every = finite([point.throughput for point in cell.points])
    if not every:
        return None
    figure = new_figure(3.3, below=0.55)
    axes = figure.subplots()
    plain_log(axes, every)
    _frame(axes, cell.points, every)
    _bounds(axes, cell.points)
    _changes(axes, cell.points)
    _levels(axes, cell)
    _runs(axes, cell.points)
    axes.set_title(f"throughput, {cell.unit}")
    slots(axes, len(cell.points), [point.run.place.week.words for point in cell.points], most=5)
    axes.set_xlabel("run, oldest first, with its week")
    return picture(figure, "history", f"{cell.name}: throughput over {len(cell.points)} runs", _caption(cell))


def _caption(cell: CellPage) -> str:
    runs = "Filled: the run promoted; open: it did not. A star is a run that was pinned as baseline."
    bounds = "The line is as far as the true number may be, by the spread that the run's own policy assumes."
    words = [runs, bounds]
    if any(point.run.verdict == IMPORTED for point in cell.points):
        words = ["Every point is a campaign that was recorded elsewhere: it has no verdict here, and counts for none."]
    if any(point.marks for point in cell.points):
        words.append("Upright lines: D another driver, H other hardware, P another policy; the list below names them.")
    if cell.shifts:
        words.append("Steps are levels between change points, as medians.")
    return " ".join(words)


def _frame(axes: Axes, points: Sequence[CellPoint], every: Sequence[float]) -> None:
    """Room for all runs, and for their bounds as far as they do not press the runs together."""
    low, high = min(every), max(every)
    wide = finite([*(point.low for point in points), *(point.high for point in points)])
    if axes.get_yscale() == "log":
        axes.set_ylim(low / 1.3, high * 1.5)
        return
    reach = max(_FAR * (high - low), 0.08 * high)
    bottom, top = max(low - reach, min([*wide, low])), min(high + reach, max([*wide, high]))
    room = 0.06 * (top - bottom) or 0.05 * high
    axes.set_ylim(bottom - room, top + 2.5 * room)


def _bounds(axes: Axes, points: Sequence[CellPoint]) -> None:
    bottom, top = axes.get_ylim()
    lines = [
        (place, max(point.low, bottom), min(point.high, top))
        for place, point in enumerate(points)
        if point.low is not None and point.high is not None and len(finite([point.low, point.high])) == 2
    ]
    _upright(axes, lines, GRID, _width(len(points), 1.6), "-")


def _upright(axes: Axes, lines: Sequence[tuple[float, float, float]], color: str, width: float, style: Any) -> None:
    """Upright lines from one height to another, as one path."""
    if lines:
        xs = [x for place, _low, _high in lines for x in (place, place, math.nan)]
        ys = [y for _place, low, high in lines for y in (low, high, math.nan)]
        axes.plot(xs, ys, color=color, linewidth=width, linestyle=style, zorder=1.5)


def _runs(axes: Axes, points: Sequence[CellPoint]) -> None:
    size = max(1.8, min(5.0, 200.0 / len(points)))
    for verdict, color, fill in (("promote", SERIES[0], SERIES[0]), (IMPORTED, VOID, VOID), ("", BAD, "none")):
        mine = list(_places(points, verdict))
        if mine:
            places, numbers = zip(*mine, strict=True)
            axes.plot(
                places, numbers, "o", color=color, markerfacecolor=fill, markersize=size, linestyle="none", zorder=5
            )
    for place, point in enumerate(points):
        for number in finite([point.throughput]) if point.pinned else ():
            axes.plot([place], [number], "*", color=OPEN, markersize=10, zorder=6)


def _places(points: Sequence[CellPoint], verdict: str) -> Iterator[tuple[int, float]]:
    """Those with this verdict; without one, those with any severity."""
    for place, point in enumerate(points):
        for number in finite([point.throughput]):
            if (point.run.verdict if point.run.verdict in ("promote", IMPORTED) else "") == verdict:
                yield place, number


def _changes(axes: Axes, points: Sequence[CellPoint]) -> None:
    told = [(place - 0.5, "".join(mark for mark in point.marks if mark in "DHP")) for place, point in enumerate(points)]
    changed = [(place, marks) for place, marks in told if marks]
    for color, mine in ((INK, True), (FAINT, False)):
        lines = [(place, *axes.get_ylim()) for place, marks in changed if ("D" in marks) is mine]
        _upright(axes, lines, color, _width(len(points), 0.9), (0, (3, 3)))
    for place, marks in changed if len(changed) <= _MOST_NAMED else ():
        at, style = (place, 1.0), {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        axes.annotate(marks, at, (2, -9), fontsize=8, color=INK, zorder=6, **style)  # type: ignore[arg-type]


def _levels(axes: Axes, cell: CellPage) -> None:
    if not cell.shifts:
        return
    starts = {shift.run_id for shift in cell.shifts}
    edges = [0, *(place for place, point in enumerate(cell.points) if point.run.run_id in starts), len(cell.points)]
    for start, end in pairwise(edges):
        numbers = [number for point in cell.points[start:end] for number in finite([point.throughput])]
        if numbers:
            level = math.exp(statistics.median(map(math.log, numbers)))
            axes.plot([start - 0.45, end - 0.55], [level, level], color=INK, linewidth=1.3, zorder=4)


def _width(count: int, most: float) -> float:
    """Lines thin enough to stand apart."""
    return max(0.35, min(most, 120.0 / count))
