"""The results table of a verdict as plain text lines, made to fit 80 columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.report.saying import wrapped

Row = Mapping[str, Any]

_WEEKLY = (("cell", "<"), ("speed", ">"), ("median ms", ">"), ("p95 ms", ">"), ("drift %", ">"), ("status", "<"))
_SPLIT = (("cell", "<"), ("ratio", ">"), ("base ms", ">"), ("cand ms", ">"), ("status", "<"))

_MOST_RISE = 100.0  # percent; beyond, the first snapshots were slow, and the figure says nothing of the driver


def rose_beyond_belief(row: Row) -> bool:
    """Whether the figure of a cell's trend would mislead: the row's words tell of such a rise instead."""
    value = row.get("drift_percent")
    return isinstance(value, int | float) and value > _MOST_RISE


def number(value: object, digits: int = 2) -> str:
    """A number for people: fixed digits, ``-`` for none, and NaN or infinity as they are."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "-"
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "NaN"
    return f"{value:.{digits}f}" if abs(value) < 1e6 else f"{value:.2e}"


@dataclass(frozen=True)
class Table:
    """One table in words: its columns with how each is aligned, and under them one line of texts for each row.

    ``remarks`` are what is to be said of single rows: the place of the row, and the words.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    lines: tuple[tuple[str, ...], ...]
    remarks: tuple[tuple[int, str], ...] = ()

    @property
    def numbers(self) -> frozenset[int]:
        """The places of the columns that stand right."""
        return frozenset(place for place, (_name, align) in enumerate(self.columns) if align == ">")


def tables(kind: str, rows: Sequence[Row]) -> list[Table]:
    """The tables of a verdict: cells, those in GB/s in one of their own, then, in a split, the ratios.

    Terminal, Markdown and page show these very texts. Empty where there are no rows.
    """
    if kind == "canonical":
        return []
    cells = [row for row in rows if "ratio" not in row]
    found = []
    for unit in ("GFLOPS", "GB/s"):
        # The unit stands over the speed: cells of one unit share a table.
        columns = tuple((unit if name == "speed" else name, align) for name, align in _WEEKLY)
        found.append(_table(columns, [row for row in cells if _unit(row) == unit], _cell, "limits"))
    found.append(_table(_SPLIT, [row for row in rows if "ratio" in row], _ratio, "reason"))
    return [table for table in found if table.rows]


def _table(
    columns: tuple[tuple[str, str], ...], rows: Sequence[Row], texts: Callable[[Row], tuple[str, ...]], remark: str
) -> Table:
    remarks = tuple((place, str(row[remark])) for place, row in enumerate(rows) if row.get(remark))
    return Table(columns, tuple(rows), tuple(texts(row) for row in rows), remarks)


def _goes_without_saying(row: Row, rows: Sequence[Row]) -> bool:
    """Whether it is a reference driver's beside the one platform that there is: its speed is nobody's limit."""
    return row.get("partner") == "reference" and len({each.get("platform") for each in rows}) == 2


def render_table(kind: str, rows: Sequence[Row]) -> list[str]:
    """Lines of the tables: those of cells first, with what is to be said of them below; then the ratios'."""
    found = tables(kind, rows)
    lines: list[str] = []
    for part in (
        [each for each in found if each.columns != _SPLIT],
        [each for each in found if each.columns == _SPLIT],
    ):
        for table in part:
            lines += [*([""] if lines or table.columns == _SPLIT else []), *aligned(table.columns, table.lines)]
        lines += [
            line
            for table in part
            for place, words in table.remarks
            if not _goes_without_saying(table.rows[place], table.rows)
            for line in _reason(table.rows[place], words)
        ]
    return lines


def remark_lines(table: Table) -> list[str]:
    """What is to be said of single rows, each with the name of its row."""
    return [f"{_name(table.rows[place])}: {words}" for place, words in table.remarks]


def _reason(row: Row, words: str) -> list[str]:
    """What is to be said of one row, below the table."""
    return wrapped(f"  {_name(row)}: {words}", indent="    ")


def aligned(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as what stands in them."""
    names = [name for name, _align in columns]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [names, ["-" * width for width in widths], *rows]
    aligned = [
        " ".join(f"{text:{align}{width}}" for text, width, (_n, align) in zip(line, widths, columns, strict=True))
        for line in lines
    ]
    return [line.rstrip() for line in aligned]


def _name(row: Row) -> str:
    parts = [row.get("platform"), row.get("kernel"), row.get("size")]
    if row.get("seed") is not None:
        parts.append(f"seed {row['seed']}")
    return " ".join(str(part) for part in parts if part not in (None, ""))


def _unit(row: Row) -> str:
    """What a cell is judged in; a cell that was not measured, and any older row, stands among the GFLOPS."""
    return "GB/s" if row.get("unit") == "GB/s" else "GFLOPS"


def _cell(row: Row) -> tuple[str, ...]:
    return (
        _name(row),
        number(row.get("mean_gbs" if _unit(row) == "GB/s" else "mean_gflops")),
        number(row.get("median_ms"), 3),
        number(row.get("p95_ms"), 3),
        "rose" if rose_beyond_belief(row) else number(row.get("drift_percent")),
        str(row.get("status", "")),
    )


def _ratio(row: Row) -> tuple[str, ...]:
    return (
        _name(row),
        number(row.get("ratio"), 3),
        number(row.get("baseline_median_ms"), 3),
        number(row.get("candidate_median_ms"), 3),
        str(row.get("status", "")),
    )
