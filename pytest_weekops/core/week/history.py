"""A cell's throughput over the runs of the ledger: each number as the chain holds it, and what changed beside it. Pure.

The numbers are those that a run's decision had when it was recorded, in five digits. Files are never asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import as_finite, as_whole
from pytest_weekops.core.suggestion import suggest
from pytest_weekops.core.units import UNITS, Unit
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.history_terms import CellKey, Change, Kind, cell_word
from pytest_weekops.core.week.pins import Device, Pin


@dataclass(frozen=True)
class Point:
    """One run of a cell. ``throughput`` in the series' unit and ``p95_ms`` are None where it has no number.

    ``status`` is the cell's, ``changes`` are those since the run before it in the series, and ``pinned`` says whether
    the run is or was the device's pinned baseline.
    """

    run: RunEntry
    throughput: float | None
    p95_ms: float | None
    unit: Unit | None
    status: str
    pinned: bool
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Series:
    """A cell in one unit over its runs, oldest first; the unit is None where no run has a number."""

    cell: CellKey
    unit: Unit | None
    points: tuple[Point, ...]

    @property
    def name(self) -> str:
        """The cell as it is asked for."""
        return cell_word(self.cell)


def history(runs: Sequence[RunEntry], pins: Sequence[Pin]) -> tuple[Series, ...]:
    """Every cell of these runs, in the order in which they came, each unit in a series of its own.

    A run that has no number of a cell stands in every series of it.
    """
    cells: dict[CellKey, list[Point]] = {}
    for run in runs:
        for cell, point in _points(run, pins):
            cells.setdefault(cell, []).append(point)
    return tuple(series for cell, points in cells.items() for series in _by_unit(cell, points))


def without_cells(runs: Iterable[RunEntry]) -> tuple[RunEntry, ...]:
    """Runs that measure speed and have no cell in their record: an older version kept none."""
    return tuple(run for run in runs if run.kind != "canonical" and not any(map(_cell, run.results)))


def chosen(found: Sequence[Series], wanted: Sequence[str]) -> tuple[Series, ...]:
    """The series of these cells, all where none is named. Raises ``InputError`` for a cell that no run has."""
    names = [series.name for series in found]
    for word in wanted:
        if word not in names:
            raise InputError(
                f"--cell {word!r:.80} is in no run of this ledger, so it has no history.{suggest(word, names)} Name "
                f"one as PLATFORM:KERNEL:SIZE; the ledger has {', '.join(dict.fromkeys(names)) or 'none'!s:.400}."
            )
    return tuple(series for series in found if not wanted or series.name in wanted)


def _points(run: RunEntry, pins: Sequence[Pin]) -> Iterator[tuple[CellKey, Point]]:
    mine = [pin for pin in pins if pin.run_id == run.run_id]
    for row in run.results:
        cell = _cell(row)
        if cell is None:
            continue
        unit, number = _number(row)
        pinned = any(pin.device.is_same(Device(cell[0], run.hardware.get(cell[0], ""))) for pin in mine)
        yield cell, Point(run, number, _positive(row.get("p95_ms")), unit, str(row.get("status", "")), pinned)


def _cell(row: Mapping[str, Any]) -> CellKey | None:
    """The cell of a result; None for the comparison of a split, which has no platform."""
    platform, kernel, size = row.get("platform"), row.get("kernel"), as_whole(row.get("size"))
    if not platform or not kernel or size is None or row.get("ratio") is not None:
        return None
    return str(platform), str(kernel), size


def _number(row: Mapping[str, Any]) -> tuple[Unit | None, float | None]:
    """Throughput and what it is counted in; records of older versions have no unit and are GFLOPS."""
    unit = next((each for each in UNITS if each == row.get("unit", "GFLOPS")), None)
    number = _positive(row.get("mean_gbs" if unit == "GB/s" else "mean_gflops")) if unit is not None else None
    return (unit, number) if number is not None else (None, None)


def _positive(value: object) -> float | None:
    number = as_finite(value)
    return number if number is not None and number > 0 else None


def _by_unit(cell: CellKey, points: Sequence[Point]) -> Iterator[Series]:
    units: list[Unit | None] = list(dict.fromkeys(point.unit for point in points if point.unit is not None))
    for unit in units or [None]:
        mine = [point for point in points if point.unit in (unit, None)]
        yield Series(cell, unit, tuple(_with_changes(cell[0], mine)))


def _with_changes(platform: str, points: Sequence[Point]) -> Iterator[Point]:
    known: dict[Kind, str] = {}
    for point in points:
        run = point.run
        facts: dict[Kind, str] = {
            "driver": run.drivers.get(platform, ""),
            "hardware": run.hardware.get(platform, ""),
            "policy": " ".join((run.policy_id, run.policy_sha256[:12])).strip(),
        }
        told = {kind: fact for kind, fact in facts.items() if fact}  # a run whose driver never answered tells none
        changes = tuple(Change(kind, known[kind], fact) for kind, fact in told.items() if known.get(kind, fact) != fact)
        yield replace(point, changes=changes) if changes else point
        known |= told
