"""The page as HTML: one file, no script, nothing fetched; every text from records is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pytest_weekops.report.page.drawing import Picture, drawing
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
from pytest_weekops.report.saying import plain
from pytest_weekops.report.table import number

TEMPLATES = Path(__file__).with_name("templates")
# Nothing may run, and nothing may be fetched: styles stand in the page, and pictures are part of it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_page(page: Page) -> str:
    """The whole file as text."""
    with drawing():
        pictures = {each.anchor: each for each in _pictures(page)}
    svg = {anchor: Markup(each.svg) for anchor, each in pictures.items()}  # noqa: S704 - drawn here, text escaped by it
    return fill(environment(TEMPLATES).get_template("page.html.j2"), page=page, pictures=pictures, svg=svg)


def environment(*folders: Path) -> jinja2.Environment:
    """Templates of these folders, the first that has one; everything that they are given is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters["number"] = number
    made.filters["coded"] = coded
    return made


def fill(template: jinja2.Template, style: str = "", **values: Any) -> str:
    """The file that a template makes of values. ``style`` are rules of ours beside those that every page has."""
    rules = Markup(_rules() + style)  # noqa: S704 - ours
    text = template.render(style=rules, policy=POLICY, **values)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


@cache
def _rules() -> str:
    return (TEMPLATES / "page.css").read_text(encoding="utf-8")


def coded(words: str) -> Markup:
    """A sentence in which what stands between backticks is code; all of it escaped."""
    parts = [escape(plain(part)) for part in words.split("`")]
    if len(parts) % 2 == 0:
        return escape(plain(words))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _finalize(value: object) -> object:
    """What is written into the page: no control characters of strangers; markup made here stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return plain(value)


def _pictures(page: Page) -> Iterator[Picture]:
    made = (
        attendance_picture(page.attendance),
        limits_picture(page.answers),
        split_picture(page.comparisons),
        *map(comparison_picture, page.comparisons),
        *map(cell_picture, page.cells),
        overhead_picture(page.guarded, page.overhead_limit),
        *(recall_picture(place, each) for place, each in enumerate(page.recalls, start=1)),
    )
    return (each for each in made if each is not None)
