"""A verdict as a badge: a picture of its own, or the endpoint form that shields.io draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from pytest_weekops.core.judge.finding import Decision, ExitStatus
from pytest_weekops.report.alerts import strict_json
from pytest_weekops.report.saying import plain

GREEN, ORANGE, RED, GREY = "1a7f37", "b35900", "b3261e", "57606a"  # white text on each can be read
_SHOWN = {
    ExitStatus.ITERATE: ("iterate", ORANGE),
    ExitStatus.INTERRUPTED: ("interrupted", GREY),
    ExitStatus.ROLLBACK_REQUIRED: ("roll back", RED),
    ExitStatus.INCONCLUSIVE: ("inconclusive", GREY),
}
_LETTER, _SIDE, _HEIGHT = 7, 6, 20  # pixels


@dataclass(frozen=True)
class Badge:
    """What a badge says. The day belongs to it: a promote of last year looks green as well."""

    label: str
    message: str
    color: str


def show_badge(document: Mapping[str, Any]) -> Badge:
    """The badge of a decision; only a promote is green."""
    words, color = _SHOWN.get(document["exit_status"], ("no verdict", GREY))
    if document["decision"] == Decision.PROMOTE.value:
        words, color = "promote", GREEN
    return Badge(f"weekops {document['kind']}", f"{words}, {plain(str(document['created_at']))[:10]}", color)


def render_badge_json(document: Mapping[str, Any]) -> str:
    """The endpoint form: https://shields.io/badges/endpoint-badge."""
    badge = show_badge(document)
    return strict_json(
        {
            "schemaVersion": 1,
            "label": badge.label,
            "message": badge.message,
            "color": badge.color,
            "isError": badge.color != GREEN,  # an error's colour cannot be asked for otherwise
        }
    )


def render_badge_svg(document: Mapping[str, Any]) -> str:
    """The picture, which fetches nothing: its text is stretched to the width that was reckoned with."""
    badge = show_badge(document)
    left, right = (len(words) * _LETTER + 2 * _SIDE for words in (badge.label, badge.message))
    size = {"width": str(left + right), "height": str(_HEIGHT)}
    name = f"{badge.label}: {badge.message}"
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img", "aria-label": name})
    ET.SubElement(root, "title").text = name
    ET.SubElement(root, "rect", {**size, "rx": "3", "fill": "#24292f"})
    ET.SubElement(
        root, "path", d=f"M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h{3 - right}z", fill=f"#{badge.color}"
    )
    words = ET.SubElement(
        root, "g", {"fill": "#fff", "font-family": "Verdana,DejaVu Sans,sans-serif", "font-size": "11"}
    )
    for text, start, width in ((badge.label, 0, left), (badge.message, left, right)):
        place = {"x": str(start + _SIDE), "y": "14", "textLength": str(width - 2 * _SIDE)}
        ET.SubElement(words, "text", place).text = text
    return ET.tostring(root, encoding="unicode") + "\n"
