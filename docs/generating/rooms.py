"""The rooms of the package, as a table and as a picture, from ``docs/rooms.yaml``."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

import yaml

from generating.layers import BOX, Layout, lay_out
from generating.words import table

TABLE = Path(__file__).resolve().parents[1] / "rooms.yaml"
HEIGHT, STOREY, TOP = 58.0, 98.0, 24.0
FILLS = {"pytest": "#e8eefc", "core": "#e9f5ea", "device": "#fdf0e3", "": "#f4f4f5"}
EDGES = {"pytest": "#3b5bdb", "core": "#2b8a3e", "device": "#c2630a", "": "#6b7280"}
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" \
aria-labelledby="title desc" font-family="system-ui, sans-serif">
<title id="title">The rooms of pytest_weekops</title>
<desc id="desc">Each box is a room; an arrow leads from a room to one it imports from. Arrows that follow from others \
are left out. Every arrow points down.</desc>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0.5 L7.5 4 L0 7.5 z" fill="#8a919c"/></marker></defs>
<rect width="{width:.0f}" height="{height:.0f}" rx="12" fill="#ffffff"/>"""


def rooms() -> dict[str, dict[str, object]]:
    """The table as it is written."""
    found: dict[str, dict[str, object]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["rooms"]
    return found


def imports() -> dict[str, list[str]]:
    """What each room may import from."""
    return {
        name: list(map(str, room["imports"])) for name, room in rooms().items() if isinstance(room["imports"], list)
    }


def room_table() -> str:
    """Each room, what it is for, and what it imports from."""
    rows = [
        (f"`{name}/`", str(room["says"]), ", ".join(imports()[name]) or "nothing of ours")
        for name, room in rooms().items()
    ]
    return table(("room", "what it is for", "imports from"), rows)


def picture() -> str:
    """The rooms on their floors as SVG."""
    layout, said = lay_out(imports()), rooms()
    height = STOREY * (len(layout.floors) - 1) + HEIGHT + 2 * TOP
    parts = [_HEAD.format(width=layout.width, height=height)]
    parts += [_line(layout, path) for path in layout.paths.values()]
    for number, floor in enumerate(layout.floors):
        for name in floor:
            if name in said:
                parts.append(_box(name, str(said[name]["says"]), layout.middle[name], TOP + STOREY * number))
    return "\n".join([*parts, "</svg>", ""])


def _kind(name: str) -> str:
    if name in ("plugin", "cli"):
        return "pytest"
    first = name.split("/", maxsplit=1)[0]
    return first if first in ("core", "device") else ""


def _line(layout: Layout, path: list[str]) -> str:
    number = {name: index for index, floor in enumerate(layout.floors) for name in floor}
    points = []
    for name in path:
        x, y = layout.middle[name], TOP + STOREY * number[name]
        points += (
            [(x, y + HEIGHT)] if name == path[0] else [(x, y - 2)] if name == path[-1] else [(x, y), (x, y + HEIGHT)]
        )
    words = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        bend = (to_y - y) / 2
        words.append(f"C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f} {to_x:.1f} {to_y:.1f}")
    return f'<path d="{" ".join(words)}" fill="none" stroke="#8a919c" stroke-width="1.3" marker-end="url(#tip)"/>'


def _box(name: str, says: str, middle: float, top: float) -> str:
    kind = _kind(name)
    lines = textwrap.wrap(says.replace("`", ""), 32)[:3]
    text = "".join(
        f'<text x="{middle:.1f}" y="{top + 31 + 11.5 * number:.1f}" font-size="9.5" fill="#374151" '
        f'text-anchor="middle">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<rect x="{middle - BOX / 2:.1f}" y="{top:.1f}" width="{BOX:.0f}" height="{HEIGHT:.0f}" rx="7" '
        f'fill="{FILLS[kind]}" stroke="{EDGES[kind]}"/>'
        f'<text x="{middle:.1f}" y="{top + 18:.1f}" font-size="13" font-weight="600" fill="#111827" '
        f'text-anchor="middle">{escape(name)}/</text>{text}'
    )
