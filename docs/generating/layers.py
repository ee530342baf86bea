"""Where rooms stand in the picture: floors, the order on each, and where lines pass. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Imports = Mapping[str, Sequence[str]]
Edge = tuple[str, str]

BOX, LANE, GAP = 176.0, 18.0, 16.0  # widths: of a room, of a line that passes a floor, and between neighbours
_SWEEPS = 24


@dataclass
class Layout:
    """Floors from the top down, each with rooms and passing lines from left to right, and the middle of each."""

    floors: list[list[str]]
    middle: dict[str, float] = field(default_factory=dict)
    paths: dict[Edge, list[str]] = field(default_factory=dict)
    width: float = 0.0


def arrows(imports: Imports) -> list[Edge]:
    """The arrows that follow from no others: a room's imports, less what is reached through another of them."""
    below: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            below[room] = {each for other in imports[room] for each in (other, *reach(other))}
        return below[room]

    return [
        (room, other)
        for room in imports
        for other in imports[room]
        if not any(other in reach(between) for between in imports[room] if between != other)
    ]


def floor_numbers(imports: Imports) -> dict[str, int]:
    """A floor for each room, 0 at the bottom: above all it imports from, and near those that import from it."""
    level: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in level:
            level[room] = 1 + max((height(other) for other in imports[room]), default=-1)
        return level[room]

    for room in imports:
        height(room)
    edges = arrows(imports)
    for _ in range(_SWEEPS):
        for room in imports:
            lower = max((level[b] for a, b in edges if a == room), default=-1) + 1
            upper = min((level[a] for a, b in edges if b == room), default=lower + 1) - 1
            near = [level[a] + level[b] - level[room] for a, b in edges if room in (a, b)]
            level[room] = min(range(lower, upper + 1), key=lambda at: (sum(abs(at - other) for other in near), at))
    return level


def lay_out(imports: Imports) -> Layout:
    """Floors, order and middles; a line that passes a floor gets a lane of its own there."""
    level, edges = floor_numbers(imports), arrows(imports)
    top = max(level.values())
    layout = Layout([[room for room in imports if level[room] == top - floor] for floor in range(top + 1)])
    for upper, lower in edges:
        path = [upper]
        for at in range(level[upper] - 1, level[lower], -1):
            lane = f"{upper}>{lower}@{at}"
            layout.floors[top - at].append(lane)
            path.append(lane)
        layout.paths[upper, lower] = [*path, lower]
    _order(layout)
    _place(layout)
    return layout


def width_of(name: str) -> float:
    """How wide a room or a passing line is."""
    return LANE if ">" in name else BOX


def _pairs(layout: Layout) -> list[Edge]:
    return [pair for path in layout.paths.values() for pair in pairwise(path)]


def _neighbours(layout: Layout) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    beneath: dict[str, list[str]] = {}
    for upper, lower in _pairs(layout):
        above.setdefault(lower, []).append(upper)
        beneath.setdefault(upper, []).append(lower)
    return above, beneath


def _crossings(layout: Layout) -> int:
    at = {name: index for floor in layout.floors for index, name in enumerate(floor)}
    floor_of = {name: number for number, floor in enumerate(layout.floors) for name in floor}
    pairs = sorted((floor_of[a], at[a], at[b]) for a, b in _pairs(layout))
    return sum(f == g and (a - c) * (b - d) < 0 for i, (f, a, b) in enumerate(pairs) for g, c, d in pairs[i + 1 :])


def _order(layout: Layout) -> None:
    """Sort each floor by the mean place of what stands above, then below, and keep the order with fewest crossings."""
    above, beneath = _neighbours(layout)
    best, fewest = [list(floor) for floor in layout.floors], _crossings(layout)
    for sweep in range(_SWEEPS):
        near = above if sweep % 2 == 0 else beneath
        for floor in _turn(layout.floors, down=sweep % 2 == 0):
            at = {name: (index + 0.5) / len(each) for each in layout.floors for index, name in enumerate(each)}
            means = {name: _mean([at[other] for other in near.get(name, ())], at[name]) for name in floor}
            floor.sort(key=lambda name: means[name])
        if (crossings := _crossings(layout)) < fewest:
            best, fewest = [list(floor) for floor in layout.floors], crossings
    layout.floors[:] = best


def _turn(floors: list[list[str]], *, down: bool) -> Iterator[list[str]]:
    return iter(floors if down else floors[::-1])


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _place(layout: Layout) -> None:
    """Give each a middle: near its neighbours, and apart from those beside it."""
    above, beneath = _neighbours(layout)
    layout.width = max(sum(map(width_of, floor)) + GAP * (len(floor) + 1) for floor in layout.floors)
    for floor in layout.floors:
        step = layout.width / len(floor)
        layout.middle.update({name: step * (index + 0.5) for index, name in enumerate(floor)})
        _spread(layout, floor)
    for sweep in range(_SWEEPS):
        for floor in _turn(layout.floors, down=sweep % 2 == 0):
            for name in floor:
                near = [layout.middle[other] for other in (*above.get(name, ()), *beneath.get(name, ()))]
                layout.middle[name] = 0.4 * layout.middle[name] + 0.6 * _mean(near, layout.middle[name])
            _spread(layout, floor, mirrored=sweep % 4 > 1)


def _spread(layout: Layout, floor: list[str], *, mirrored: bool = False) -> None:
    """Push neighbours apart from the left, then back from the right edge; mirrored, the other way round."""
    turned = floor[::-1] if mirrored else floor
    at = {name: layout.width - layout.middle[name] if mirrored else layout.middle[name] for name in floor}
    edge = GAP
    for name in turned:
        at[name] = max(at[name], edge + width_of(name) / 2)
        edge = at[name] + width_of(name) / 2 + GAP
    edge = layout.width - GAP
    for name in reversed(turned):
        at[name] = min(at[name], edge - width_of(name) / 2)
        edge = at[name] - width_of(name) / 2 - GAP
    layout.middle.update({name: layout.width - x if mirrored else x for name, x in at.items()})
