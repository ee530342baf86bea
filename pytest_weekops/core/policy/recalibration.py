"""Tighter limits from promoted runs: a share of the headroom is taken away, and nothing is loosened unasked.

The recipe of the older policies: a floor moves towards the evidence's mean by ``fraction`` of the headroom between
them, but stays below the lowest run by a margin; a ceiling likewise from above. Three runs at least, and none whose
runs scatter too widely.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.policy.policy import Policy, Row
from pytest_weekops.core.policy.row_units import floor_of, misstated
from pytest_weekops.core.units import FLOOR_OF_UNIT, Unit


@dataclass(frozen=True)
class Recipe:
    """How much is taken, and what evidence it takes. Dispersion is the relative standard deviation between runs."""

    fraction: float = 0.15
    min_runs: int = 3
    max_gflops_dispersion: float = 0.02
    max_p95_dispersion: float = 0.05
    keep_below_lowest: float = 0.98
    keep_above_highest: float = 1.02


@dataclass(frozen=True)
class CellEvidence:
    """Mean throughput and p95 of one ``kernel:size`` in one promoted run, in the unit its operation is judged in."""

    key: str
    run_id: str
    throughput: float
    p95_ms: float
    unit: Unit = "GFLOPS"


@dataclass(frozen=True)
class Proposal:
    """What is proposed for one row, or ``held`` and why."""

    key: str
    row: Row | None
    held: str
    evidence: tuple[CellEvidence, ...]


def recalibrate(
    policy: Policy, evidence: Sequence[CellEvidence], *, recipe: Recipe, allow_looser: bool = False
) -> tuple[Proposal, ...]:
    """A proposal per row of the policy and per cell with evidence, in order of their keys."""
    keys = sorted({*policy.rows, *(item.key for item in evidence)})
    return tuple(
        _propose(key, policy.rows.get(key), [item for item in evidence if item.key == key], recipe, allow_looser)
        for key in keys
    )


def _propose(
    key: str,
    row: Row | None,
    evidence: list[CellEvidence],
    recipe: Recipe,
    allow_looser: bool,  # noqa: FBT001 - internal
) -> Proposal:
    facts = tuple(evidence)
    if row is not None and row.waiver and not row.has_limit:
        return Proposal(key, None, f"waived in words: {row.waiver}", facts)
    runs = len({item.run_id for item in evidence})
    if runs < recipe.min_runs:
        return Proposal(key, None, f"{runs} promoted runs, {recipe.min_runs} are needed", facts)
    unit = evidence[0].unit
    if any(item.unit != unit for item in evidence):
        return Proposal(key, None, "the runs judge it in two units", facts)
    if problem := misstated(row, unit):
        return Proposal(key, None, problem, facts)
    speeds, p95 = [item.throughput for item in evidence], [item.p95_ms for item in evidence]
    for name, values, most in (
        ("throughput", speeds, recipe.max_gflops_dispersion),
        ("p95", p95, recipe.max_p95_dispersion),
    ):
        spread = statistics.stdev(values) / statistics.fmean(values)
        if not spread <= most:
            return Proposal(key, None, f"{name} scatters by {spread:.1%} between runs, at most {most:.0%}", facts)
    floor = _floor(floor_of(row, unit), speeds, recipe, allow_looser)
    ceiling = _ceiling(row.max_p95_time_ms if row else None, p95, recipe, allow_looser)
    proposed = Row.model_validate(
        {
            FLOOR_OF_UNIT[unit]: floor,
            "max_p95_time_ms": ceiling,
            "notes": f"Recalibrated from {runs} promoted runs, {recipe.fraction:.0%} of the headroom.",
        }
    )
    if row is not None and (floor, ceiling) == (floor_of(row, unit), row.max_p95_time_ms):
        return Proposal(key, None, "the limits are as tight as the evidence allows", facts)
    return Proposal(key, proposed, "", facts)


def _floor(now: float | None, values: list[float], recipe: Recipe, allow_looser: bool) -> float:  # noqa: FBT001
    highest_allowed = min(values) * recipe.keep_below_lowest
    if now is None:
        return round(min(highest_allowed, statistics.fmean(values) * 0.95), 6)
    moved = round(min(now + recipe.fraction * (statistics.fmean(values) - now), highest_allowed), 6)
    return moved if moved > now or allow_looser else now


def _ceiling(now: float | None, values: list[float], recipe: Recipe, allow_looser: bool) -> float:  # noqa: FBT001
    lowest_allowed = max(values) * recipe.keep_above_highest
    if now is None:
        return round(max(lowest_allowed, statistics.fmean(values) * 1.08), 6)
    moved = round(max(now - recipe.fraction * (now - statistics.fmean(values)), lowest_allowed), 6)
    return moved if moved < now or allow_looser else now
