"""What a run of this size would have seen, and how many snapshots would decide what is open. Advice, no verdict."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from statistics import NormalDist

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, Requirement
from pytest_weekops.core.judge.certainty.scores import Score
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread

_MOST = 200  # snapshots; more is no advice
# A sum of few clipped scores has a longer tail towards "not seen" than a normal one; by simulation for 3 to 20 of them.
_SKEW = 0.85
_MEDIAN_STEP = 0.9539  # median distance of two standard normal values


def observed_spread(values: Sequence[float]) -> Spread | None:
    """This run's own spread, for advice alone: no bound may rest on it. None where it cannot be told.

    From the median distance of neighbours, so that neither a trend nor one bad snapshot is taken for noise.
    """
    steps = [abs(after - before) for before, after in itertools.pairwise(values)]
    sd = statistics.median(steps) / _MEDIAN_STEP if len(steps) > 1 else 0.0
    return Spread(sd, source="this run's own, for advice") if math.isfinite(sd) and sd > 0 else None


def resolution(plan: LookPlan, count: int, spread: Spread, errors: Errors, *, power: float = 0.95) -> float:
    """How far below its limit a driver must lie to fail with that power at the look of ``count`` snapshots.

    A log ratio above 0: at a floor of 0.85 a driver at ``0.85 * exp(-resolution)``. ``errors`` are those of one
    requirement, so a run's ``false_fail`` over the number of its requirements. Infinite for fewer than two snapshots.
    What earlier looks see is not counted.
    """
    if count < 2:
        return math.inf
    score = Score(spread, count, plan.levels(errors.false_fail, count)[-1])
    quantile = NormalDist().inv_cdf(power) * (1.0 + _SKEW / count)
    low, high = 0.0, spread.sd
    while not _is_seen(score, high, quantile):
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if _is_seen(score, middle, quantile) else (middle, high)
    return high


def _is_seen(score: Score, distance: float, quantile: float) -> bool:
    mean, deviation = score.expected(distance)
    return mean - quantile * deviation >= 1.0


def snapshots_to_decide(requirement: Requirement, found: Answer, plan: LookPlan) -> int | None:
    """How many snapshots in all would decide an open answer, were the estimate the truth; None beyond 200.

    The requirement's own spread counts, or without one this run's, and as many snapshots as the ranks need.
    """
    spread = requirement.spread or observed_spread(requirement.values)
    distance = found.interval.estimate - found.limit
    level = plan.levels(found.error.false_pass if distance >= 0 else found.error.false_fail, plan.budget)[-1]
    for count in range(max(2, found.snapshots + 1), _MOST + 1):
        if requirement.spread is None and 0.5**count > level:
            continue
        if spread is None or Score(spread, count, level).expected(abs(distance))[0] >= 1.0:
            return count
    return None
