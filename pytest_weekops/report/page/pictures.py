"""The pictures of cells: every launch, throughput with its limits, and the host below it, all in the order of time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from pytest_weekops.report.page.drawing import (
    Picture,
    finite,
    line_at,
    new_figure,
    picture,
    plain_log,
    shade,
    slots,
    whisker,
    widened,
)
from pytest_weekops.report.page.shown import Attempt, Cell
from pytest_weekops.report.page.svg import BAD, FAINT, INK, SERIES, VOID

_LEVELS = 150  # heights that can be told apart in the picture of launches
_MOST_NAMED = 30  # measurements of a cell, beside each of which there is room for a word
_RIGHT = ("ok", "void", "flaky")  # measurements that need not count, and whose results were right
_FAR = 3.0  # a limit this many times away from everything measured would flatten the picture: the caption names it


def cell_picture(cell: Cell) -> Picture | None:
    """One cell; None where nothing of it was launched."""
    attempts = cell.attempts
    if all(map(_is_bare, attempts)):
        return None
    host = any(each.host_ms is not None for each in attempts)
    load = any(each.load_percent is not None for each in attempts)
    launched = any(each.launches_ms or each.left_out_ms for each in attempts)
    heights = [2.0 if launched else 1.2, 1.6, *([0.8] if host else []), *([0.7] if load else [])]
    figure = new_figure(sum(heights) + 0.65 + 0.27 * (len(heights) - 1), panels=len(heights))
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    (_launches if launched else _p95)(panels[0], attempts, cell)
    _bare(panels[0], attempts)
    _throughput(panels[1], attempts, cell)
    if host:
        _host(panels[2], attempts)
    if load:
        _load(panels[-1], attempts)
    voids = [place for place, each in enumerate(attempts) if each.status == "void"]
    for panel in panels:
        shade(panel, voids)
    labels = [str(each.snapshot) for each in attempts]
    extra = 1 if cell.interval is not None else 0
    slots(panels[-1], len(attempts) + extra, [*labels, "run"][: len(labels) + extra])
    panels[-1].set_xlabel(_when(attempts) if launched else "run, in the order of the file")
    shown = "launches, throughput and host" if launched else "p95 and throughput"
    return picture(figure, cell.anchor, f"{cell.name}: {shown}", _caption(cell, len(voids)))


def _is_bare(attempt: Attempt) -> bool:
    """Whether nothing of it can be drawn: it crashed, was skipped, or was recorded as failed."""
    return not (attempt.launches_ms or attempt.left_out_ms or attempt.is_counted)


def _bare(axes: Axes, attempts: Sequence[Attempt]) -> None:
    """A cross for each that left no launch, so that nobody takes the rest for all there was."""
    for place, each in enumerate(attempts):
        if _is_bare(each):
            style: dict[str, Any] = {"color": _color(each), "transform": axes.get_xaxis_transform()}
            axes.plot([place], [0.42], "X", markersize=6, zorder=5, **style)
            if len(attempts) <= _MOST_NAMED:
                axes.text(place, 0.5, each.status, rotation=90, ha="center", va="bottom", fontsize=7, **style)


def _color(attempt: Attempt) -> str:
    return SERIES[0] if attempt.is_counted else VOID if attempt.status in _RIGHT else BAD


def _when(attempts: Sequence[Attempt]) -> str:
    times = finite([each.minutes for each in attempts])
    void = any(each.status == "void" for each in attempts)
    words = "snapshot, in the order measured" + (" (grey: void)" if void else "")
    return f"{words}, +{min(times):.0f} to +{max(times):.0f} min" if times and max(times) >= 1 else words


def _launches(axes: Axes, attempts: Sequence[Attempt], cell: Cell) -> None:
    """Every launch adds to the dash at its time: the wider a dash, the more launches took that long."""
    every = [ms for each in attempts for ms in (*each.launches_ms, *each.left_out_ms)]
    axes.set_title(f"launches, ms ({len(every)}, every one)")
    shown = finite(every)
    if not shown:
        return
    near = [each for each in cell.ceilings_ms if max(shown) / _FAR <= each.value <= max(shown) * _FAR]
    plain_log(axes, shown)
    for limit in near:
        line_at(axes, limit.value, limit.words)
    is_log = axes.get_yscale() == "log"
    for place, each in enumerate(attempts):
        _dashes(axes, place, each.launches_ms, _color(each), shown, is_log=is_log)
        _dashes(axes, place, each.left_out_ms, FAINT, shown, is_log=is_log)
        if each.is_counted and each.median_ms is not None and each.p95_ms is not None:
            axes.plot([place - 0.42, place + 0.42], [each.median_ms] * 2, color=INK, linewidth=1.3, zorder=5)
            axes.plot([place], [each.p95_ms], marker="^", color=BAD, markersize=3.5, zorder=5)
    _spread(axes, 0.08)


def _p95(axes: Axes, attempts: Sequence[Attempt], _cell: Cell) -> None:
    """Of a recorded run, which kept no launch."""
    axes.set_title("p95 of launches, ms, as recorded")
    known = [(place, each.p95_ms) for place, each in enumerate(attempts) if each.p95_ms is not None]
    if known:
        axes.plot(*zip(*known, strict=True), marker="^", color=BAD, markersize=4, linestyle="none")
        plain_log(axes, [value for _place, value in known])
    _spread(axes, 0.15)


def _spread(axes: Axes, margin: float) -> None:
    axes.margins(y=margin)
    if axes.get_yscale() == "linear" and axes.has_data():
        axes.set_ylim(*widened(*axes.get_ylim()))


def _dashes(
    axes: Axes, place: int, times: Sequence[float], color: str, every: Sequence[float], *, is_log: bool
) -> None:
    usable = np.array([ms for ms in finite(times) if ms > 0 or not is_log])
    if not usable.size:
        return
    low, high = min(each for each in every if each > 0 or not is_log), max(every)
    scale = np.log if is_log else np.asarray
    span = float(scale(high) - scale(low)) or 1.0
    levels = np.rint((scale(usable) - scale(low)) / span * _LEVELS)
    found, first, counts = np.unique(levels, return_index=True, return_counts=True)
    half = 0.1 + 0.3 * counts / max(6, counts.max())
    xs = np.column_stack([place - half, place + half, np.full(len(found), np.nan)]).ravel()
    ys = np.column_stack([usable[first], usable[first], np.full(len(found), np.nan)]).ravel()
    axes.plot(xs, ys, color=color, linewidth=1.5, alpha=0.75, zorder=4)


def _throughput(axes: Axes, attempts: Sequence[Attempt], cell: Cell) -> None:
    axes.set_title(f"throughput, {cell.unit}, of each snapshot")
    counted = [(place, each) for place, each in enumerate(attempts) if each.throughput is not None]
    ends = finite([value for _place, each in counted for value in (each.throughput, each.low, each.high)])
    if not ends:
        axes.text(0.5, 0.5, "no measurement counts", transform=axes.transAxes, ha="center", va="center", color=BAD)
        axes.set_yticks([])
        return
    near = [each for each in cell.floors if min(ends) / _FAR <= each.value <= max(ends) * _FAR]
    marks = [*ends, *(each.value for each in near)]
    room = 0.12 * ((max(marks) - min(marks)) or max(marks) * 0.1)
    axes.set_ylim(*widened(min(marks) - room, max(marks) + 1.6 * room))
    for limit in near:
        line_at(axes, limit.value, limit.words)
    for place, each in counted:
        if each.low is None and each.high is None:  # a recorded mean, of which no more is known
            axes.plot([place], [each.throughput or math.nan], "o", color=SERIES[0], markersize=4.5, zorder=5)
        else:
            whisker(axes, place, each.throughput or math.nan, each.low, each.high, SERIES[0])
    if cell.interval is not None:
        whisker(axes, len(attempts), *cell.interval, INK, marker="D")


def _host(axes: Axes, attempts: Sequence[Attempt]) -> None:
    known = [(place, each.host_ms) for place, each in enumerate(attempts) if each.host_ms is not None]
    usual = statistics.median(value for _place, value in known) or 1.0
    shares = [(place, 100.0 * value / usual) for place, value in known]
    axes.set_title("host's time for fixed work, % of its median")
    axes.plot(*zip(*shares, strict=True), "o-", color=SERIES[1], markersize=3.5, linewidth=1)
    ends = [share for _place, share in shares]
    low, high = min(*ends, 90), max(*ends, 110)
    room = max(3.0, 0.08 * (high - low))
    axes.set_ylim(low - room, high + room)


def _load(axes: Axes, attempts: Sequence[Attempt]) -> None:
    known = [(place, each.load_percent) for place, each in enumerate(attempts) if each.load_percent is not None]
    axes.set_title("CPU time that others had, %")
    axes.bar([place for place, _value in known], [value for _place, value in known], 0.6, color=SERIES[2])
    axes.set_ylim(0, max(10.0, *(1.15 * value for _place, value in known)))


def _caption(cell: Cell, voids: int) -> str:
    """What is said of this cell alone; how to read all of them stands once above."""
    words = []
    if voids:
        words.append(f"{voids} void {'measurement' if voids == 1 else 'measurements'} in grey.")
    bad = [each.status for each in cell.attempts if not each.is_counted and each.status not in _RIGHT]
    if bad:
        words.append(f"In red, {len(bad)} that count for nothing: {', '.join(dict.fromkeys(bad))}.")
    limits = (*cell.floors, *cell.ceilings_ms)
    words.append(
        f"Limits: {'; '.join(each.words for each in limits)}." if limits else "Nothing bounds this cell's speed."
    )
    return " ".join(words)
