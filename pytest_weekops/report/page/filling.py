"""Templates and what fills them: every text from records is escaped, and no page may run or fetch anything."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from pytest_weekops.report.saying import plain
from pytest_weekops.report.table import number

TEMPLATES = Path(__file__).with_name("templates")
# Nothing may run, and nothing may be fetched: styles stand in the page, and pictures are part of it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


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
