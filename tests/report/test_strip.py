"""Small charts and tables of text: nothing leaves its columns, and nothing is drawn where it is not."""

from __future__ import annotations

import math

from pytest_weekops.report.strip import axis_around, strip, table_lines


def test_a_value_its_ends_and_marks_lie_where_they_are() -> None:
    """In proportion; what is covered by an interval's line stays a mark."""
    axis = axis_around([0.0, 1.0], 21)
    assert strip(axis, 0.5) == "          o          "
    assert strip(axis, 0.75, (0.5, 1.0), {0.0: "!", 0.9: ":"}) == "!         [----o--:-]"


def test_ends_without_a_bound_are_arrows() -> None:
    """And no index is ever off the line."""
    axis = axis_around([0.0, 1.0, math.inf, -math.inf], 11)
    assert strip(axis, 0.5, (-math.inf, math.inf)) == "<----o---->"
    assert strip(axis, 9.0) == "          o"


def test_one_value_alone_lies_in_the_middle() -> None:
    """And so does zero where there is none."""
    for values in ([3.0], [], [math.nan], [0.0]):
        axis = axis_around(values, 11)
        assert strip(axis, values[0] if values == [3.0] else 0.0) == "     o     "


def test_a_table_fits_whatever_the_names_are() -> None:
    """Folded, not cut; markup and control characters are shown as letters."""
    name = "a very long label of somebody's platform [red]with markup[/red] \x1b[31m and some more of it"
    lines = table_lines((("cell", "<"), ("ratio", ">")), [(name, "1.000"), ("short", "0.9")])
    assert max(map(len, lines)) < 80
    assert "[red]with markup[/red]" in " ".join(lines)
    assert "\x1b" not in "".join(lines)
    assert lines[-1].split() == ["short", "0.9"]
