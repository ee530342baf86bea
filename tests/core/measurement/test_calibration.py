"""The record of a calibration: its figures are its values', and what no longer fits does not count."""

from __future__ import annotations

import math
import random
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.measurement.calibration import CalibratedSeries, Calibration, figures, stale

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
KERNEL = "a" * 64


def make_series(*, logs: tuple[float, ...] = (), **changes: Any) -> CalibratedSeries:
    """Twenty normal log ratios of 1 %, and their figures."""
    draw = random.Random(5)
    logs = logs or tuple(draw.gauss(0.0, 0.01) for _ in range(20))
    found = figures(logs)
    facts = {
        "kernel": "auto",
        "variant": "packed",
        "kernel_sha256": KERNEL,
        "size": 512,
        "logs": logs,
        "mean": found.mean,
        "sd": found.sd,
        "lag1": found.lag1,
        "skewness": found.skewness,
        "made_at": NOW,
        **changes,
    }
    return CalibratedSeries.model_validate(facts)


def make_calibration(*series: CalibratedSeries, **changes: Any) -> Calibration:
    """Of ``tests.support.synthetic.make_identity``'s driver and host."""
    facts = {
        "platform": "pocl",
        "platform_name": "pocl",
        "driver_version": "1",
        "library_sha256": "0" * 64,
        "host": "host",
        "hardware": "a processor x 2",
        "session_ms": 1000.0,
        "series": series or (make_series(),),
        **changes,
    }
    return Calibration.model_validate(facts)


def test_figures_of_known_values() -> None:
    """Mean and sd are those of the standard library; lag-1 and skewness are worked out by hand."""
    values = [0.0, 0.0, 0.0, 0.04]
    found = figures(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.sd == pytest.approx(statistics.stdev(values))
    # Off the mean: -1, -1, -1, 3 hundredths, whose squares sum to 12: (1 + 1 - 3) / 12, and (24 / 4) / 3 ** 1.5.
    assert found.lag1 == pytest.approx(-1 / 12)
    assert found.skewness == pytest.approx(6 / 3**1.5)


def test_neighbours_that_resemble_each_other_correlate() -> None:
    """A slow wave does, a saw does not; turned around the skewness changes its sign."""
    wave = [math.sin(place / 3) for place in range(40)]
    assert figures(wave).lag1 > 0.8
    assert figures([(-1.0) ** place for place in range(40)]).lag1 < -0.9
    skewed = [0.0] * 10 + [1.0]
    assert figures([-value for value in skewed]).skewness == pytest.approx(-figures(skewed).skewness)


@pytest.mark.parametrize("logs", [[], [0.1], [0.1, math.nan], [0.1, math.inf]])
def test_no_figures_without_two_finite_values(logs: list[float]) -> None:
    """Said, not divided by zero."""
    with pytest.raises(ValueError, match="two finite log ratios or more"):
        figures(logs)


def test_equal_values_have_no_spread() -> None:
    """And nothing else either; a series of them is refused."""
    assert figures([0.1, 0.1]).sd == 0.0
    with pytest.raises(ValidationError, match="sd"):
        make_series(logs=(0.1,) * 20)


@pytest.mark.parametrize("name", ["mean", "sd", "lag1", "skewness"])
def test_a_figure_that_is_not_that_of_the_values_is_refused(name: str) -> None:
    """A smaller spread than was measured would make anything certain."""
    good = make_series()
    with pytest.raises(ValidationError, match=f"auto at 512: {name} is .* by its values, not"):
        make_series(**{name: getattr(good, name) * 0.9 + 1e-4})


@pytest.mark.parametrize(
    "changes",
    [
        {"logs": (0.01, math.nan)},
        {"logs": (0.01,)},
        {"logs": (0.01, 11.0)},
        {"sd": math.inf},
        {"voids": -1},
        {"size": 0},
        {"size": True},
        {"kernel_sha256": "A" * 64},
        {"made_at": datetime(2026, 11, 28)},  # noqa: DTZ001 - that is the point
        {"surplus": 1},
    ],
)
def test_what_cannot_be_a_series_is_refused(changes: dict[str, Any]) -> None:
    """Each alone."""
    with pytest.raises(ValidationError):
        CalibratedSeries.model_validate({**make_series().model_dump(), **changes})


def test_a_cell_stands_there_once() -> None:
    """Nobody could tell which of two counts."""
    with pytest.raises(ValidationError, match="auto at 512 stands there twice"):
        make_calibration(make_series(), make_series())


def test_voids_are_a_share_of_all_attempts() -> None:
    """Five beside twenty that count."""
    assert make_series(voids=5).void_share == pytest.approx(0.2)
    assert make_series().void_share == 0.0


@pytest.mark.parametrize(
    ("age_days", "kernel", "why"),
    [
        (0, KERNEL, ""),
        (90, KERNEL, ""),
        (91, KERNEL, "it is 91 days old, and 90 are the most"),
        (-2, KERNEL, "which is yet to come"),
        (0, "b" * 64, "another kernel source"),
    ],
)
def test_what_is_stale_does_not_count(age_days: int, kernel: str, why: str) -> None:
    """By age, in both directions, and by the kernel's source."""
    found = stale(make_series(made_at=NOW - timedelta(days=age_days)), kernel, NOW)
    assert why in found
    assert bool(found) is bool(why)


def test_fewer_than_twenty_snapshots_do_not_count() -> None:
    """However they came into a file."""
    logs = make_series().logs
    assert stale(make_series(logs=logs[:19]), KERNEL, NOW) == "it has 19 snapshots, and 20 are needed"
    assert not stale(make_series(logs=logs), KERNEL, NOW)


def test_a_cell_that_stands_there_twice_is_refused() -> None:
    """Which of the two spreads counts would be anybody's guess."""
    with pytest.raises(ValidationError, match="auto at 512 stands there twice"):
        make_calibration(make_series(), make_series())


def test_it_is_of_a_host_its_hardware_and_a_driver() -> None:
    """The driver by its library, since a version string alone does not identify one."""
    assert make_calibration(make_series()).key == ("host", "a processor x 2", "0" * 64)
