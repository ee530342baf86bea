"""The pure bounds of `core/judge/certainty` once more, for many gates at once, as NumPy arrays.

`tests/core/judge/test_simulated_gates.py` holds both against each other. Levels and quantiles are the pure ones; what
is written again is the arithmetic on samples. Status is 1 for pass, 0 for inconclusive, -1 for fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.judge.certainty.falls import fall_reach
from pytest_weekops.core.judge.certainty.intervals import guard_depth
from pytest_weekops.core.judge.certainty.ranks import depth, discordance_tails, signed_rank_tails
from pytest_weekops.core.judge.certainty.scores import Score
from pytest_weekops.core.judge.certainty.sequential import LookPlan, rank_levels
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import GUARD_LEVEL, THEIL_SEN_FACTOR, trend_error
from pytest_weekops.core.student import student_quantile

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
Statuses = NDArray[np.int8]
Answers = tuple[Bools, list[Bools]]  # whether a limit is passed, and whether it is failed at each of several levels

# The Hodges-Lehmann estimate's standard deviation over that of the mean, and its quantiles to one in 3,000.
HODGES_LEHMANN_FACTOR = 1.05


@dataclass(frozen=True)
class Known:
    """What gates know of the spread: a value for each gate and cell, its degrees of freedom, and the lag told."""

    sd: Floats
    degrees: int | None = None
    lag1: float = 0.0

    def taken(self, rows: NDArray[np.intp]) -> Known:
        """The same for some of the gates."""
        return Known(self.sd[rows], self.degrees, self.lag1)

    def error(self, of_unit: Callable[[Spread], float]) -> Floats:
        """Standard deviation of an estimate, from its formula for a spread."""
        return self.sd * of_unit(Spread(1.0, self.degrees, self.lag1))

    def reach(self, level: float) -> float:
        """Standard deviations from estimate to bound."""
        return student_quantile(level, self.degrees) if level > 0 else math.inf


def walsh(values: Floats) -> Floats:
    """Walsh averages along the last axis, sorted."""
    i, j = np.triu_indices(values.shape[-1])
    return np.sort((values[..., i] + values[..., j]) * 0.5, axis=-1)


def slopes(values: Floats) -> Floats:
    """Pairwise slopes along the last axis, sorted."""
    i, j = np.triu_indices(values.shape[-1], 1)
    return np.sort((values[..., j] - values[..., i]) / (j - i).astype(values.dtype), axis=-1)


def middle(ordered: Floats) -> Floats:
    """Median of what is sorted along the last axis."""
    count = ordered.shape[-1]
    return (ordered[..., (count - 1) // 2] + ordered[..., count // 2]) * 0.5


def chosen(values: Floats, limit: float, low: float, highs: Sequence[float], known: Known) -> Answers:
    """The bounds of `location_interval` with a spread, asked on which side of them the limit lies."""
    look = values.shape[-1]
    under, guard = (values < limit).sum(axis=-1), guard_depth(look)
    scores = (values - values.dtype.type(limit)) / known.sd[..., None].astype(values.dtype)

    def speaks(level: float, sign: int) -> Bools:
        score = Score(Spread(1.0, known.degrees, known.lag1), look, level)
        found: Bools = sign * np.clip(scores, -score.clip, score.clip).sum(axis=-1) >= score.least
        return found

    passes, fails = under < guard, under > look - guard
    return passes & speaks(low, 1), [fails & speaks(high, -1) for high in highs]


def hodges_lehmann(values: Floats, limit: float, low: float, highs: Sequence[float], known: Known) -> Answers:
    """The Hodges-Lehmann estimate and the known spread, with the same guard: what was nearly chosen."""
    look = values.shape[-1]
    under, guard, estimate = (values < limit).sum(axis=-1), guard_depth(look), middle(walsh(values))
    error = HODGES_LEHMANN_FACTOR * known.error(lambda spread: spread.of_mean(look))
    passes = (estimate - known.reach(low) * error >= limit) & (under < guard)
    return passes, [(estimate + known.reach(h) * error < limit) & (under > look - guard) for h in highs]


def ranks_alone(values: Floats, limit: float, low: float, highs: Sequence[float], known: Known) -> Answers:
    """The bounds of `location_interval` without a spread."""
    del known
    ordered, tails = walsh(values), signed_rank_tails(values.shape[-1])
    never = np.zeros(values.shape[:-1], bool)
    deep, places = depth(tails, low), [depth(tails, high) for high in highs]
    passes = ordered[..., deep - 1] >= limit if deep else never
    return passes, [ordered[..., -place] < limit if place else never for place in places]


def t_interval(values: Floats, limit: float, low: float, highs: Sequence[float], known: Known) -> Answers:
    """Mean and Student's interval of the sample: the textbook's, and not monotone."""
    del known
    look = values.shape[-1]
    mean, error = values.mean(axis=-1), values.std(axis=-1, ddof=1) / math.sqrt(look)
    reaches = [student_quantile(level, look - 1) for level in (low, *highs)]
    return mean - reaches[0] * error >= limit, [mean + reach * error < limit for reach in reaches[1:]]


def calibrated_mean(values: Floats, limit: float, low: float, highs: Sequence[float], known: Known) -> Answers:
    """Mean and the known spread, with nothing to guard it."""
    look = values.shape[-1]
    mean, error = values.mean(axis=-1), known.error(lambda spread: spread.of_mean(look))
    return mean - known.reach(low) * error >= limit, [mean + known.reach(high) * error < limit for high in highs]


Method = Callable[[Floats, float, float, Sequence[float], Known], Answers]


def levels(
    method: Method, plan: LookPlan, false_pass: float, false_fail: float, family: int
) -> list[tuple[int, float, list[float]]]:
    """Looks with the level of passing and those of failing, one for each number of requirements that failed before."""
    by_rank = [signed_rank_tails(look) for look in plan.looks]

    def of(error: float) -> tuple[float, ...]:
        if method is ranks_alone:
            return rank_levels(plan.shares(error, plan.budget), by_rank)
        return plan.levels(error, plan.budget)

    passing, failing = of(false_pass), [of(false_fail / (family - gone)) for gone in range(family)]
    return [(look, passing[at], [each[at] for each in failing]) for at, look in enumerate(plan.looks)]


def gate(
    values: Floats,
    limit: float,
    known: Known,
    looks: list[tuple[int, float, list[float]]],
    method: Method = chosen,
) -> tuple[Statuses, NDArray[np.int_]]:
    """Status of each gate and after how many snapshots it stopped; ``values`` are gates x cells x snapshots."""
    gates, cells = values.shape[:2]
    status, stopped = np.zeros(gates, np.int8), np.full(gates, looks[-1][0])
    going = np.arange(gates)
    below = np.zeros((gates, cells), bool)  # below the limit at any look so far, by the whole family's share
    for at, (look, low, highs) in enumerate(looks):
        passes, fails = method(values[going, :, :look], limit, low, highs[:1], known.taken(going))
        below[going] |= fails[0]
        failed = below[going]
        some = going[failed.any(axis=1)]
        failed[failed.any(axis=1)] = _holm(values[some], limit, known.taken(some), looks[: at + 1], method)
        passed = passes & ~failed
        status[going] = np.where(failed.any(axis=1), -1, np.where(passed.all(axis=1), 1, 0))
        done = (failed | passed).all(axis=1)
        stopped[going[done]] = look
        going = going[~done]
        if not going.size:
            break
    return status, stopped


def _holm(
    values: Floats, limit: float, known: Known, looks: list[tuple[int, float, list[float]]], method: Method
) -> Bools:
    """Which cells fail at any of the looks, by Holm's steps: each that fails leaves its share to the others."""
    gates, cells = values.shape[:2]
    below = np.zeros((cells, gates, cells), bool)  # by how many failed before
    for look, low, highs in looks:
        for gone, each in enumerate(method(values[:, :, :look], limit, low, highs, known)[1]):
            below[gone] |= each
    failed: Bools = below[0]
    for _ in range(cells):
        gone_before = np.minimum(failed.sum(axis=1), cells - 1)
        failed = failed | below[gone_before, np.arange(gates)]
    return failed


def rank_trend_levels(plan: LookPlan, error: float) -> tuple[float, ...]:
    """Levels of a trend without a spread."""
    return rank_levels(plan.shares(error, plan.budget), [discordance_tails(look) for look in plan.looks])


def trends(
    lanes: Floats, fall: float, known: Known | None, looks: list[tuple[int, float, float]]
) -> tuple[Statuses, NDArray[np.int_]]:
    """Status of `answer_trend` at the last look, and the look of a fail; ``lanes`` are gates x lanes x snapshots."""
    return _stay(len(lanes), -fall, _trend_bounds(lanes, known), looks)


def live_trends(
    lanes: Floats, fall: float, known: Known, looks: list[tuple[int, float, float]]
) -> list[tuple[int, Statuses]]:
    """Status of a live run's question behind each look: it fails for certain, and passes where the estimate holds."""
    bounds, found = _trend_bounds(lanes, known), []
    failed = np.zeros(len(lanes), bool)
    for look, low, high in looks:
        agreed = (middle(slopes(lanes[:, :, :look])) * (look - 1)).max(axis=1)  # what every witness shows
        failed |= np.maximum(bounds(look, low, high)[1], agreed) < -fall
        found.append((look, np.where(failed, -1, np.where(agreed >= -fall, 1, 0)).astype(np.int8)))
    return found


def _trend_bounds(lanes: Floats, known: Known | None) -> Callable[[int, float, float], tuple[Floats, Floats]]:
    def bounds(look: int, low: float, high: float) -> tuple[Floats, Floats]:
        ordered = slopes(lanes[:, :, :look].mean(axis=1))
        steps, tails = look - 1, discordance_tails(look)
        own = middle(slopes(lanes[:, :, :look])) * steps
        if known is None:
            nowhere = np.full(len(lanes), math.inf)
            deep, high_deep = depth(tails, low), depth(tails, high)
            lower = ordered[:, deep - 1] * steps if deep else -nowhere
            upper = ordered[:, -high_deep] * steps if high_deep else nowhere
        elif not (guard := depth(tails, GUARD_LEVEL)):
            lower, upper = np.full(len(lanes), -math.inf), np.full(len(lanes), math.inf)
        else:
            estimate = middle(ordered) * steps
            error = THEIL_SEN_FACTOR * known.error(lambda spread: trend_error(look, spread))
            lower = np.minimum(estimate - known.reach(low) * error, ordered[:, guard - 1] * steps)
            upper = np.maximum(estimate + known.reach(high) * error, ordered[:, -guard] * steps)
        return np.minimum(lower, own.min(axis=1)), np.maximum(upper, own.max(axis=1))

    return bounds


def falls(
    lanes: Floats, fall: float, known: Known, looks: list[tuple[int, float, float]], witnesses: int = 2
) -> tuple[Statuses, NDArray[np.int_]]:
    """Status of `answer_fall`; ``lanes`` are gates x lanes x snapshots."""

    def bounds(look: int, low: float, high: float) -> tuple[Floats, Floats]:
        del low
        window = lanes[:, :, :look]
        center = np.sort(window, axis=-1)[..., look // 2]
        off = [
            window[..., place] - np.minimum(center, np.sort(window[..., :place], axis=-1)[..., place // 2])
            for place in range(1, look)
        ]
        deepest = np.sort(np.stack(off, axis=-1).max(axis=1), axis=-1)
        if deepest.shape[-1] < witnesses:
            nowhere = np.full(len(lanes), math.inf)
            return -nowhere, nowhere
        noise = known.error(lambda spread: fall_reach(look, high, spread))
        return deepest[:, 0], deepest[:, witnesses - 1] + noise

    return _stay(len(lanes), -fall, bounds, looks)


def _stay(
    count: int,
    limit: float,
    bounds: Callable[[int, float, float], tuple[Floats, Floats]],
    looks: list[tuple[int, float, float]],
) -> tuple[Statuses, NDArray[np.int_]]:
    status, since = np.zeros(count, np.int8), np.full(count, looks[-1][0])
    for look, low, high in looks:
        lower, upper = bounds(look, low, high)
        now = np.where(upper < limit, -1, np.where(lower >= limit, 1, 0)).astype(np.int8)
        since = np.where((status != -1) & (now == -1), look, since)
        status = np.where(status == -1, np.int8(-1), now)
    return status, since
