"""A figure as SVG that stands inside a page: colours by name, so that light and dark are the style sheet's business."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# What figures are drawn in; each is replaced by the style sheet's colour of that name.
INK, FAINT, GRID, GOOD, BAD, OPEN, VOID, CARD = (f"#{number:06x}" for number in range(0x010101, 0x090909, 0x010101))
SERIES = tuple(f"#{number:06x}" for number in range(0x090909, 0x0F0F0F, 0x010101))
_NAMES = {INK: "ink", FAINT: "faint", GRID: "grid", GOOD: "good", BAD: "bad", OPEN: "open", VOID: "void", CARD: "card"}
_NAMES |= {color: f"s{place}" for place, color in enumerate(SERIES, start=1)}
_COLOR = re.compile("|".join(_NAMES))
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_FONT = re.compile(r"font: ([^;']*?)(\d[\d.]*)px [^;]*")
_GEOMETRY = ("d", "x", "y", "width", "height", "transform", "points")


def inline_svg(figure: Figure, anchor: str, title: str) -> str:
    """The figure as one ``<svg>`` element for HTML. Text stays text; ``anchor`` makes its ids its own."""
    out = io.StringIO()
    figure.canvas = FigureCanvasSVG(figure)
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(out.getvalue())  # noqa: S314 - what matplotlib wrote a moment ago
    for element in list(root):
        if _local(element.tag) == "metadata":
            root.remove(element)
    referred = _referred(root)
    for element in root.iter():
        _settle(element, anchor, referred)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{anchor}-title", "focusable": "false"}
    head = ET.Element("title", id=f"{anchor}-title")
    head.text = title
    root.insert(0, head)
    return ET.tostring(root, encoding="unicode")


def _referred(root: ET.Element) -> frozenset[str]:
    """Ids that something in the picture points to; no other is needed."""
    text = " ".join(value for element in root.iter() for value in element.attrib.values())
    return frozenset(re.findall(r"(?:url\(#|(?<!\S)#)([\w-]+)", text))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _settle(element: ET.Element, anchor: str, referred: frozenset[str]) -> None:
    element.tag = _local(element.tag)
    old = {_local(name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in old.items():
        if name == "id":
            if value in referred:
                element.set("id", f"{anchor}-{value}")
        elif name in ("href", "clip-path"):
            element.set(name, value.replace("#", f"#{anchor}-", 1))
        elif name in _GEOMETRY:
            element.set(name, _NUMBER.sub(_rounded, value).replace(" \n", " ").replace("\n", " "))
        else:
            element.set(name, _FONT.sub(r"font: \1\2px var(--sans)", _COLOR.sub(_variable, value)))


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _variable(found: re.Match[str]) -> str:
    return f"var(--{_NAMES[found[0]]})"
