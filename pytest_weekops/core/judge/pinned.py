"""A cell against its pinned baseline: which row speaks of it, and what share of it was reached."""

from __future__ import annotations

import math

from pytest_weekops.core.judge.campaign import BaselineRow, Campaign, CellKey
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, mean_anchor, mean_throughput
from pytest_weekops.core.measurement.stats import percentile95


def baseline_row(campaign: Campaign, cell: CellKey) -> BaselineRow | None:
    """The pinned baseline's row of a cell, where it is usable."""
    baseline = campaign.baseline_for(cell[0])
    row = baseline.row(cell[1], cell[2]) if baseline is not None else None
    return row if row is not None and _usable(row) else None


def _usable(row: BaselineRow) -> bool:
    numbers = (row.throughput, row.p95_ms, *(() if row.anchor_ms is None else (row.anchor_ms,)))
    return all(value is not None and math.isfinite(value) and value > 0 for value in numbers)


def shares(pinned: BaselineRow, rows: tuple[CaseMetrics, ...]) -> list[float]:
    """Share of the baseline's throughput in each snapshot."""
    snapshots = sorted({row.snapshot for row in rows})
    return [against(pinned, tuple(r for r in rows if r.snapshot == each))[0] for each in snapshots]


def without_host(pinned: BaselineRow) -> BaselineRow:
    """The same row without the host's speed: what is held against it is so as measured."""
    return pinned.model_copy(update={"anchor_ms": None})


def against(pinned: BaselineRow, rows: tuple[CaseMetrics, ...]) -> tuple[float, float, str]:
    """Shares of the baseline's throughput and p95; freed from the host's speed where both have an anchor."""
    speed, p95 = mean_throughput(rows), percentile95(all_launches(rows))
    before = pinned.throughput or math.nan
    host = host_speed(pinned, rows)
    if host is None:
        return speed / before, p95 / pinned.p95_ms, "as measured"
    return speed / before * host, p95 / pinned.p95_ms / host, "anchor-normalised"


def host_speed(pinned: BaselineRow, rows: tuple[CaseMetrics, ...]) -> float | None:
    """The host's anchor over that of the pin, above 1 where the host is slower than it was; None without both."""
    anchor = mean_anchor(rows)
    return None if anchor is None or pinned.anchor_ms is None else anchor / pinned.anchor_ms
