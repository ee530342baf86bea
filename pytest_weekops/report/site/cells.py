"""From a cell's series to what its page shows: the numbers of `weekops history`, with bounds and links. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from itertools import pairwise

from pytest_weekops.core.week.bounds import bounds_of
from pytest_weekops.core.week.history import Point, Series
from pytest_weekops.core.week.levels import Shift, measured
from pytest_weekops.report.history import change_lines, point_marks
from pytest_weekops.report.page.shown import Link
from pytest_weekops.report.site.names import pair_name
from pytest_weekops.report.site.showing import RunKey, ToldRun, run_key
from pytest_weekops.report.site.shown import CellPage, CellPoint


def show_cell(
    series: Series,
    found: tuple[Shift, ...] | None,
    note: str,
    *,
    told: Mapping[RunKey, ToldRun],
    files: Mapping[str, str],
    there: Container[str],
) -> CellPage:
    """One cell. ``found`` are its change points; ``files`` say what became of each run's decision.

    ``told`` is what is known of the runs.
    ``there`` holds the runs whose journals are still there: each has a page beside the one before it.
    """
    before = {later: earlier for earlier, later in neighbours(series, there)}
    points = tuple(_point(series, point, before.get(point.run.run_id, ""), told, files) for point in series.points)
    return CellPage(series.name, series.unit or "no number", points, tuple(change_lines(series)), found, note)


def neighbours(series: Series, there: Container[str]) -> Iterator[tuple[str, str]]:
    """Runs next to each other in a series, among those that have a number and are there."""
    yield from pairwise(point.run.run_id for point in measured(series) if point.run.run_id in there)


def _point(
    series: Series, point: Point, earlier: str, told: Mapping[RunKey, ToldRun], files: Mapping[str, str]
) -> CellPoint:
    run, speed, mine = point.run, point.throughput, told[run_key(point.run)]
    low, high = bounds_of(speed, mine.reach) if speed is not None and mine.reach is not None else (None, None)
    return CellPoint(
        run=mine.row,
        throughput=speed,
        low=low,
        high=high,
        p95_ms=point.p95_ms,
        status=point.status,
        driver=run.drivers.get(series.cell[0], ""),
        marks=point_marks(point, files),
        pinned=point.pinned,
        compared=Link(pair_name(earlier, run.run_id), earlier) if earlier else None,
    )
