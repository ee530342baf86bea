"""Simulated runs of six cells: their noise, and the rules that judge them, the chosen ones and others beside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from simulated_gates import (
    Floats,
    Known,
    Method,
    Statuses,
    calibrated_mean,
    chosen,
    falls,
    gate,
    hodges_lehmann,
    levels,
    live_trends,
    middle,
    rank_trend_levels,
    ranks_alone,
    slopes,
    t_interval,
    trends,
)

from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import ASSUMED

SEED = 20261128
CELLS = 6
PLAN = LookPlan()
FALSE_FAIL, FALSE_PASS = 0.01, 0.025
FLOOR = math.log(0.85)
DISTURBED = math.log(1.3)  # one measurement in ten takes that much longer
CALIBRATED = 20  # snapshots of a calibration
CHUNK = 10_000

NOISES = {
    "normal": "normal",
    "lag": "lag-1 0.5, told",
    "lag-untold": "lag-1 0.5, not told",
    "skewed": "skewed to the slow side",
    "contaminated": "one in ten 1.3 times slower",
    "both": "the same, on both sides of a pair",
    "wider": "twice the calibrated spread",
}


def noise(kind: str, random: np.random.Generator, shape: tuple[int, ...], sd: float) -> Floats:
    """Residual log ratios: the last axis is snapshots in order, sd that of a calm snapshot."""
    if kind == "skewed":
        return ((1.0 - random.standard_exponential(shape, np.float32)) * sd).astype(np.float32)
    plain = random.standard_normal(shape, np.float32)
    if kind.startswith("lag"):
        for at in range(1, shape[-1]):
            plain[..., at] = 0.5 * plain[..., at - 1] + math.sqrt(0.75) * plain[..., at]
    found = plain * np.float32(sd * (2.0 if kind == "wider" else 1.0))
    if kind in ("contaminated", "both"):
        found -= np.float32(DISTURBED) * (random.random(shape, np.float32) < 0.1)
    if kind == "both":
        found += np.float32(DISTURBED) * (random.random(shape, np.float32) < 0.1)
    return found


def calibration(kind: str, random: np.random.Generator, shape: tuple[int, ...], sd: float) -> Known:
    """What a calibration of twenty calm snapshots tells, a fresh one for each gate and cell."""
    degrees = CALIBRATED - 1
    estimated = sd * np.sqrt(random.chisquare(degrees, shape) / degrees)
    return Known(estimated, degrees, 0.5 if kind == "lag" else 0.0)


@dataclass(frozen=True)
class Row:
    """One row: a ratio against the floor, or a drift against its limit, both in percent; ``rule`` says who judges.

    ``lone``: one cell of the run has the ratio, and the others are unchanged.
    """

    rule: str
    kind: str
    sd: float
    ratio: float = 1.0
    lone: bool = False
    drift: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True)
class Rates:
    """Shares of runs, and the mean number of snapshots."""

    passed: float
    failed: float
    snapshots: float

    @property
    def open(self) -> float:
        """Share of runs in which something stayed inconclusive."""
        return 1.0 - self.passed - self.failed


def ratios(row: Row, random: np.random.Generator, gates: int, snapshots: int) -> Floats:
    """Gates x cells x snapshots of log ratios."""
    values = noise(row.kind, random, (gates, CELLS, snapshots), row.sd)
    values[:, : 1 if row.lone else CELLS] += np.float32(math.log(row.ratio))
    return values


def floor_of(method: Method, spread: float | None = None) -> Callable[[Row, np.random.Generator, int], Rates]:
    """Gates of a floor by one method; ``spread`` is one that is assumed instead of calibrated."""

    def judge(row: Row, random: np.random.Generator, gates: int) -> Rates:
        plan = levels(method, PLAN, FALSE_PASS, FALSE_FAIL, CELLS)
        values = ratios(row, random, gates, PLAN.budget)
        known = calibration(row.kind, random, (gates, CELLS), row.sd)
        if spread is not None:
            known = Known(np.full((gates, CELLS), spread))
        status, stopped = gate(values, FLOOR, known, plan, method)
        return Rates(float((status == 1).mean()), float((status == -1).mean()), float(stopped.mean()))

    return judge


def mean_of_six(row: Row, random: np.random.Generator, gates: int) -> Rates:
    """The rule before: the mean ratio of six snapshots, and a majority of them, at or above the floor."""
    values = ratios(row, random, gates, 6)
    failed = (values.mean(axis=-1) < FLOOR).any(axis=1)
    passed = ~failed & ((values >= FLOOR).sum(axis=-1) >= 4).all(axis=1)
    return Rates(float(passed.mean()), float(failed.mean()), 6.0)


def mean_five_percent(row: Row, random: np.random.Generator, gates: int) -> Rates:
    """`pytest-benchmark --benchmark-compare-fail=mean:5%` on the same pairs: mean time of six at most 5 % longer."""
    values = ratios(row, random, gates, 6)
    failed = (np.exp(-values).mean(axis=-1) > 1.05).any(axis=1)
    return Rates(1.0 - float(failed.mean()), float(failed.mean()), 6.0)


FLOOR_RULES: dict[str, Callable[[Row, np.random.Generator, int], Rates]] = {
    "chosen": floor_of(chosen),
    "chosen, 0.05 assumed": floor_of(chosen, 0.05),
    "ranks alone": floor_of(ranks_alone),
    "Hodges-Lehmann, calibrated": floor_of(hodges_lehmann),
    "mean, calibrated": floor_of(calibrated_mean),
    "t interval": floor_of(t_interval),
    "mean of six": mean_of_six,
    "mean:5%": mean_five_percent,
}


def series(row: Row, random: np.random.Generator, gates: int, snapshots: int, lanes: int) -> Floats:
    """Gates x things x lanes x snapshots of log speed that falls by the drift over the window; six cells in all."""
    fall = math.log1p(-row.drift / 100.0) * np.linspace(0.0, 1.0, snapshots, dtype=np.float32)
    return noise(row.kind, random, (gates, CELLS // lanes, lanes, snapshots), row.sd) + fall.astype(np.float32)


def drift_of(
    rule: Callable[..., tuple[Statuses, object]], plan: LookPlan, lanes: int, *, ranked: bool = False
) -> Callable[[Row, np.random.Generator, int], Rates]:
    """Gates of a drift by `trends` or `falls`: what is not certainly beyond its limit does not fail."""

    def judge(row: Row, random: np.random.Generator, gates: int) -> Rates:
        values, things = series(row, random, gates, plan.budget, lanes), CELLS // lanes
        known = None if ranked else calibration(row.kind, random, (gates,), row.sd)
        low, high = (plan.levels(each, plan.budget) for each in (FALSE_PASS, FALSE_FAIL / things))
        if ranked:
            low, high = (rank_trend_levels(plan, each) for each in (FALSE_PASS, FALSE_FAIL / things))
        looks = list(zip(plan.looks, low, high, strict=True))
        found = [rule(values[:, at], -math.log1p(-row.limit / 100.0), known, looks) for at in range(things)]
        status = np.stack([each[0] for each in found], axis=1)
        failed, passed = (status == -1).any(axis=1), (status == 1).all(axis=1)
        return Rates(float(passed.mean()), float(failed.mean()), float(plan.budget))

    return judge


def live_drift(window: int) -> Callable[[Row, np.random.Generator, int], Rates]:
    """A weekly run of two lanes, with the spread that is assumed; it falls by the drift in every so many snapshots."""

    def judge(row: Row, random: np.random.Generator, gates: int) -> Rates:
        things, plan = CELLS // 2, PLAN
        values = noise(row.kind, random, (gates, things, 2, plan.budget), row.sd)
        values += np.float32(math.log1p(-row.drift / 100.0)) * np.arange(plan.budget, dtype=np.float32) / (window - 1)
        low, high = (plan.levels(each, plan.budget) for each in (FALSE_PASS, FALSE_FAIL / things))
        looks, known = list(zip(plan.looks, low, high, strict=True)), Known(np.full(gates, ASSUMED.sd))
        limit = -math.log1p(-row.limit / 100.0)
        found = [live_trends(values[:, at], limit, known, looks) for at in range(things)]
        status, stopped = np.zeros(gates, np.int8), np.full(gates, plan.budget)
        going = np.ones(gates, bool)
        for place, look in enumerate(plan.looks):
            now = np.stack([each[place][1] for each in found], axis=1)
            status[going] = np.where((now == -1).any(axis=1), -1, np.where((now == 1).all(axis=1), 1, 0))[going]
            ends = going & (now != 0).all(axis=1)
            stopped[ends] = look
            going &= ~ends
        return Rates(float((status == 1).mean()), float((status == -1).mean()), float(stopped.mean()))

    return judge


def trend_estimate(row: Row, random: np.random.Generator, gates: int) -> Rates:
    """The rule before: the Theil-Sen line of six snapshots, and no snapshot 8 % below median and predecessors."""
    values = series(row, random, gates, 6, 1)[:, :, 0]
    trend = middle(slopes(values)) * 5
    center = np.median(values, axis=-1)
    dips = [
        values[..., at] - np.minimum(center, np.median(values[..., :at], axis=-1)) for at in range(1, values.shape[-1])
    ]
    bad = (np.expm1(trend) < -row.limit / 100.0) | (np.expm1(np.min(dips, axis=0)) < -0.08)
    failed = float(bad.any(axis=1).mean())
    return Rates(1.0 - failed, failed, 6.0)


def first_against_last(row: Row, random: np.random.Generator, gates: int) -> Rates:
    """The oldest rule: the change from the first to the last of six snapshots, in either direction."""
    values = series(row, random, gates, 6, 1)[:, :, 0]
    bad = np.abs(np.expm1(values[..., -1] - values[..., 0])) > row.limit / 100.0
    failed = float(bad.any(axis=1).mean())
    return Rates(1.0 - failed, failed, 6.0)


SIX = LookPlan((6,))
DRIFT_RULES: dict[str, Callable[[Row, np.random.Generator, int], Rates]] = {
    "trend, one lane": drift_of(trends, SIX, 1),
    "trend, two lanes": drift_of(trends, SIX, 2),
    "trend, two lanes, looks to 12": drift_of(trends, PLAN, 2),
    "trend, two lanes, ranks alone": drift_of(trends, SIX, 2, ranked=True),
    "fall of two snapshots, two lanes": drift_of(falls, SIX, 2),
    "fall of two snapshots, one lane": drift_of(falls, SIX, 1),
    "trend and dip as estimated": trend_estimate,
    "first against last": first_against_last,
}


LIVE_DRIFT_RULES: dict[str, Callable[[Row, np.random.Generator, int], Rates]] = {
    "in 3 snapshots": live_drift(3),
    "in 12 snapshots": live_drift(12),
}


def simulate(job: tuple[int, Row, int]) -> Rates:
    """One row, in chunks; its random numbers depend on its place alone."""
    place, row, gates = job
    random = np.random.default_rng([SEED, place])
    rule = (FLOOR_RULES | DRIFT_RULES | LIVE_DRIFT_RULES)[row.rule]
    sizes = [min(CHUNK, gates - at) for at in range(0, gates, CHUNK)]
    found = [(rule(row, random, size), size) for size in sizes]
    return Rates(*(sum(getattr(r, n) * size for r, size in found) / gates for n in ("passed", "failed", "snapshots")))
