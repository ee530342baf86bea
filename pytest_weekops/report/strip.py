"""Small charts of text and tables that fit a terminal of 80 columns, a log and a pipe alike: no colour, plain ASCII."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_weekops.report.saying import plain

COLUMNS = 79  # a line of 80 makes some terminals begin an empty one


@dataclass(frozen=True)
class Axis:
    """An axis of so many characters between two values, ``low`` below ``high``."""

    low: float
    high: float
    width: int

    def place(self, value: float) -> int:
        """The character on which a value lies; what lies outside is at the nearest end."""
        return self.places([value])[0]

    def places(self, values: Sequence[float]) -> list[int]:
        """The same for many values."""
        low, span, last = self.low, self.high - self.low, self.width - 1
        return [round(min(1.0, max(0.0, (value - low) / span)) * last) for value in values]


def axis_around(values: Sequence[float], width: int) -> Axis:
    """An axis that has room for every finite value; one value alone lies in its middle, and none on any."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = 0.02 * (high - low) or max(abs(low) * 0.01, 1e-9)
    return Axis(low - room, high + room, width)


def strip(
    axis: Axis, at: float, ends: tuple[float, float] | None = None, marks: Mapping[float, str] | None = None
) -> str:
    """One line of a chart: ``o`` at a value, ``[---]`` around it from end to end, and marks where they do not cover it.

    An end that is infinite, or off the axis, is an arrow at the axis's end.
    """
    found = [" "] * axis.width
    for value, mark in (marks or {}).items():
        found[axis.place(value)] = mark
    if ends is not None:
        low, high = (axis.place(end) for end in ends)
        for place in range(low, high + 1):
            found[place] = "-" if found[place] == " " else found[place]
        found[low] = "[" if ends[0] >= axis.low else "<"
        found[high] = "]" if ends[1] <= axis.high else ">"
    found[axis.place(at)] = "o"
    return "".join(found)


def table_lines(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table that never leaves the terminal's width: names and how each is aligned, ``<`` or ``>``, and rows.

    Long names are folded; nothing is cut off. What is no letter in strangers' names is shown and not sent.
    """
    from rich.console import Console  # pages have strips as well, and no such table
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name, align in columns:
        table.add_column(Text(name), justify="right" if align == ">" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    out = io.StringIO()
    Console(file=out, width=COLUMNS, height=25, color_system=None, legacy_windows=False, highlight=False).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]
