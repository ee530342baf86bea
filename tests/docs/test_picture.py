"""The picture of the rooms says what the table says."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs"))  # as the generator finds its parts

from generating import layers, rooms


def reached(edges: set[tuple[str, str]], start: str) -> set[str]:
    """Every room that arrows lead to from one."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        new = {lower for upper, lower in edges if upper == here} - found
        found |= new
        waiting += new
    return found


def test_arrows_that_are_left_out_follow_from_those_drawn() -> None:
    """From each room the same rooms are reached as by the whole table, and none of the arrows could be left out."""
    table = rooms.imports()
    drawn = set(layers.arrows(table))
    every = {(room, other) for room, others in table.items() for other in others}
    assert drawn <= every
    for room in table:
        assert reached(drawn, room) == reached(every, room)
    for arrow in drawn:
        assert arrow[1] not in reached(drawn - {arrow}, arrow[0]), arrow


def test_every_arrow_points_down() -> None:
    """A room stands on a floor above all that it imports from, and each room on exactly one."""
    layout = layers.lay_out(rooms.imports())
    floor = {name: number for number, names in enumerate(layout.floors) for name in names}
    assert set(rooms.imports()) <= set(floor)
    assert all(floor[upper] < floor[lower] for upper, lower in layout.paths)


def test_nothing_overlaps() -> None:
    """Neighbours on a floor keep their distance, and all are within the picture."""
    layout = layers.lay_out(rooms.imports())
    for names in layout.floors:
        edges = [(layout.middle[n] - layers.width_of(n) / 2, layout.middle[n] + layers.width_of(n) / 2) for n in names]
        assert all(right < left for (_, right), (left, _) in pairwise(edges)), names
        assert edges[0][0] >= 0
        assert edges[-1][1] <= layout.width


@pytest.mark.parametrize("text", ["plugin/", "core/measurement/", "the only room that changes the"])
def test_the_picture_names_rooms_and_what_they_are_for(text: str) -> None:
    """People read it; so do those who only hear its title."""
    picture = rooms.picture()
    assert f">{text}<" in picture
    assert '<title id="title">The rooms of pytest_weekops</title>' in picture
