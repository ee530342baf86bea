"""The rows of a live verdict's table: one per cell, and in a split one per comparison."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.checks.cells import broken_drift, drift_percent
from pytest_weekops.core.judge.checks.slo import judge_cell
from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.judge.metrics import CaseMetrics, all_launches, cell_unit, mean_gbs, mean_gflops
from pytest_weekops.core.judge.pairing import Pairing, least_ratio, pairings
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy

_BELIEVED_RISE = 100.0  # percent: no driver becomes twice as fast within a run


def table_rows(policy: Policy, campaign: Campaign) -> tuple[dict[str, Any], ...]:
    """Rows as plain data; a number that is not there is None, never NaN."""
    if campaign.plan.kind == "canonical":
        return ()
    bad = {(m.case.platform, m.case.kernel, m.case.size) for m in campaign.bad}
    rows = [
        row
        for cell in campaign.cells
        for row in (_cell_row(policy, campaign, cell, is_bad=cell in bad), *_partner_row(campaign, cell))
    ]
    return tuple(rows + (_ratio_rows(policy, campaign) if campaign.plan.kind == "split" else []))


def _cell_row(policy: Policy, campaign: Campaign, cell: CellKey, *, is_bad: bool) -> dict[str, Any]:
    measured = campaign.good[cell]
    row: dict[str, Any] = {"platform": cell[0], "kernel": cell[1], "size": cell[2]}
    planned = campaign.plan.snapshots * len(campaign.plan.seeds)
    if campaign.plan.looks:
        planned -= sum((c.platform, c.kernel, c.size) == cell for c in campaign.lost_to_the_host)
    if not measured:
        return {**row, "status": "fail" if is_bad else "no_data", "measured": 0, "planned": planned, "limits": ""}
    found = judge_cell(policy, campaign, cell)
    launches = sorted(all_launches(measured))
    drift = _drift(policy, campaign, cell)
    broken, doubted = (*found.broken, *drift.broken), (*found.doubted, *drift.doubted)
    status = "fail" if broken or is_bad else "no_data" if len(measured) != planned else "pass"
    if status == "pass" and doubted:
        status = "inconclusive"
    return {
        **row,
        "unit": cell_unit(measured),
        "mean_gflops": mean_gflops(measured),
        "mean_gbs": mean_gbs(measured) if cell_unit(measured) == "GB/s" else None,
        "median_ms": statistics.median(launches),
        "p95_ms": percentile95(launches),
        "launches": len(launches),
        "drift_percent": drift.slope,
        "limits": "; ".join((*(broken or doubted or found.limits), *drift.rose)),
        "status": status,
        "measured": len(measured),
        "planned": planned,
    }


def _partner_row(campaign: Campaign, cell: tuple[str, str, int]) -> list[dict[str, Any]]:
    """What the partner of a cell did beside it, as what it is: nothing of it is judged."""
    partner, paired = campaign.plan.partner, [row for row in campaign.good[cell] if row.beside is not None]
    if partner is None or not paired:
        return []
    launches = [ms for row in paired for ms in row.beside_ms]
    ratio = math.exp(statistics.fmean(row.beside for row in paired if row.beside is not None))
    beside = f"beside {cell[0]}, " if len(campaign.plan.platforms) > 1 else ""
    role = "the driver in service" if partner.role == "service" else "the reference driver"
    return [
        {
            "platform": partner.label,
            "kernel": cell[1],
            "size": cell[2],
            "partner": partner.role,
            "unit": cell_unit(campaign.good[cell]),
            **{name: statistics.fmean(_theirs(row, name) for row in paired) for name in ("mean_gflops", "mean_gbs")},
            "median_ms": statistics.median(launches),
            "p95_ms": percentile95(launches),
            "launches": len(launches),
            "limits": f"{beside}{role}: {cell[0]} has {ratio:.3f} of its speed",
            "status": "beside",
            "measured": len(paired),
            "planned": len(paired),
        }
    ]


def _theirs(row: CaseMetrics, name: str) -> float:
    """A partner's throughput: it did the same work."""
    mine: float = getattr(row, name)
    return mine * statistics.fmean(row.launches_ms) / statistics.fmean(row.beside_ms)


@dataclass(frozen=True)
class _Drift:
    """A cell's trend where it is judged, which limits it breaks or may break, and what to say of an odd rise."""

    slope: float | None = None
    broken: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    rose: tuple[str, ...] = ()


def _drift(policy: Policy, campaign: Campaign, cell: tuple[str, str, int]) -> _Drift:
    """Falls alone are judged: a rise of thousands of percent beside "pass" would seem to have been looked at."""
    measured = campaign.good[cell]
    if campaign.plan.kind != "weekly" or len({m.snapshot for m in measured}) < 2:
        return _Drift()
    slope, dip = drift_percent(measured)
    if campaign.plan.looks:
        found = [each for each in of_kind(answers(policy, campaign), "trend", "fall") if cell in each.asked.cells]
        broken = tuple(each.words for each in found if each.status is CheckStatus.FAIL)
        doubted = tuple(each.words for each in found if each.status is CheckStatus.INCONCLUSIVE)
    else:
        broken, doubted = tuple(filter(None, [broken_drift(policy, slope, dip)])), ()
    if not slope > _BELIEVED_RISE:
        return _Drift(slope, broken, doubted)
    rose = f"rose {1 + slope / 100:.3g}-fold along the window, from slow first snapshots; only falls are judged"
    return _Drift(slope, broken, doubted, (rose,))


def _ratio_rows(policy: Policy, campaign: Campaign) -> list[dict[str, Any]]:
    least, most = least_ratio(policy, campaign), policy.split.max_latency_ratio
    rows = []
    for pairing in pairings(campaign):
        row: dict[str, Any] = {"kernel": pairing.kernel, "size": pairing.size, "seed": pairing.seed, "ratio": None}
        reason = "" if pairing.is_whole else f"{len(pairing.pairs)} of {pairing.wanted} pairs"
        status = "pass" if pairing.is_whole else "no_data"
        if pairing.pairs:
            sides = [statistics.median(all_launches([pair[side] for pair in pairing.pairs])) for side in (0, 1)]
            row |= {"ratio": pairing.ratio, "baseline_median_ms": sides[0], "candidate_median_ms": sides[1]}
            row["latency_ratio"] = pairing.latency_ratio
            if campaign.plan.looks:
                status, reason = _answered(policy, campaign, pairing, status, reason)
            elif not pairing.ratio >= least:
                status, reason = "fail", f"ratio {pairing.ratio:.3f} below {least:g}"
            elif pairing.seed is None and not pairing.latency_ratio <= most:
                status, reason = "fail", f"p95 ratio {pairing.latency_ratio:.3f} above {most:g}"
            elif status == "pass" and (why := pairing.doubt(least, policy.evidence.min_confidence)):
                status, reason = "inconclusive", f"{least:g} {why}"
        rows.append({**row, "status": status, "reason": reason})
    return rows


def _answered(policy: Policy, campaign: Campaign, pairing: Pairing, status: str, reason: str) -> tuple[str, str]:
    """Status and reason of a comparison by its answers; one that is not whole has failed or has no data."""
    found = [each for each in of_kind(answers(policy, campaign), "ratio", "latency") if each.asked.name == pairing.name]
    for worst in ("fail", "inconclusive"):
        if words := [each.words for each in found if each.status.value == worst]:
            return (worst, words[0]) if status == "pass" or worst == "fail" else (status, reason)
    return status, reason or "; ".join(filter(None, (each.change for each in found)))
