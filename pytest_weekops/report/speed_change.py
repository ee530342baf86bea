"""The speeds of two runs side by side, for people at 80 columns and for machines: two views of the same values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.judge.campaign import CellKey, cell_name
from pytest_weekops.core.judge.certainty.intervals import Interval
from pytest_weekops.core.judge.run_speed import CellChange, CellNumbers, SpeedChange
from pytest_weekops.report.launch_times import launch_document, launch_lines
from pytest_weekops.report.strip import axis_around, strip, table_lines
from pytest_weekops.report.table import number

_CHART = 40  # columns

COLUMNS = (
    *(("cell", "<"), ("1st ms", ">"), ("+-%", ">"), ("2nd ms", ">"), ("+-%", ">")),
    *(("ratio", ">"), ("interval", ">"), ("2nd is", "<")),
)


def speed_lines(found: SpeedChange) -> list[str]:
    """Table, chart, and what has to be said of them; at most 80 columns but for the sentences."""
    lines: list[str] = []
    if found.cells:
        lines += [
            *("", *table_lines(COLUMNS, [speed_texts(each) for each in found.cells])),
            *("", *_chart(found), "", *speed_legend(found)),
            *("", *launch_lines(found.cells), ""),
        ]
    lines += [f"  {cell_name(each.cell)}: {each.remark}" for each in found.cells if each.remark]
    return [*lines, *speed_sentences(found)]


def speed_sentences(found: SpeedChange) -> list[str]:
    """What has to be said of all cells together; the last one is what is certain."""
    lines = [f"{sentence}." for sentence in found.elsewhere]
    for words, cells in (
        ("lost, planned in both runs and without numbers in the second", found.lost),
        ("only in the first run", found.only_first),
        ("only in the second run", found.only_second),
    ):
        lines += [f"{words}: {', '.join(map(cell_name, cells))}"] if cells else []
    return [*lines, _conclusion(found)]


def speed_texts(each: CellChange) -> tuple[str, ...]:
    """What stands in each of the columns for a cell."""
    return (
        cell_name(each.cell),
        *(text for side in (each.first, each.second) for text in (number(side.median_ms, 3), _scatter(side))),
        number(math.exp(each.change.estimate), 3),
        _interval(each.change),
        each.status,
    )


def _scatter(side: CellNumbers) -> str:
    return number(side.scatter_percent, 1)


def _interval(change: Interval) -> str:
    if math.isinf(change.upper):
        return "none"
    return f"{number(math.exp(change.lower), 3)}-{number(math.exp(change.upper), 3)}"


def _chart(found: SpeedChange) -> list[str]:
    (low, high), strips = speed_strips(found)
    rows = [(cell_name(each.cell), text) for each, text in zip(found.cells, strips, strict=True)]
    return table_lines((("cell", "<"), (f"{low}{high:>{_CHART - len(low)}}", "<")), rows)


def speed_strips(found: SpeedChange) -> tuple[tuple[str, str], list[str]]:
    """Both ends of a logarithmic axis, and each cell's interval on it: marks at no change and where the margin ends."""
    limit = math.log1p(-found.margin_percent / 100.0)
    changes = [each.change for each in found.cells]
    ends = [value for each in changes for value in (each.lower, each.estimate, each.upper)]
    axis = axis_around([*ends, limit, 0.0], _CHART)
    marks = {limit: "!", 0.0: ":"}
    strips = [strip(axis, each.estimate, (each.lower, each.upper), marks) for each in changes]
    return (f"{math.exp(axis.low):.3f}", f"{math.exp(axis.high):.3f}"), strips


def speed_legend(found: SpeedChange) -> list[str]:
    """What the columns and the chart's marks are."""
    what = " and ".join(dict.fromkeys(each.how for each in found.cells))
    spreads = " and ".join(dict.fromkeys(side.spread for each in found.cells for side in (each.first, each.second)))
    bounded = f"intervals rest on a spread of {spreads}; all {len(found.cells)} together err on one side in at most "
    return [
        f"o ratio of throughput, second over first, {what}; [ ] its interval; : no change; ! {_margin(found)} slower",
        f"ms: median of all launches; +-%: scatter of the snapshots; {bounded}{100 * found.error:g} % of comparisons",
    ]


def _margin(found: SpeedChange) -> str:
    return f"{found.margin_percent:g} %"


def _conclusion(found: SpeedChange) -> str:
    """What is certain and what is not, in one line that a log's reader can search for."""
    if not (found.cells or found.lost):
        return "speed: no cell was measured in both runs, so nothing is said of it"
    slower = [cell_name(each.cell) for each in found.slower]
    words = [f"slower beyond interval and margin ({_margin(found)}): {', '.join(slower) or 'none'}"]
    undecided = sum(each.status == "open" for each in found.cells)
    words += [f"open: {undecided} of {len(found.cells)}"] if undecided else []
    words += [f"lost: {len(found.lost)}"] if found.lost else []
    return f"speed: {'; '.join(words)}"


def speed_document(found: SpeedChange) -> dict[str, Any]:
    """The same as JSON data; null where there is no bound."""
    return {
        "margin_percent": found.margin_percent,
        "error": found.error,
        "cells": [_document(each) for each in found.cells],
        "lost": _keys(found.lost),
        "only_in_a": _keys(found.only_first),
        "only_in_b": _keys(found.only_second),
        "elsewhere": list(found.elsewhere),
        "is_worse": found.is_worse,
    }


def _document(each: CellChange) -> dict[str, Any]:
    return {
        **_key(each.cell),
        "unit": each.unit,
        "status": each.status,
        "of": each.how,
        **_bounds(each.change),
        "over_host": None if each.over_host is None else _bounds(each.over_host),
        "remark": each.remark,
        "a": _side(each.first),
        "b": _side(each.second),
        "launch_times": launch_document(each),
    }


def _side(side: CellNumbers) -> dict[str, Any]:
    return {
        "snapshots": side.snapshots,
        "launches": side.launches,
        "throughput": side.throughput,
        "median_ms": side.median_ms,
        "scatter_percent": side.scatter_percent,
        "spread": side.spread,
    }


def _bounds(change: Interval) -> dict[str, float | None]:
    lower, upper = (math.exp(end) if math.isfinite(end) else None for end in (change.lower, change.upper))
    return {"ratio": math.exp(change.estimate), "lower": lower, "upper": upper}


def _keys(cells: Sequence[CellKey]) -> list[dict[str, Any]]:
    return [_key(cell) for cell in cells]


def _key(cell: CellKey) -> dict[str, Any]:
    return {"platform": cell[0], "kernel": cell[1], "size": cell[2]}
