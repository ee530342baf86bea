"""A calibration as people read it."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.judge.certainty.realised import Rate, Realised
from pytest_weekops.core.measurement.calibration import KnownSlowdown, Loaded, Power
from pytest_weekops.report.calibration import CalibratedCell, render_calibration, render_slowed, slowdown_percent
from tests.core.measurement.test_calibration import make_series

REALISED = Realised(Rate(0.004, 0.0, 0.025), Rate(0.012, 0.001, 0.051))
RESOLUTION = {3: 0.0382, 5: 0.0323, 8: 0.0264, 12: -math.log(0.5)}


def test_the_tables_fit_80_columns_and_say_everything() -> None:
    """Figures first, what they are worth below."""
    cells = [
        CalibratedCell(name, make_series(size=size, voids=5), RESOLUTION, REALISED)
        for name in ("pocl", "rusticl")
        for size in (256, 16384)
    ]
    lines = render_calibration(cells)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["cell", "snapshots", "void", "%", "sd", "%", "mean", "%", "lag-1", "skew"]
    assert lines[2].split()[:5] == ["pocl", "auto", "256", "20", "20"]
    words = [" ".join(line.split()) for line in lines]
    assert "rusticl auto 16384 3.7 3.2 2.6 50.0 0.4 [0.0, 2.5] 1.2 [0.1, 5.1]" in words
    assert "promised are 1 % and 2.5 %" in " ".join(lines)


def test_without_cells_there_is_no_table() -> None:
    """Nor what its columns mean."""
    assert render_calibration([]) == []


def test_known_slowdowns_and_the_load_test_are_told() -> None:
    """What was measured, how often it is seen, and how much of the load test was void."""
    known = KnownSlowdown(work=1.05, logs=(-0.05, -0.04), power=Power(share=0.98, low=0.9, high=1))
    unknown = KnownSlowdown(work=1.2, logs=(-0.2,))
    series = make_series().model_copy(
        update={"slowed": (known, unknown), "loaded": Loaded(logs=(0.01, -0.01), voids=3)}
    )
    lines = render_slowed([CalibratedCell("pocl", series, RESOLUTION, REALISED)])
    assert max(map(len, lines)) <= 80
    words = [" ".join(line.split()) for line in lines]
    name = words[2].split(" 1.050")[0]
    assert words[2] == f"{name} 1.050 2 +4.40 98 [90, 100]"
    assert words[3] == f"{name} 1.200 1 +18.13"
    assert words[-1] == f"{name} beside a busy loop: 3 of 5 snapshots void, sd 1.41 %"
    assert render_slowed([CalibratedCell("pocl", make_series(), RESOLUTION, REALISED)]) == []
    alone = make_series().model_copy(update={"loaded": Loaded(logs=(0.01,), voids=0)})
    (line,) = render_slowed([CalibratedCell("pocl", alone, RESOLUTION, REALISED)])
    assert line.endswith("0 of 1 snapshots void")


def test_a_slowdown_is_below_one() -> None:
    """Half the speed is 50 % slower."""
    assert slowdown_percent(-math.log(0.5)) == pytest.approx(50.0)
    assert slowdown_percent(0.0) == 0.0
