"""How fast the cells of two runs are, the second over the first: a ratio with its interval, and what is certain of it.

The ratio is that of throughput. Where both runs stood beside one and the same reference driver, the host cancels and a
calibration says how much a snapshot varies; else the policy's assumed spread does, and on a CPU device a second witness
is asked, the same over the host's own fixed work: what only one of the two shows may be the host's.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.asking.spreads import assumed, beside_spread
from pytest_weekops.core.judge.beside import is_reference, stands_beside
from pytest_weekops.core.judge.campaign import Campaign, CellKey, cell_name
from pytest_weekops.core.judge.certainty.differences import Side, difference_interval
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, by_snapshot, cell_unit, mean_throughput
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.units import Unit

MARGIN_PERCENT = 5.0  # what the shipped policies let a driver lose of its pinned baseline
Status = Literal["slower", "open", "not slower", "faster"]  # each better than the one before


@dataclass(frozen=True)
class CellNumbers:
    """One run's numbers of a cell: mean throughput in the cell's unit, median of all launches.

    ``scatter_percent`` is the standard deviation of its snapshots' log throughput; None for a single snapshot.
    ``spread`` says with which known spread its values are bounded. ``launches_ms`` are all launches.
    """

    snapshots: int
    launches: int
    throughput: float
    median_ms: float
    scatter_percent: float | None
    spread: str
    launches_ms: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True)
class CellChange:
    """A cell that both runs measured. ``change`` is the log of the second's throughput over the first's.

    ``over_host`` is the same over the host's own fixed work, where that is a second witness; ``how`` says what the
    change is of. ``remark`` is what has to be known beside the status, or nothing.
    """

    cell: CellKey
    unit: Unit
    first: CellNumbers
    second: CellNumbers
    how: str
    change: Interval
    over_host: Interval | None
    status: Status
    remark: str


@dataclass(frozen=True)
class SpeedChange:
    """All cells of two runs. ``lost`` are in both plans, and the second run has no numbers of them.

    ``error`` is the probability with which any bound on one side errs, all cells together, where the spreads are right.
    ``elsewhere`` has a sentence for each platform that ran on another machine.
    """

    cells: tuple[CellChange, ...]
    lost: tuple[CellKey, ...]
    only_first: tuple[CellKey, ...]
    only_second: tuple[CellKey, ...]
    elsewhere: tuple[str, ...]
    margin_percent: float
    error: float

    @property
    def slower(self) -> tuple[CellChange, ...]:
        """The cells that got slower beyond their interval and the margin."""
        return tuple(each for each in self.cells if each.status == "slower")

    @property
    def is_worse(self) -> bool:
        """Whether a cell got slower, or was lost: a run that has no numbers is not as fast as one that has."""
        return bool(self.slower or self.lost)


def speed_change(
    before: Campaign, after: Campaign, policies: tuple[Policy, Policy], margin_percent: float
) -> SpeedChange:
    """Every cell of either run. Each run's spread is its own policy's; the error is the second's ``max_false_block``.

    Raises ``InputError`` where a cell's throughput is counted in another unit, and ``ValueError`` for a margin that is
    no share of a speed.
    """
    if not 0 <= margin_percent < 100:
        raise ValueError(f"a margin lies between 0 and 100 percent, not at {margin_percent}")
    first, second = (_measured(campaign) for campaign in (before, after))
    both = [cell for cell in first if cell in second]
    error = policies[1].evidence.max_false_block
    pair = _Pair(before, after, policies, margin_percent, error / max(1, len(both)))
    return SpeedChange(
        cells=tuple(pair.change(cell) for cell in both),
        lost=tuple(cell for cell in first if cell not in second and cell in after.cells),
        only_first=tuple(cell for cell in first if cell not in second and cell not in after.cells),
        only_second=tuple(cell for cell in second if cell not in first),
        elsewhere=tuple(_elsewhere(before, after)),
        margin_percent=margin_percent,
        error=error,
    )


def _measured(campaign: Campaign) -> tuple[CellKey, ...]:
    return tuple(cell for cell, rows in campaign.good.items() if rows)


def _elsewhere(before: Campaign, after: Campaign) -> Iterator[str]:
    for platform, old in before.identities.items():
        new = after.identities.get(platform)
        if new is None or (old.host, old.hardware) == (new.host, new.hardware):
            continue
        what = "hardware" if old.hardware != new.hardware else "another host"
        places = [f"{each.hardware or 'unknown hardware'} ({each.host or 'unknown host'})" for each in (old, new)]
        yield (
            f"{platform} ran on {'other ' if what == 'hardware' else ''}{what}: {places[0]}, then {places[1]}. Its "
            "ratios are of driver and machine together, and cannot say which of the two changed; a run with both "
            "drivers on one machine can (a split, or --against)"
        )


@dataclass(frozen=True)
class _Pair:
    before: Campaign
    after: Campaign
    policies: tuple[Policy, Policy]
    margin_percent: float
    level: float

    def change(self, cell: CellKey) -> CellChange:
        """What is known of a cell that both measured."""
        rows = self.before.good[cell], self.after.good[cell]
        unit = _one_unit(cell, rows)
        beside = self._stand_beside(cell)
        how = "beside the reference driver" if beside else "as measured"
        lanes = [[tuple(by_snapshot(each, "beside")) for each in rows]] if beside else _lanes(rows)
        spreads = [
            beside_spread(policy, campaign, cell) if beside else assumed(policy)
            for policy, campaign in zip(self.policies, (self.before, self.after), strict=True)
        ]
        found = [
            difference_interval(Side(old, spreads[0]), Side(new, spreads[1]), Levels(self.level, self.level))
            for old, new in lanes
        ]
        limit = math.log1p(-self.margin_percent / 100.0)
        status = _status(found, limit)
        return CellChange(
            cell=cell,
            unit=unit,
            first=_numbers(rows[0], spreads[0].source),
            second=_numbers(rows[1], spreads[1].source),
            how=how,
            change=found[0],
            over_host=found[1] if len(found) > 1 else None,
            status=status,
            remark=_remark(found, limit, status),
        )

    def _stand_beside(self, cell: CellKey) -> bool:
        """Whether one reference driver stood beside both, and is not what both measured: that is as fast as itself."""
        then, now = (stands_beside(campaign, cell) for campaign in (self.before, self.after))
        if then is None or now is None or then.driver != now.driver:
            return False
        return not (is_reference(self.before, cell) and is_reference(self.after, cell))


def _one_unit(cell: CellKey, rows: Sequence[Sequence[CaseMetrics]]) -> Unit:
    old, new = (cell_unit(each) for each in rows)
    if old is None or new is None or old != new:
        told = [unit or "several units" for unit in (old, new)]
        raise InputError(
            f"Cell {cell_name(cell)} is counted in {told[0]} in the first run and in {told[1]} in the second. A ratio "
            "of the two would mean nothing, so nothing was compared. Compare runs of one and the same operation."
        )
    return old


def _lanes(rows: Sequence[Sequence[CaseMetrics]]) -> list[list[tuple[float, ...]]]:
    """Log throughput per snapshot of both runs: as measured and, where one clock went in both, over the host's work."""
    clock = next((each for each in (_pace, _anchor) if all(each(row) > 0 for side in rows for row in side)), None)
    ways: list[Callable[[CaseMetrics], float]] = [lambda row: row.throughput]
    if clock is not None:
        ways.append(lambda row: row.throughput * clock(row))
    return [[_logs(side, way) for side in rows] for way in ways]


def _pace(row: CaseMetrics) -> float:
    return row.pace_ms or 0.0


def _anchor(row: CaseMetrics) -> float:
    return row.anchor_ms or 0.0


def _logs(rows: Sequence[CaseMetrics], value: Callable[[CaseMetrics], float]) -> tuple[float, ...]:
    snapshots = sorted({row.snapshot for row in rows})
    return tuple(math.log(statistics.fmean(value(row) for row in rows if row.snapshot == each)) for each in snapshots)


def _numbers(rows: Sequence[CaseMetrics], spread: str) -> CellNumbers:
    logs, launches = _logs(rows, lambda row: row.throughput), all_launches(rows)
    return CellNumbers(
        snapshots=len(logs),
        launches=len(launches),
        throughput=mean_throughput(rows),
        median_ms=statistics.median(launches),
        scatter_percent=100.0 * statistics.stdev(logs) if len(logs) > 1 else None,
        spread=spread,
        launches_ms=tuple(launches),
    )


def _status(found: Sequence[Interval], limit: float) -> Status:
    """What every witness shows; open where they do not all show the same."""
    if all(each.upper < limit for each in found):
        return "slower"
    if all(each.lower > -limit for each in found):
        return "faster"
    return "not slower" if all(each.lower >= limit for each in found) else "open"


def _remark(found: Sequence[Interval], limit: float, status: Status) -> str:
    if math.isinf(found[0].upper):
        return "a single snapshot has no interval, so nothing is certain"
    if status == "slower" or not any(each.upper < limit for each in found):
        return ""
    over_host = math.exp(found[-1].estimate)
    if found[0].upper < limit:
        return f"slower as measured, and so was the host's own work: over that the ratio is {over_host:.3f}"
    return f"slower over the host's own work alone (ratio {over_host:.3f}), which may be that clock's doing"
