"""From a cell's series to what its page shows: the numbers of `weekops history`, with bounds and links. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_weekops.core.week.bounds import run_bounds
from pytest_weekops.core.week.history import Point, Series
from pytest_weekops.core.week.levels import Shift
from pytest_weekops.report.history import change_lines, point_marks
from pytest_weekops.report.site.names import pair_name
from pytest_weekops.report.site.showing import run_row
from pytest_weekops.report.site.shown import CellPage, CellPoint, Place


def show_cell(
    series: Series,
    found: tuple[Shift, ...] | None,
    note: str,
    *,
    places: Mapping[str, Place],
    files: Mapping[str, str],
    pairs: frozenset[tuple[str, str]],
) -> CellPage:
    """One cell. ``found`` are its change points; ``files`` say what became of each run's decision.

    ``pairs`` are the runs, by id, that have a page side by side.
    """
    before = [None, *_measured_before(series.points)]
    points = tuple(
        _point(series, point, earlier, places, files, pairs)
        for point, earlier in zip(series.points, before, strict=False)
    )
    return CellPage(series.name, series.unit or "no number", points, tuple(change_lines(series)), found, note)


def neighbours(series: Series) -> Iterator[tuple[str, str]]:
    """Runs next to each other in a series, among those that have a number."""
    for point, earlier in zip(series.points[1:], _measured_before(series.points), strict=False):
        if earlier is not None and point.throughput is not None:
            yield earlier, point.run.run_id


def _measured_before(points: Sequence[Point]) -> Iterator[str | None]:
    """For the second point and every later one, the last run before it that has a number."""
    last = None
    for point in points:
        last = point.run.run_id if point.throughput is not None else last
        yield last


def _point(
    series: Series,
    point: Point,
    earlier: str | None,
    places: Mapping[str, Place],
    files: Mapping[str, str],
    pairs: frozenset[tuple[str, str]],
) -> CellPoint:
    run, speed = point.run, point.throughput
    low, high = (run_bounds(run, speed) if speed is not None else None) or (None, None)
    is_paired = earlier is not None and speed is not None and (earlier, run.run_id) in pairs
    return CellPoint(
        run=run_row(run, places),
        throughput=speed,
        low=low,
        high=high,
        p95_ms=point.p95_ms,
        status=point.status,
        driver=run.drivers.get(series.cell[0], ""),
        marks=point_marks(point, files),
        pinned=point.pinned,
        compared=pair_name(earlier, run.run_id) if is_paired and earlier is not None else "",
    )
