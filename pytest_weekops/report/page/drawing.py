"""What all pictures share: matplotlib set up the same way whatever its user's own settings are, and small habits."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from pytest_weekops.report.page.svg import BAD, FAINT, GOOD, GRID, INK, OPEN, VOID, inline_svg

_LARGEST = 1e12  # beyond it, as beyond NaN, no number of a measurement makes a picture
_LEAST_SPAN = 0.04  # of the largest number on an axis
WIDTH = 5.4  # inches: 389 units, which a telephone shows one to one
STATUS_COLORS = {"pass": GOOD, "fail": BAD, "inconclusive": OPEN, "no_data": BAD}
_KEPT = ("backend", "interactive", "toolbar", "timezone", "datapath", "webagg.", "keymap.", "animation.", "date.")
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "weekops",
    "path.simplify": False,
    "text.parse_math": False,
    "text.usetex": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,  # a number to add to all others stands over a title, and is overlooked
    "lines.solid_capstyle": "butt",
    "hatch.linewidth": 0.5,
}


@dataclass(frozen=True)
class Picture:
    """A picture ready for the page: ``svg`` is markup made here, ``title`` and ``caption`` are text."""

    anchor: str
    title: str
    caption: str
    svg: str


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib as pictures need it, and as the user had it again afterwards; it warns nobody meanwhile."""
    log = logging.getLogger("matplotlib")
    before = log.disabled
    defaults: dict[str, Any] = {
        name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith(_KEPT)
    }
    with warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore")
        log.disabled = True
        try:
            mpl.rcParams.update(cast("Any", defaults | _SETTINGS))
            yield
        finally:
            log.disabled = before


def new_figure(
    height: float, *, left: float = 0.5, below: float = 0.42, above: float = 0.22, panels: int = 1, gap: float = 0.27
) -> Figure:
    """A figure of the page's width; ``height``, margins and gaps in inches, ``panels`` one below the other.

    Fixed margins: a layout that measures every text would take longer than the drawing.
    """
    figure = Figure(figsize=(WIDTH, height))
    inside = (height - below - above) / panels
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1 - 0.08 / WIDTH,
        bottom=below / height,
        top=1 - above / height,
        hspace=0.0 if panels == 1 else gap / max(inside - gap, 0.1),
    )
    return figure


def picture(figure: Figure, anchor: str, title: str, caption: str) -> Picture:
    """The figure as a picture."""
    return Picture(anchor, title, caption, inline_svg(figure, f"svg-{anchor}", title))


def finite(values: Sequence[float | None]) -> list[float]:
    """Those that can be drawn."""
    return [value for value in values if value is not None and abs(value) <= _LARGEST]


def line_at(axes: Axes, value: float, words: str, color: str = BAD) -> None:
    """A limit across the picture, named above its right end."""
    axes.axhline(value, color=color, linewidth=1.1, linestyle=(0, (5, 2)), zorder=3)
    axes.annotate(
        words,
        (1.0, value),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=color,
        zorder=6,
    )


def whisker(
    axes: Axes, x: float, value: float, low: float | None, high: float | None, color: str, *, marker: str = "o"
) -> None:
    """A value with its interval, upright; an end that is None reaches to the border of the picture."""
    bottom, top = axes.get_ylim()
    ends = [bottom if low is None else max(bottom, low), top if high is None else min(top, high)]
    axes.plot([x, x], ends, color=color, linewidth=1.4, zorder=4)
    axes.plot([x], [value], marker, color=color, markersize=4.5, zorder=5)


def slots(axes: Axes, count: int, labels: Sequence[str], *, most: int = 14) -> None:
    """Upright places 0, 1, ... with their labels, thinned where they would touch."""
    step = max(1, math.ceil(count / most))
    axes.set_xlim(-0.7, max(count, 1) - 0.3)
    axes.set_xticks(range(0, count, step), [labels[place] for place in range(0, count, step)])
    axes.grid(visible=False, axis="x")


def widened(low: float, high: float) -> tuple[float, float]:
    """Ends of a linear axis that are apart by some percent at least: less is noise, and must not look like news."""
    more = max(0.0, _LEAST_SPAN * max(abs(low), abs(high)) - (high - low)) / 2
    return low - more, high + more


def plain_log(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic scale where the largest value would hide all others, with plain numbers on it."""
    if not values or min(values) <= 0 or max(values) < 4 * sorted(values)[len(values) // 2]:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def shade(axes: Axes, places: Sequence[int]) -> None:
    """Mark places whose measurement is void."""
    for place in places:
        axes.axvspan(place - 0.45, place + 0.45, facecolor=VOID, alpha=0.16, edgecolor="none", zorder=0)
