"""The history of cells: for people at 80 columns, and for machines. Both are views of the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.week.history_terms import IMPORTED
from pytest_weekops.report.strip import axis_around, strip, table_lines
from pytest_weekops.report.table import number

if TYPE_CHECKING:
    from pytest_weekops.core.week.entry import RunEntry
    from pytest_weekops.core.week.history import Point, Series
    from pytest_weekops.core.week.levels import Shift

_CHART = 24  # columns
_MARKS = {"driver": "D", "hardware": "H", "policy": "P"}
LEGEND = (
    "marks: D another driver than in the run before, H other hardware, P another policy; * pinned as baseline; "
    "- its files are missing, ! its decision was changed"
)
_FILES = {"missing": "-", "changed": "!"}


def series_lines(series: Series, files: Mapping[str, str], found: Sequence[Shift] | None) -> list[str]:
    """One cell: a line for each run with its number on an axis, and below what changed. ``files`` are words by run.

    ``found`` are its change points, None where nobody looked for them.
    """
    numbers = [point.throughput for point in series.points if point.throughput is not None]
    axis = axis_around(numbers, _CHART)
    columns = (("run", "<"), ("verdict", "<"), (series.unit or "speed", ">"), (_span(numbers), "<"), ("marks", "<"))
    rows = [
        (
            point.run.run_id,
            verdict_word(point.run),
            number(point.throughput),
            strip(axis, point.throughput) if point.throughput is not None else point.status or "no number",
            point_marks(point, files),
        )
        for point in series.points
    ]
    return [
        f"{series.name}, {len(series.points)} runs",
        *table_lines(columns, rows),
        *change_lines(series),
        *map(shift_line, found or ()),
    ]


def change_lines(series: Series) -> list[str]:
    """What became what, with the mark that the run has for it."""
    return [
        f"  {_MARKS[change.kind]} {point.run.run_id}: {change.kind} {change.before} became {change.after}"
        for point in series.points
        for change in point.changes
    ]


def shift_line(shift: Shift) -> str:
    """A change point, and what changed around it: nobody knows whether that is why."""
    beside = ", ".join(f"{change.kind} in {run_id}" for run_id, change in shift.beside)
    return f"  level {shift.percent:+.1f} % from {shift.run_id} on; changed around it: {beside or 'nothing known'}"


def _span(numbers: list[float]) -> str:
    """What the chart reaches from and to, as its heading."""
    if not numbers:
        return ""
    low, high = number(min(numbers)), number(max(numbers))
    return f"{low}{high:>{_CHART - len(low)}}"


def verdict_word(run: RunEntry) -> str:
    """``promote``, or the severity that the run ended with; what was imported ended with none."""
    if run.kind == IMPORTED:
        return IMPORTED
    return "promote" if run.is_promote else f"SEV{run.severity}"


def point_marks(point: Point, files: Mapping[str, str]) -> str:
    """The run's marks; ``LEGEND`` says what each is."""
    pinned = "*" if point.pinned else ""
    return "".join(_MARKS[each.kind] for each in point.changes) + pinned + _FILES.get(files[point.run.run_id], "")


def series_document(series: Series, files: Mapping[str, str], found: Sequence[Shift] | None) -> dict[str, Any]:
    """The same as JSON data; null where a run has no number, and where nobody looked for change points."""
    platform, kernel, size = series.cell
    return {
        "platform": platform,
        "kernel": kernel,
        "size": size,
        "unit": series.unit,
        "runs": [_document(platform, point, files) for point in series.points],
        "change_points": None if found is None else [_shift_document(shift) for shift in found],
    }


def _shift_document(shift: Shift) -> dict[str, Any]:
    beside = [
        {"run_id": run_id, "of": each.kind, "before": each.before, "after": each.after} for run_id, each in shift.beside
    ]
    return {"run_id": shift.run_id, "percent": shift.percent, "beside": beside}


def _document(platform: str, point: Point, files: Mapping[str, str]) -> dict[str, Any]:
    run = point.run
    return {
        "run_id": run.run_id,
        "record": run.seq,
        "created_at": run.created_at,
        "week": str(run.week),
        "kind": run.kind,
        "decision": run.decision,
        "exit_status": run.exit_status,
        "severity": run.severity,
        "throughput": point.throughput,
        "p95_ms": point.p95_ms,
        "status": point.status,
        "driver": run.drivers.get(platform, ""),
        "hardware": run.hardware.get(platform, ""),
        "pinned": point.pinned,
        "changes": [{"of": each.kind, "before": each.before, "after": each.after} for each in point.changes],
        "files": files[run.run_id],
    }
