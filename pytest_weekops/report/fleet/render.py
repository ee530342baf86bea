"""The page of a fleet run as HTML: one file, no script, nothing fetched; every text from records is escaped."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from pytest_weekops.report.fleet.pictures import fleet_pictures
from pytest_weekops.report.fleet.shown import FleetPage
from pytest_weekops.report.page.drawing import drawing
from pytest_weekops.report.page.filling import TEMPLATES as PAGE_TEMPLATES
from pytest_weekops.report.page.filling import environment, fill

TEMPLATES = Path(__file__).with_name("templates")


def render_fleet(page: FleetPage) -> str:
    """The whole file as text."""
    with drawing():
        pictures = {each.anchor: each for each in fleet_pictures(page.labels)}
    svg = {anchor: Markup(each.svg) for anchor, each in pictures.items()}  # noqa: S704 - drawn here, text escaped by it
    template = environment(TEMPLATES, PAGE_TEMPLATES).get_template("fleet.html.j2")
    style = (TEMPLATES / "fleet.css").read_text(encoding="utf-8")
    return fill(template, style, page=page, pictures=pictures, svg=svg)
