"""Error rates on the noise of a calibration: the same tests as the judge's, on what the calibration saw."""

from __future__ import annotations

import math
import random

import pytest

from pytest_weekops.core.judge.certainty import realised as module
from pytest_weekops.core.judge.certainty.answers import Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.realised import BLOCK, first_answer, look_tests, power, realised, resampled
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus

PLAN = LookPlan()
OWN = Errors(0.01 / 6, 0.025)


def noise(sd: float, count: int = 40, seed: int = 1) -> list[float]:
    """Normal values."""
    draw = random.Random(seed)
    return [draw.gauss(0.0, sd) for _ in range(count)]


@pytest.mark.parametrize("shift", [-0.05, -0.02, -0.012, 0.0, 0.012, 0.02, 0.05])
def test_a_look_says_what_the_interval_says(shift: float) -> None:
    """At each look of many random cells, clear and open ones, spoilt ones among them."""
    spread = Spread(0.01, degrees=19, lag1=0.2)
    tests = look_tests(spread, PLAN, OWN)
    draw = random.Random(f"{shift}")
    for _ in range(12):
        values = tuple(shift + draw.gauss(0.0, 0.01) - 0.26 * (draw.random() < 0.1) for _ in range(PLAN.budget))
        first = CheckStatus.INCONCLUSIVE
        for test in tests:
            said = answer(Requirement("cell", values[: test.count], 0.0, spread), PLAN, OWN)
            if first is CheckStatus.INCONCLUSIVE:
                first = said.status
                assert test.status(values) is said.status, (values, test.count)
        assert first_answer(values, tests) is first


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_too_many_snapshots_on_the_other_side_keep_it_open(sign: float) -> None:
    """Of twelve, the sign test allows four, however clear the others are."""
    spread = Spread(0.01, degrees=19)
    last = look_tests(spread, LookPlan((12,)), OWN)[-1]
    for across, said in ((4, CheckStatus.PASS if sign > 0 else CheckStatus.FAIL), (5, CheckStatus.INCONCLUSIVE)):
        values = tuple(sign * each for each in [-0.0001] * across + [0.3] * (12 - across))
        assert last.status(values) is said
        assert answer(Requirement("cell", values, 0.0, spread), LookPlan((12,)), OWN).status is said


def test_noise_that_is_what_the_spread_says_keeps_the_promise() -> None:
    """False blocks at most 1 %, false promotes at most 2.5 %, within what so few simulated runs can tell."""
    values = noise(0.01, 200)
    found = realised(values, Spread(0.01), PLAN, Errors(), runs=500, calibrations=5)
    assert found.false_block.share <= 0.025
    assert 0.002 <= found.false_promote.share <= 0.035
    for rate in (found.false_block, found.false_promote):
        assert rate.low <= rate.share <= rate.high
    assert found.false_block.high >= 0.007  # 500 runs without one bound it no further


def test_a_spread_that_is_too_small_breaks_it() -> None:
    """The calibrated spread is a third of what there is: both errors are seen."""
    found = realised(noise(0.03, 200), Spread(0.01), PLAN, Errors(), runs=200, calibrations=5)
    assert found.false_promote.share > 0.06
    assert found.false_block.share > 0.1


def test_the_mean_of_a_calibration_is_its_own_error() -> None:
    """A driver against itself has a true ratio of one: what the few snapshots lie beside it is taken out."""
    values = noise(0.01)
    spread = Spread(0.01)
    shifted = realised([value + 0.5 for value in values], spread, PLAN, Errors(), runs=50, calibrations=5)
    plain = realised(values, spread, PLAN, Errors(), runs=50, calibrations=5)
    assert shifted.false_promote.share == pytest.approx(plain.false_promote.share)
    assert shifted.false_block.share == pytest.approx(plain.false_block.share)


def test_a_large_slowdown_is_always_seen_and_a_small_one_rarely() -> None:
    """Ten standard deviations, and half of one; the level of the unchanged driver is no part of it."""
    logs = [each + 0.1 for each in noise(0.01)]
    large, small = (
        power(logs, slowed, Spread(0.01, 39), PLAN, Errors(), runs=100, calibrations=5)
        for slowed in ([-0.1, -0.09, -0.11], [-0.005])
    )
    assert (large.share, large.low < 1, large.high) == (1.0, True, 1.0)
    assert small.low <= small.share <= small.high
    assert small.share < 0.3
    for few, slowed in ((logs, []), ([0.1], [-0.1])):
        with pytest.raises(ValueError, match="power needs two log ratios"):
            power(few, slowed, Spread(0.01), PLAN, Errors())


def test_the_same_calibration_gives_the_same_figures() -> None:
    """Nobody can draw until it fits."""
    asked = (noise(0.02), Spread(0.02, 39), PLAN, Errors())
    assert realised(*asked, runs=40, calibrations=4) == realised(*asked, runs=40, calibrations=4)


def test_neighbours_are_drawn_together() -> None:
    """In blocks, wrapped around the end, as many as asked for."""
    values = [float(place) for place in range(20)]
    found = resampled(values, 12, random.Random(2))
    assert len(found) == 12
    for start in range(0, 12, BLOCK):
        block = found[start : start + BLOCK]
        assert [(value - block[0]) % 20 for value in block] == list(range(BLOCK))
    assert len(resampled(values, 5, random.Random(2))) == 5


def test_one_snapshot_is_no_calibration() -> None:
    """Said, not divided by zero."""
    with pytest.raises(ValueError, match="two log ratios or more, not 1"):
        realised([0.1], Spread(0.01), PLAN, Errors())


def test_a_look_with_nothing_to_spend_asks_for_what_no_score_reaches() -> None:
    """Neither passes nor fails."""
    assert module._clip_and_least(Spread(0.01, 19), 3, 0.0) == (1.0, math.inf)
