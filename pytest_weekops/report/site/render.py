"""The site's pages as HTML: no script, nothing fetched; every text from records is escaped."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pytest_weekops.report.history import LEGEND, shift_line
from pytest_weekops.report.page.filling import TEMPLATES as PAGE_TEMPLATES
from pytest_weekops.report.page.filling import environment, fill
from pytest_weekops.report.site.shown import CellPage, ComparePage, IndexPage, WeekPage

TEMPLATES = Path(__file__).with_name("templates")
_STATES = {"promote": "good", "promoted": "good", "pass": "good", "not slower": "good", "faster": "good"}
_OPEN = ("not closed", "open", "inconclusive", "replaced", "no runs", "imported", "SEV3", "SEV4")


def render_index(page: IndexPage) -> str:
    """The first page."""
    return _filled("index.html.j2", "", page=page)


def render_week(page: WeekPage) -> str:
    """The page of a week."""
    return _filled("week.html.j2", "../", page=page)


def render_cell(page: CellPage) -> str:
    """The page of a cell's history, with its picture."""
    from pytest_weekops.report.page.drawing import drawing  # matplotlib takes longer than all other pages
    from pytest_weekops.report.site.pictures import history_picture

    with drawing():
        made = history_picture(page)
    svg = Markup(made.svg) if made is not None else None  # noqa: S704 - drawn here, text escaped by it
    shifts = [shift_line(shift).strip() for shift in page.shifts or ()]
    changes = [line.strip() for line in page.changes]
    return _filled(
        "cell.html.j2", "../", page=page, picture=made, svg=svg, shifts=shifts, changes=changes, legend=LEGEND
    )


def render_compared(page: ComparePage) -> str:
    """Two runs side by side."""
    return _filled("compare.html.j2", "../", page=page)


def _filled(template: str, root: str, **values: Any) -> str:
    found, style = _templates()
    return fill(found(template), style, root=root, **values)


@cache
def _templates() -> tuple[Callable[[str], jinja2.Template], str]:
    made = environment(TEMPLATES, PAGE_TEMPLATES)
    made.filters["tone"] = tone
    made.filters["shell"] = shlex.quote  # whoever copies the command must not run what a run is called
    return made.get_template, (TEMPLATES / "site.css").read_text(encoding="utf-8")


def tone(word: object) -> str:
    """How a verdict, a state or a status is coloured; what is not known to be good is not."""
    text = str(word)
    return _STATES.get(text) or ("open" if text in _OPEN else "bad")
