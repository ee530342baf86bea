"""The table of a fleet run on a terminal, which is drawn anew while the run lasts."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pytest_weekops.fleet.watching import FleetWatch, Row, about
from pytest_weekops.report.saying import plain

_DRAWN_S = 1.0  # between two pictures: drawing is noise beside hosts of this machine
_COUNTS = ("hosts", "waiting", "running", "promoted", "iterate", "lost", "other")
_STYLES = {"promoted": "green", "iterate": "red", "lost": "yellow", "other": "yellow"}


def table(found: list[Row], worst: str, foot: tuple[str, ...] = ()) -> Group:
    """How the labels stand, a line each; below it the worst outcome, and lines that stay."""
    drawn = Table(box=None, padding=(0, 1, 0, 0), expand=False)
    drawn.add_column("label", overflow="crop", no_wrap=True, max_width=18)
    for name in (*_COUNTS, "left"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for row in found:
        counts = [_count(getattr(row, name), _STYLES.get(name, "")) for name in _COUNTS]
        left = "?" if row.left_s is None else "" if row.left_s == 0 else about(row.left_s).removeprefix("about ")
        drawn.add_row(plain(row.label), *counts, left)
    lines = [Text(f"worst: {plain(worst)}", style="bold")] if worst else []
    return Group(drawn, *lines, *(Text(plain(line), overflow="fold") for line in foot))


def _count(number: int, style: str) -> Text:
    return Text(str(number), style=style if number else "dim")


class FleetTable:
    """Draws a run for as long as it is held open; lines that are said meanwhile go above it."""

    def __init__(self, console: Console, foot: tuple[str, ...] = ()) -> None:
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False)
        self._foot = foot
        self._drawn_at = 0.0
        self._watch: FleetWatch | None = None

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._now(self._watch)
        self._live.stop()

    def draw(self, watch: FleetWatch) -> None:
        """Draw it, unless that was done a moment ago."""
        self._watch = watch
        if time.monotonic() - self._drawn_at >= _DRAWN_S:
            self._now(watch)

    def _now(self, watch: FleetWatch) -> None:
        self._drawn_at = time.monotonic()
        self._live.update(table(watch.rows(), watch.worst(), self._foot), refresh=True)
