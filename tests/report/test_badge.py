"""Badges: only a promote is green, and the day is on it."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from pytest_weekops.report.badge import GREEN, GREY, ORANGE, RED, render_badge_json, render_badge_svg, show_badge
from tests.support.outputs import MARKUP, promoted, wrong

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("decision", "status", "words", "color"),
    [
        ("promote", 0, "promote", GREEN),
        ("iterate", 1, "iterate", ORANGE),
        ("iterate", 2, "interrupted", GREY),
        ("iterate", 3, "no verdict", GREY),
        ("iterate", 4, "no verdict", GREY),
        ("iterate", 10, "roll back", RED),
        ("iterate", 11, "inconclusive", GREY),
        ("iterate", 0, "no verdict", GREY),
    ],
)
def test_what_it_says(decision: str, status: int, words: str, color: str) -> None:
    """Picture and endpoint form have the same words and colour; whatever is no promote is an error."""
    document = {**promoted()[1], "decision": decision, "exit_status": status}
    badge = show_badge(document)
    assert (badge.label, badge.message, badge.color) == ("weekops weekly", f"{words}, 2026-11-24", color)
    said = json.loads(render_badge_json(document))
    assert said == {
        "schemaVersion": 1,
        "label": badge.label,
        "message": badge.message,
        "color": color,
        "isError": decision != "promote",
    }
    root = ET.fromstring(render_badge_svg(document))
    assert [text.text for text in root.iter(f"{SVG}text")] == [badge.label, badge.message]
    path = root.find(f"{SVG}path")
    assert path is not None
    assert path.get("fill") == f"#{color}"


def test_the_picture_is_whole_and_fetches_nothing() -> None:
    """Its parts lie within its width, it has a name for who cannot see it, and no reference leads out of it."""
    text = render_badge_svg(wrong()[1])
    root = ET.fromstring(text)
    width = float(root.get("width", 0))
    ends = [float(each.get("x", 0)) + float(each.get("textLength", 0)) for each in root.iter(f"{SVG}text")]
    assert 0 < max(ends) < width
    assert root.get("aria-label") == (root.findtext(f"{SVG}title") or "nothing")
    assert not [word for word in ("href", "url(", "script", "style") if word in text]


def test_words_of_strangers_are_text() -> None:
    """A journal can name any moment and kind."""
    document = {**promoted()[1], "kind": MARKUP, "created_at": "<b>\n</b>&"}
    text = render_badge_svg(document)
    assert MARKUP not in text
    assert (
        ET.fromstring(text).findtext(f"{SVG}title") == f"weekops {MARKUP}: promote, <b>\N{REPLACEMENT CHARACTER}</b>&"
    )
