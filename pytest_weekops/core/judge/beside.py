"""A cell beside the reference driver: now, and when its baseline was pinned; and whether this is the pin's machine.

The reference driver is fixed by its files, so what it takes tells the machine. A driver that has those files itself is
as fast as itself whatever happens: its ratio bounds nothing.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.asking.limits import launches_by_snapshot
from pytest_weekops.core.judge.asking.spreads import beside_spread
from pytest_weekops.core.judge.campaign import BaselineRow, Campaign, CellKey, PinnedBeside
from pytest_weekops.core.judge.metrics import CaseMetrics, by_snapshot
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy

MOVED = 3.0  # spreads by which the reference's own speed may differ from that at the pin
_LED_BY_US = ("OCL_ICD_VENDORS", "LD_LIBRARY_PATH")  # environment that leads a worker to its driver


@dataclass(frozen=True)
class Shares:
    """Share of the pinned throughput by snapshot, as logs, how it was freed of the host, and how slow that is.

    ``log_p95`` is the p95 over the reference's when it was pinned; None where it is held against milliseconds.
    """

    logs: tuple[float, ...]
    how: str
    host: float = 1.0
    log_p95: float | None = None


def stands_beside(campaign: Campaign, cell: CellKey) -> PinnedBeside | None:
    """How a cell stood beside the reference driver, where each of its measurements did, beside one and the same."""
    rows, clock = campaign.good[cell], clock_of(campaign, cell)
    if clock is None or not rows or any(row.beside is None for row in rows):
        return None
    return PinnedBeside(
        driver=clock,
        log_ratio=statistics.fmean(by_snapshot(rows, "beside")),
        median_ms=statistics.median(ms for row in rows for ms in row.beside_ms),
        log_p95=_log_p95(rows),
    )


def clock_of(campaign: Campaign, cell: CellKey) -> str | None:
    """The one reference driver of a cell, what it launched and how it was led, as a hash; None without one."""
    partner = campaign.partner
    if partner is None or partner.role != "reference":
        return None
    seen = {
        (m.turns.partner.library_sha256, m.turns.partner.variant, m.turns.partner.kernel_sha256)
        for m in campaign.counted
        if (m.case.platform, m.case.kernel, m.case.size) == cell and m.turns is not None and m.turns.partner is not None
    }
    if len(seen) != 1 or next(iter(seen))[0] != partner.identity.library_sha256:
        return None
    who = partner.identity
    led = sorted(f"{key}={value}" for key, value in who.environment.items() if key not in _LED_BY_US)
    facts = (*seen.pop(), who.driver_version, who.answered_by, *led)
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _log_p95(rows: Sequence[CaseMetrics]) -> float:
    """The log p95 over the reference's in the middle snapshot: one stalled snapshot is not what a pin is to bound."""
    sides = zip(launches_by_snapshot(rows), launches_by_snapshot(rows, "beside_ms"), strict=True)
    return statistics.median(math.log(percentile95(mine) / percentile95(theirs)) for mine, theirs in sides)


def shares_beside(campaign: Campaign, cell: CellKey, pinned: BaselineRow) -> Shares | None:
    """A cell's share of what it was beside the reference driver when it was pinned; None where that is not known."""
    now, then = _comparable(campaign, cell, pinned)
    if now is None or then is None or is_reference(campaign, cell):
        return None
    logs = tuple(log - then.log_ratio for log in by_snapshot(campaign.good[cell], "beside"))
    p95 = then.log_p95 if then.log_p95 is not None and math.isfinite(then.log_p95) else None
    return Shares(logs, "beside the reference driver", now.median_ms / then.median_ms, p95)


def another_machine(policy: Policy, campaign: Campaign, cell: CellKey, pinned: BaselineRow) -> str:
    """Why what was pinned is not worth its number here, in words; nothing where it is, or where nothing is known.

    Another host, whatever else is the same; or a reference driver whose own speed moved, unless it stands between.
    """
    baseline, identity = campaign.baseline_for(cell[0]), campaign.identities.get(cell[0])
    if baseline is not None and baseline.identity is not None and identity is not None:
        then, now = baseline.identity.host, identity.host
        if then != now:
            return f"pinned on host {then or 'unknown'}, and this is {now or 'unknown'}"
    here, there = _comparable(campaign, cell, pinned)
    if here is None or there is None or not is_reference(campaign, cell):
        return ""
    moved = math.log(here.median_ms / there.median_ms)
    if abs(moved) <= MOVED * beside_spread(policy, campaign, cell).sd:
        return ""
    percent = 100.0 * math.expm1(moved)
    return (
        f"the reference driver takes {abs(percent):.0f} % {'longer' if moved > 0 else 'less'} than when it was pinned"
    )


def _comparable(
    campaign: Campaign, cell: CellKey, pinned: BaselineRow
) -> tuple[PinnedBeside | None, PinnedBeside | None]:
    """The reference driver now and then, where it is the same, launched the same kernel, and was led the same way."""
    now, then = stands_beside(campaign, cell), pinned.beside
    if now is None or then is None or now.driver != then.driver:
        return None, None
    return (now, then) if _usable(now) and _usable(then) else (None, None)


def _usable(beside: PinnedBeside) -> bool:
    return math.isfinite(beside.log_ratio) and math.isfinite(beside.median_ms) and beside.median_ms > 0


def is_reference(campaign: Campaign, cell: CellKey) -> bool:
    """Whether the driver under test is the reference driver itself: then the ratio is one whatever happens."""
    mine, partner = campaign.identities.get(cell[0]), campaign.partner
    return mine is None or partner is None or mine.library_sha256 == partner.identity.library_sha256
