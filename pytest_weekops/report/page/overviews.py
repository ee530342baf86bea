"""The pictures of a whole run: what was measured, all limits, a split's ratios, and the guard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from pytest_weekops.report.page.attendance import MISSING
from pytest_weekops.report.page.drawing import (
    STATUS_COLORS,
    Picture,
    finite,
    line_at,
    new_figure,
    picture,
    plain_log,
    slots,
    whisker,
)
from pytest_weekops.report.page.shown import Answer, Attendance, Comparison, Guarded, Recall
from pytest_weekops.report.page.svg import BAD, FAINT, GOOD, INK, OPEN, SERIES, VOID

_MARKS = {"ok": ("s", GOOD), "void": ("s", VOID), "skipped": ("_", BAD), MISSING: ("_", BAD), "flaky": ("D", OPEN)}
_MOST_ROWS = 60
_ASKED = {
    "floor": "floor",
    "baseline": "share of the baseline",
    "p95": "p95",
    "ratio": "ratio",
    "latency": "p95 ratio",
    "trend": "trend",
    "fall": "deepest fall",
    "overhead": "guard's overhead",
}


def attendance_picture(shown: Attendance) -> Picture | None:
    """Cells by snapshots; None for a run that measures nothing."""
    if not shown.cells:
        return None
    rows, columns = len(shown.cells), len(shown.columns)
    figure = new_figure(0.7 + 0.54 * rows, left=0.08)
    axes = figure.subplots()
    size = max(1.5, min(7.0, 250.0 / max(columns, 1)))
    for status in dict.fromkeys(place.status for place in shown.places):
        marker, color = _MARKS.get(status, ("X", BAD))
        mine = [(place.column, place.cell) for place in shown.places if place.status == status]
        axes.plot(*zip(*mine, strict=True), marker, color=color, markersize=size, markeredgewidth=1.5, linestyle="none")
    for place in shown.places:
        if place.voids and columns <= 24:
            at = (place.column, place.cell)
            axes.annotate(f"{place.voids}v", at, (8, -3), textcoords="offset points", fontsize=7.5, color=FAINT)
    _names(axes, shown.cells)
    slots(axes, columns, shown.columns, most=14 if len(shown.columns[0]) < 4 else 3)
    axes.set_xlabel("snapshot" if any(label[:1].isdigit() for label in shown.columns) else "")
    caption = (
        "Green squares were measured and are right. Grey: every attempt was void; a number with v counts void attempts "
        "before the one that counts. Red: wrong, crashed, hung or missing."
    )
    return picture(figure, "attendance", "What was measured: cells by snapshots", caption)


def _names(axes: Axes, names: Sequence[str]) -> None:
    """A name above each row, left, so that long ones have room on a narrow screen as well."""
    for row, name in enumerate(names):
        axes.annotate(
            name, (0, row), xycoords=("axes fraction", "data"), xytext=(2, 7), textcoords="offset points", fontsize=8
        )
    axes.set_ylim(len(names) - 0.5, -0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")


@dataclass(frozen=True)
class _Line:
    """One line of a forest plot, in the picture's own unit; an end that is None is open."""

    name: str
    value: float
    low: float | None
    high: float | None
    color: str


def limits_picture(answers: Sequence[Answer]) -> Picture | None:
    """Every limit of a run with looks; None without any."""
    if not answers:
        return None
    order = {"fail": 0, "inconclusive": 1, "no_data": 1}
    ranked = sorted(answers, key=lambda each: (order.get(each.status, 2), each.margin))[:_MOST_ROWS]
    lines = [
        _Line(
            f"{each.name}, {_ASKED.get(each.asked, each.asked)} {each.margin:+.1f} %",
            each.margin,
            each.low,
            each.high,
            STATUS_COLORS.get(each.status, INK),
        )
        for each in ranked
    ]
    more = (
        f" The {len(answers) - len(ranked)} furthest above their limit are left out."
        if len(ranked) < len(answers)
        else ""
    )
    caption = (
        "How far above its limit each thing lies that the run was asked, in percent, with the interval that the judge "
        "decides by. Right of the line it holds, left of it it is broken; an interval across the line is open. Green "
        f"passed, red failed, amber is not decided.{more}"
    )
    return _forest(lines, 0.0, "limit", "% above the limit", "limits", "All limits of this run", caption)


def split_picture(comparisons: Sequence[Comparison]) -> Picture | None:
    """All comparisons of a split; None without any that has a ratio."""
    measured = [each for each in comparisons if each.ratio is not None]
    if not measured:
        return None
    lines = []
    for each in measured:
        low, high = _range(each)
        color = STATUS_COLORS.get(each.status, INK)
        lines.append(_Line(f"{each.name}, ratio {each.ratio:.3f}", each.ratio or math.nan, low, high, color))
    least = measured[0].least
    ends = (
        "the interval that the judge decides by"
        if any(each.interval is not None for each in measured)
        else f"the range of its {'seeds' if any(each.is_of_seeds for each in measured) else 'snapshots'}"
    )
    caption = (
        f"Candidate over baseline throughput of every kernel and size, with {ends}. Left of the line the candidate is "
        f"slower than {least:g} of the baseline."
    )
    return _forest(lines, least, f"least ratio {least:g}", "candidate / baseline", "ratios", "All ratios", caption)


def _range(each: Comparison) -> tuple[float | None, float | None]:
    if each.interval is not None:
        return each.interval[1], each.interval[2]
    every = [ratio for _seed, series in each.by_seed for _snapshot, ratio in series]
    return min(every, default=None), max(every, default=None)


def _forest(
    lines: Sequence[_Line], limit: float, words: str, unit: str, anchor: str, title: str, caption: str
) -> Picture:
    figure = new_figure(0.75 + 0.42 * len(lines), left=0.08)
    axes = figure.subplots()
    ends = finite([*(each.value for each in lines), *(each.low for each in lines), *(each.high for each in lines)])
    left, right = min([*ends, limit]), max([*ends, limit])
    middle = sorted(abs(each.value - limit) for each in lines)[len(lines) // 2]
    reach = max(4.0 * middle, 0.02)  # one far value must not press all others onto the line
    left, right = max(left, limit - 3 * reach), min(right, limit + 3 * reach)
    room = 0.06 * ((right - left) or 1.0)
    left, right = left - room, right + room
    axes.set_xlim(left, right)
    axes.axvline(limit, color=INK, linewidth=1.1)
    for row, each in enumerate(lines):
        low = left if each.low is None else max(left, min(each.low, right))
        high = right if each.high is None else min(right, max(each.high, left))
        axes.plot([low, high], [row, row], color=each.color, linewidth=1.6)
        value = min(max(each.value, left), right)
        marker = "D" if value == each.value else "<" if value == left else ">"
        axes.plot([value], [row], marker, color=each.color, markersize=5, clip_on=False)
    _names(axes, [each.name for each in lines])
    axes.set_xlabel(f"{unit} (line: {words})")
    return picture(figure, anchor, title, caption)


def _places_of(shown: Comparison) -> str:
    """What each ratio is of."""
    return "seed" if shown.is_of_seeds else "snapshot"


@dataclass(frozen=True)
class _Dots:
    """Ratios that share a marker, each at the name of its snapshot or seed."""

    label: str
    ratios: tuple[tuple[int | str, float], ...]


def _dots(shown: Comparison) -> tuple[list[int | str], list[_Dots]]:
    """The places of a picture of ratios, in order, and what stands at them."""
    if shown.is_of_seeds:
        ratios = tuple((seed, ratio) for seed, series in shown.by_seed for _all, ratio in series)
        return [seed for seed, _ratio in ratios], [_Dots("", ratios)]
    found = [
        _Dots(f"seed {seed}", tuple((place, ratio) for place, ratio in series if place is not None))
        for seed, series in shown.by_seed
    ]
    return [*sorted({place for _seed, series in shown.by_seed for place, _ratio in series if place is not None})], found


def comparison_picture(shown: Comparison) -> Picture | None:
    """The ratio of each snapshot and seed; None where nothing could be compared."""
    names, found = _dots(shown)
    points = [ratio for dots in found for _place, ratio in dots.ratios]
    if not finite(points):
        return None
    place_of = {name: place for place, name in enumerate(names)}
    count = len(found)
    figure = new_figure(2.7, below=0.75 if count > 1 else 0.42)
    axes = figure.subplots()
    plain_log(axes, points)
    marks = [*finite(points), shown.least]
    room = 0.1 * ((max(marks) - min(marks)) or max(marks))
    bottom = min(marks) - room if axes.get_yscale() == "linear" else min(marks) / 1.2
    axes.set_ylim(bottom, max(marks) + 1.5 * room)
    for order, dots in enumerate(found):
        shift = 0.5 * ((order + 0.5) / count - 0.5)
        xs, ys = [place_of[name] + shift for name, _ratio in dots.ratios], [ratio for _name, ratio in dots.ratios]
        axes.plot(xs, ys, "osv^DP"[order % 6], color=SERIES[order % 6], markersize=5, label=dots.label)
    if shown.ratio is not None:
        low, high = shown.interval[1:] if shown.interval is not None else (shown.ratio, shown.ratio)
        whisker(axes, len(names), shown.ratio, low, high, INK, marker="D")
    line_at(axes, shown.least, f"least ratio {shown.least:g}")
    if bottom < 1.0 < axes.get_ylim()[1] and shown.least != 1.0:
        line_at(axes, 1.0, "as fast as the baseline", FAINT)
    axes.set_title("candidate / baseline throughput")
    labels = [*map(str, names), "all" if shown.is_of_seeds else "run"]
    slots(axes, len(labels), labels, most=14 if max(map(len, labels)) < 6 else 5)
    axes.set_xlabel(_places_of(shown))
    if count > 1:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=min(count, 4), fontsize=8, frameon=False)
    return picture(figure, shown.anchor, f"{shown.name}: ratio of each {_places_of(shown)}", _ratio_caption(shown))


def _ratio_caption(shown: Comparison) -> str:
    if shown.is_of_seeds:
        words = "The ratio of each seed's means as recorded; at the right that of the means over all seeds."
    else:
        interval = ", with the interval that the judge decides by" if shown.interval is not None else ""
        words = f"The ratio of each snapshot, seed by seed; at the right over the whole run{interval}."
    return f"{words} Below the dashed line the candidate is too slow."


def overhead_picture(guarded: Sequence[Guarded], limit: float | None) -> Picture | None:
    """What the guard cost in each cell and snapshot; None where nothing was guarded."""
    shown = [each for each in guarded if finite([one.percent for one in each.overheads])]
    if not shown:
        return None
    figure = new_figure(0.65 + 1.15 * len(shown), panels=len(shown))
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, each in zip(panels, shown, strict=True):
        values = finite([end for one in each.overheads for end in (one.percent, one.low, one.high)])
        near = limit is not None and limit <= 4 * max(*values, 0.1)
        top = max([*values, *([limit] if limit is not None and near else [])])
        axes.set_ylim(0, 1.35 * top or 1.0)
        axes.set_title(each.name)
        for place, one in enumerate(each.overheads):
            low, high = (one.percent if end is None else end for end in (one.low, one.high))
            if math.isfinite(one.percent):
                whisker(axes, place, one.percent, low, high, SERIES[0])
        if limit is not None and near:
            line_at(axes, limit, f"at most {limit:g} %")
        slots(axes, len(each.overheads), [str(one.snapshot) for one in each.overheads])
    panels[-1].set_xlabel("snapshot")
    bound = "" if limit is None else f" The policy allows {limit:g} %."
    caption = f"Time of the checks in percent of a launch, median over launches, with its 95 % interval.{bound}"
    return picture(figure, "t5-overhead", "What the guard costs, % of a launch", caption)


def recall_picture(place: int, shown: Recall) -> Picture | None:
    """Flips caught, bit by bit; None where none was planted."""
    bits = [each for each in shown.bits if each.tried]
    if not bits:
        return None
    figure = new_figure(2.2)
    axes = figure.subplots()
    for each in bits:
        axes.bar(each.bit, 100 * each.share, 0.8, color=SERIES[0])
        axes.plot([each.bit] * 2, [100 * each.low, 100 * each.high], color=INK, linewidth=1)
    axes.set_ylim(0, 108)
    axes.set_xlim(-0.7, 31.7)
    axes.set_xlabel("bit of the result: 0 to 22 mantissa, 23 to 30 exponent, 31 sign")
    axes.set_title("flips caught, %")
    caption = (
        f"Fault campaign of {shown.name}, made {shown.made_at}: the share of planted flips that the guard caught, with "
        "its exact 95 % interval. Flips of the lowest bits change a result less than rounding does, and are not meant "
        "to be caught."
    )
    return picture(figure, f"t5-recall-{place}", f"Recall by bit: {shown.name}", caption)
