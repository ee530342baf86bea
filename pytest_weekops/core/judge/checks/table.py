"""The rows of a live verdict's table: one per cell, and in a split one per comparison."""

from __future__ import annotations

import statistics
from typing import Any

from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks.cells import drift_percent
from pytest_weekops.core.judge.checks.slo import judge_cell
from pytest_weekops.core.judge.metrics import all_launches, cell_unit, mean_gbs, mean_gflops
from pytest_weekops.core.judge.pairing import Pairing, least_ratio, pairings
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy


def table_rows(policy: Policy, campaign: Campaign) -> tuple[dict[str, Any], ...]:
    """Rows as plain data; a number that is not there is None, never NaN."""
    if campaign.plan.kind == "canonical":
        return ()
    rows = [_cell_row(policy, campaign, cell) for cell in campaign.cells]
    return tuple(rows + (_ratio_rows(policy, campaign) if campaign.plan.kind == "split" else []))


def _cell_row(policy: Policy, campaign: Campaign, cell: tuple[str, str, int]) -> dict[str, Any]:
    measured = campaign.good[cell]
    row: dict[str, Any] = {"platform": cell[0], "kernel": cell[1], "size": cell[2]}
    planned = campaign.plan.snapshots * len(campaign.plan.seeds)
    if campaign.plan.looks:
        planned -= sum((c.platform, c.kernel, c.size) == cell for c in campaign.lost_to_the_host)
    if not measured:
        return {**row, "status": "no_data", "measured": 0, "planned": planned, "limits": ""}
    found = judge_cell(policy, campaign, cell)
    launches = all_launches(measured)
    several = len({m.snapshot for m in measured}) > 1
    status = "fail" if found.broken else "no_data" if len(measured) != planned else "pass"
    if status == "pass" and found.doubted:
        status = "inconclusive"
    return {
        **row,
        "unit": cell_unit(measured),
        "mean_gflops": mean_gflops(measured),
        "mean_gbs": mean_gbs(measured) if cell_unit(measured) == "GB/s" else None,
        "median_ms": statistics.median(launches),
        "p95_ms": percentile95(launches),
        "launches": len(launches),
        "drift_percent": drift_percent(measured)[0] if several else None,
        "limits": "; ".join(found.broken or found.doubted or found.limits),
        "status": status,
        "measured": len(measured),
        "planned": planned,
    }


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
