"""The page of a cell's history as it is made in any process: its change points are looked for where it is drawn."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace

from pytest_weekops.core.week.levels import Step
from pytest_weekops.report.site.render import render_cell
from pytest_weekops.report.site.shown import CellPage
from pytest_weekops.week import change_points


def load() -> None:
    """Load everything that draws: it takes longer than to draw."""
    importlib.import_module("pytest_weekops.report.site.pictures")
    if change_points.can_look():
        change_points.search_alone()


def cell_text(found: Sequence[Step], page: CellPage) -> str:
    """The page as HTML; ``found`` are the runs as far as their level goes."""
    return render_cell(replace(page, shifts=change_points.look_along(found)))
