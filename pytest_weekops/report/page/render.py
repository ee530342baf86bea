"""The page as HTML: one file, no script, nothing fetched; every text from records is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from pytest_weekops.report.page.drawing import Picture, drawing
from pytest_weekops.report.page.filling import TEMPLATES, environment, fill
from pytest_weekops.report.page.overviews import (
    attendance_picture,
    comparison_picture,
    limits_picture,
    overhead_picture,
    recall_picture,
    split_picture,
)
from pytest_weekops.report.page.pictures import cell_picture
from pytest_weekops.report.page.shown import Page


def render_page(page: Page) -> str:
    """The whole file as text."""
    with drawing():
        pictures = {each.anchor: each for each in _pictures(page)}
    svg = {anchor: Markup(each.svg) for anchor, each in pictures.items()}  # noqa: S704 - drawn here, text escaped by it
    return fill(environment(TEMPLATES).get_template("page.html.j2"), page=page, pictures=pictures, svg=svg)


def _pictures(page: Page) -> Iterator[Picture]:
    made = (
        attendance_picture(page.attendance),
        limits_picture(page.answers),
        split_picture(page.comparisons),
        *map(comparison_picture, page.comparisons),
        *map(cell_picture, page.cells),
        overhead_picture(page.guarded),
        *(recall_picture(place, each) for place, each in enumerate(page.recalls, start=1)),
    )
    return (each for each in made if each is not None)
