"""Bounds by clipped scores: the search from a guess ends where one over the whole range does, to the last bit."""

from __future__ import annotations

import math
import random

import pytest

from pytest_weekops.core.judge.certainty.scores import GRID, Score
from pytest_weekops.core.judge.certainty.spread import Spread


def searched(score: Score, values: list[float]) -> float:
    """The bound by its definition: the highest multiple of the grid at which the sum is as large as is needed."""
    sd, clip, least = score.spread.sd, score.clip, score.least
    low, high = math.floor((min(values) - clip * sd) / GRID) - 1, math.ceil(max(values) / GRID) + 1
    while high - low > 1:
        middle = (low + high) // 2
        total = math.fsum(min(clip, max(-clip, (value - middle * GRID) / sd)) for value in values)
        low, high = (middle, high) if total >= least else (low, middle)
    return low * GRID


@pytest.mark.parametrize("scatter", [0.0, 0.1, 1.0, 3.0, 30.0, 1e4])
@pytest.mark.parametrize("level", [1e-9, 0.001, 0.05, 0.4])
def test_a_bound_is_the_one_of_the_whole_search(scatter: float, level: float) -> None:
    """Whether all snapshots agree, some are clipped, or each says something else."""
    drawn = random.Random(f"{scatter} {level}")
    for _ in range(12):
        count, sd = drawn.choice([1, 2, 3, 6, 12, 30]), 10 ** drawn.uniform(-4, 0)
        score = Score(Spread(sd, drawn.choice([None, 3, 20]), drawn.choice([0.0, 0.5])), count, level)
        values = [drawn.choice([0.0, 6.0, -5.0]) + drawn.gauss(0, sd * scatter) for _ in range(count)]
        assert score.lower(values) == searched(score, values)
        assert score.upper(values) == -searched(score, [-value for value in values])


def test_a_bound_at_no_level_is_none() -> None:
    """Nothing is certain with certainty."""
    assert Score(Spread(0.1), 3, 0.0).lower([1.0, 2.0, 3.0]) == -math.inf
