"""A calibration for people: its figures, and what a run on this host can see, as tables of 80 columns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.certainty.realised import Rate, Realised
from pytest_weekops.core.measurement.calibration import CalibratedSeries, KnownSlowdown, Loaded
from pytest_weekops.report.saying import wrapped
from pytest_weekops.report.table import aligned

_SLOWED = ("cell", "work", "snapshots", "slower %", "seen %")
_FIGURES = ("cell", "snapshots", "void %", "sd %", "mean %", "lag-1", "skew")


@dataclass(frozen=True)
class CalibratedCell:
    """One series, and what it is worth: ``resolution`` is a log ratio above 0 by snapshots."""

    platform: str
    series: CalibratedSeries
    resolution: Mapping[int, float]
    realised: Realised

    @property
    def name(self) -> str:
        """As a cell of a run is called."""
        return f"{self.platform} {self.series.kernel} {self.series.size}"


def slowdown_percent(log: float) -> float:
    """The slowdown in percent of a log ratio above 0: 0.05 is 4.9 %."""
    return -100.0 * math.expm1(-log)


def render_calibration(cells: Sequence[CalibratedCell]) -> list[str]:
    """Lines of both tables, and what their columns say; empty without cells."""
    if not cells:
        return []
    looks = tuple(cells[0].resolution)
    right = [(name, "<" if name == "cell" else ">") for name in _FIGURES]
    worth = [("cell", "<"), *((f"{look}", ">") for look in looks), ("false block %", ">"), ("false promote %", ">")]
    return [
        *aligned(right, [_figures(cell) for cell in cells]),
        "",
        *aligned(worth, [_worth(cell, looks) for cell in cells]),
        "",
        *wrapped(
            f"Under {', '.join(map(str, looks))}: the smallest slowdown, in percent below a floor, that a run of six "
            "cells sees with 95 % power after so many snapshots. Then what such runs would have said on these "
            "snapshots, drawn again around the floor, with 95 % intervals; promised are 1 % and 2.5 %.",
            indent="",
        ),
    ]


def render_slowed(cells: Sequence[CalibratedCell]) -> list[str]:
    """Lines of the known slowdowns and of the load test; empty where none was made."""
    slowed = [_slowed(cell, known) for cell in cells for known in cell.series.slowed]
    loaded = [_loaded(cell, cell.series.loaded) for cell in cells if cell.series.loaded is not None]
    lines: list[str] = []
    if slowed:
        told = (
            "Slower: by how much, measured, where one worker had so many times the other's work. Seen: how many runs "
            "of six cells would fail, were the limit where the unchanged driver is, with a 95 % interval."
        )
        columns = [(name, "<" if name == "cell" else ">") for name in _SLOWED]
        lines += [*aligned(columns, slowed), "", *wrapped(told, indent="")]
    return [*lines, *([""] if lines and loaded else []), *loaded]


def _slowed(cell: CalibratedCell, known: KnownSlowdown) -> tuple[str, ...]:
    slower = slowdown_percent(-math.fsum(known.logs) / len(known.logs))
    power = known.power
    seen = "" if power is None else f"{100 * power.share:.0f} [{100 * power.low:.0f}, {100 * power.high:.0f}]"
    return cell.name, f"{known.work:.3f}", str(len(known.logs)), f"{slower:+.2f}", seen


def _loaded(cell: CalibratedCell, loaded: Loaded) -> str:
    tried = len(loaded.logs) + loaded.voids
    sd = f", sd {100 * statistics.stdev(loaded.logs):.2f} %" if len(loaded.logs) > 1 else ""
    return f"{cell.name} beside a busy loop: {loaded.voids} of {tried} snapshots void{sd}"


def _figures(cell: CalibratedCell) -> tuple[str, ...]:
    series = cell.series
    return (
        cell.name,
        str(series.snapshots),
        f"{100 * series.void_share:.0f}",
        f"{100 * series.sd:.2f}",
        f"{100 * series.mean:+.2f}",
        f"{series.lag1:+.2f}",
        f"{series.skewness:+.1f}",
    )


def _worth(cell: CalibratedCell, looks: Sequence[int]) -> tuple[str, ...]:
    seen = (f"{slowdown_percent(cell.resolution[look]):.1f}" for look in looks)
    return cell.name, *seen, _rate(cell.realised.false_block), _rate(cell.realised.false_promote)


def _rate(rate: Rate) -> str:
    return f"{100 * rate.share:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
