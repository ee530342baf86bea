"""All launches of two runs as characters: every launch is in a bin, and both runs are on one axis."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_weekops.core.judge.certainty.intervals import Interval
from pytest_weekops.core.judge.run_speed import CellChange, CellNumbers
from pytest_weekops.report.launch_times import LEGEND, WIDTH, launch_document, launch_lines, launch_times


def side(*launches_ms: float) -> CellNumbers:
    """A run's numbers of these launches."""
    return CellNumbers(2, len(launches_ms), 1.0, launches_ms[0], None, "5 % assumed", launches_ms)


def change(first: CellNumbers, second: CellNumbers) -> CellChange:
    """A cell that both runs measured."""
    certain = Interval(0.0, -0.1, 0.1)
    return CellChange(("pocl", "auto", 64), "GFLOPS", first, second, "as measured", certain, None, "open", "")


def test_no_launch_is_lost_and_both_share_an_axis() -> None:
    """The fastest of either stands at one end, the slowest at the other."""
    found = launch_times(change(side(1.0, 1.0, 1.0, 8.0), side(2.0, 4.0)))
    assert (sum(found.first), sum(found.second)) == (4, 2)
    assert len(found.first) == len(found.second) == WIDTH
    assert found.low_ms < 1.0 < 8.0 < found.high_ms
    first, second = found.strips
    assert (first.strip()[0], first.strip()[-1], first.count(" ")) == ("@", "-", WIDTH - 2)  # a third as often
    assert first.index("@") < second.index("@") < second.rindex("@") < first.rindex("-")
    assert second.index("@") == pytest.approx(WIDTH * math.log(2) / math.log(8), abs=2)


def test_one_launch_and_none_that_took_no_time() -> None:
    """A single time has an axis, and a time of 0, which no logarithm has, is left out."""
    found = launch_times(change(side(3.0), side(3.0, 0.0)))
    assert found.first == found.second
    assert sum(found.second) == 1


def test_terminal_and_data_say_the_same() -> None:
    """Two lines a cell within 80 columns, and the counts behind them."""
    cell = change(side(1.0, 2.0), side(3.0))
    lines = launch_lines([cell, replace(cell, cell=("pocl", "a kernel with a name that is much too long", 3072))])
    assert max(map(len, lines[:-1])) < 80
    assert lines[-1] == LEGEND
    assert sum(" 1st " in line for line in lines) == sum(" 2nd " in line for line in lines) == 2
    document, times = launch_document(cell), launch_times(cell)
    assert document == {"low_ms": times.low_ms, "high_ms": times.high_ms, "a": [*times.first], "b": [*times.second]}
    assert launch_lines([]) == []
