"""What gates would have said of the snapshots of a calibration, drawn again: error rates of this host, not of a model.

Each simulated gate is a run of so many cells, each of them blocks of neighbouring snapshots drawn from the calibration
with their mean taken out, so that the truth lies exactly at the limit: there both errors are likeliest. The spread that
judges them is the calibration's own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.judge.certainty.answers import Errors
from pytest_weekops.core.judge.certainty.intervals import guard_depth
from pytest_weekops.core.judge.certainty.scores import Score
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus

BLOCK = 2  # neighbours that are drawn together; of longer blocks, twenty snapshots have too few that differ
CELLS = 6
_TAIL = 0.025


@dataclass(frozen=True)
class Rate:
    """A share, and 95 % of what resampled calibrations give, together with the simulation's own 95 % interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Realised:
    """Error rates of a run.

    ``false_block``: it fails though every cell lies at the limit. ``false_promote``: it promotes though one cell lies
    at the limit, the others being clear of it, so that this one decides.
    """

    false_block: Rate
    false_promote: Rate


def realised(
    logs: Sequence[float],
    spread: Spread,
    plan: LookPlan,
    errors: Errors,
    *,
    runs: int = 4000,
    calibrations: int = 100,
    cells: int = CELLS,
    seed: int = 1,
) -> Realised:
    """Error rates of runs of so many cells on the noise of a calibration. ``errors`` are those of a whole run.

    The shares rest on ``runs`` simulated runs, their intervals on as many again over so many ``calibrations``, each
    drawn from this one as if it had been measured another time. Raises ``ValueError`` for fewer than two log ratios.
    """
    if len(logs) < 2:
        raise ValueError(f"a calibration has two log ratios or more, not {len(logs)}")
    draw = random.Random(seed)  # noqa: S311 - the same figures each time
    tests = look_tests(spread, plan, Errors(errors.false_fail / cells, errors.false_pass))
    block, promote = _rates(logs, tests, plan.budget, runs, cells, draw)
    again = [
        _rates(resampled(logs, len(logs), draw), tests, plan.budget, max(1, runs // calibrations), cells, draw)
        for _ in range(calibrations)
    ]
    return Realised(
        _rate(block, runs, [each[0] for each in again]), _rate(promote, runs * cells, [each[1] for each in again])
    )


def power(
    logs: Sequence[float],
    slowed: Sequence[float],
    spread: Spread,
    plan: LookPlan,
    errors: Errors,
    *,
    runs: int = 4000,
    calibrations: int = 100,
    cells: int = CELLS,
    seed: int = 1,
) -> Rate:
    """Share of runs in which a cell fails that is as much slower than its limit as ``slowed`` was than the same driver.

    A cell's snapshots are the calibration's noise around the mean of the slowed ones. Raises ``ValueError`` as
    :func:`realised` does, and where nothing was slowed.
    """
    if len(logs) < 2 or not slowed:
        raise ValueError(f"power needs two log ratios or more and a slowed one, not {len(logs)} and {len(slowed)}")
    draw = random.Random(seed)  # noqa: S311 - the same figures each time
    tests = look_tests(spread, plan, Errors(errors.false_fail / cells, errors.false_pass))

    def share(noise: Sequence[float], slow: Sequence[float], tried: int) -> float:
        off = math.fsum(slow) / len(slow) - math.fsum(noise) / len(noise)
        moved = [each + off for each in noise]
        found = [first_answer(resampled(moved, plan.budget, draw), tests) for _ in range(tried)]
        return found.count(CheckStatus.FAIL) / tried

    again = [
        share(resampled(logs, len(logs), draw), draw.choices(slowed, k=len(slowed)), max(1, runs // calibrations))
        for _ in range(calibrations)
    ]
    return _rate(share(logs, slowed, runs), runs, again)


def _rate(share: float, tried: int, others: Sequence[float]) -> Rate:
    ordered = sorted((share, *others))
    off = math.floor(_TAIL * len(ordered))
    low, high = clopper_pearson(round(share * tried), tried)
    return Rate(share, min(low, ordered[off]), max(high, ordered[-1 - off]))


def _rates(
    logs: Sequence[float], tests: Sequence[LookTest], budget: int, runs: int, cells: int, draw: random.Random
) -> tuple[float, float]:
    """Share of runs that fail, and of cells that pass."""
    mean = math.fsum(logs) / len(logs)
    centred = [log - mean for log in logs]
    failed = passed = 0
    for _ in range(runs):
        found = [first_answer(resampled(centred, budget, draw), tests) for _ in range(cells)]
        failed += CheckStatus.FAIL in found
        passed += found.count(CheckStatus.PASS)
    return failed / runs, passed / (runs * cells)


def resampled(values: Sequence[float], count: int, draw: random.Random) -> list[float]:
    """So many values in blocks of neighbours, each from a place of its own; behind the last comes the first."""
    found: list[float] = []
    while len(found) < count:
        start = draw.randrange(len(values))
        found += [values[(start + step) % len(values)] for step in range(BLOCK)]
    return found[:count]


@dataclass(frozen=True)
class LookTest:
    """What a look asks of so many values at the limit 0: the same as whether the interval's bounds lie beyond it."""

    count: int
    guard: int
    sd: float
    passing: tuple[float, float]  # clip, and the least sum of clipped scores
    failing: tuple[float, float]

    def status(self, values: Sequence[float]) -> CheckStatus:
        """Pass, fail, or open."""
        looked_at = values[: self.count]
        ordered = sorted(looked_at)
        if ordered[-self.guard] < 0 and -self._sum(looked_at, self.failing[0]) > self.failing[1]:
            return CheckStatus.FAIL
        if ordered[self.guard - 1] >= 0 and self._sum(looked_at, self.passing[0]) >= self.passing[1]:
            return CheckStatus.PASS
        return CheckStatus.INCONCLUSIVE

    def _sum(self, values: Sequence[float], clip: float) -> float:
        reach = clip * self.sd
        return math.fsum(min(reach, max(-reach, value)) for value in values) / self.sd


def look_tests(spread: Spread, plan: LookPlan, errors: Errors) -> list[LookTest]:
    """The tests of a plan's looks, for one cell whose own errors these are."""
    levels = zip(
        plan.looks,
        plan.levels(errors.false_pass, plan.budget),
        plan.levels(errors.false_fail, plan.budget),
        strict=True,
    )
    return [
        LookTest(
            look,
            guard_depth(look),
            spread.sd,
            _clip_and_least(spread, look, passing),
            _clip_and_least(spread, look, failing),
        )
        for look, passing, failing in levels
    ]


def _clip_and_least(spread: Spread, count: int, level: float) -> tuple[float, float]:
    if level <= 0:
        return 1.0, math.inf
    score = Score(spread, count, level)
    return score.clip, score.least


def first_answer(values: Sequence[float], tests: Sequence[LookTest]) -> CheckStatus:
    """The first look that decides: there the cell needs no further snapshot."""
    for test in tests:
        if (found := test.status(values)) is not CheckStatus.INCONCLUSIVE:
            return found
    return CheckStatus.INCONCLUSIVE
