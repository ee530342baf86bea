"""The simulation's arithmetic on arrays is that of the pure functions: both judge the same random runs alike."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_weekops.core.judge.asking.drifts import Witnessed, _trend
from pytest_weekops.core.judge.certainty.answers import Errors, Requirement
from pytest_weekops.core.judge.certainty.falls import answer_fall
from pytest_weekops.core.judge.certainty.multiplicity import answer_run
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import Series, answer_trend
from pytest_weekops.core.judge.finding import CheckStatus

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import simulated_gates as many

PLAN = LookPlan()
STATUS = {CheckStatus.PASS: 1, CheckStatus.INCONCLUSIVE: 0, CheckStatus.FAIL: -1}
GATES, CELLS = 30, 3


def runs(sd: float, shift: float) -> many.Floats:
    """Random runs, some of them spoilt here and there, around a shift."""
    random = np.random.default_rng([int(1000 * sd), int(1000 * (shift + 1))])
    noise = random.standard_normal((GATES, CELLS, PLAN.budget)) * sd
    noise -= 0.26 * (random.random(noise.shape) < 0.1)
    return noise + shift * random.integers(0, 3, (GATES, CELLS, 1))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("sd", "shift"), [(0.02, 0.02), (0.02, -0.02), (0.05, -0.05), (0.05, 0.1), (0.1, 0.2)])
def test_runs_are_judged_alike(sd: float, shift: float, known: bool) -> None:
    """Status and the snapshots after which all is decided, Holm's steps included, with a spread and by ranks alone."""
    values, limit = runs(sd, shift), -0.001
    spreads = sd * np.random.default_rng(1).uniform(0.7, 1.4, (GATES, CELLS))
    method = many.chosen if known else many.ranks_alone
    looks = many.levels(method, PLAN, 0.1, 0.05, CELLS)
    status, stopped = many.gate(values, limit, many.Known(spreads, 19, 0.3), looks, method)
    for gate in range(GATES):
        for look in PLAN.looks:
            asked = [
                Requirement(
                    str(cell),
                    tuple(values[gate, cell, :look]),
                    limit,
                    Spread(spreads[gate, cell], 19, 0.3) if known else None,
                )
                for cell in range(CELLS)
            ]
            run = answer_run(asked, PLAN, Errors(0.05, 0.1))
            if run.is_decided:
                break
        assert (STATUS[run.status], look) == (status[gate], stopped[gate])
    assert len(set(status)) > 1


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("sd", "fall"), [(0.003, 0.04), (0.02, 0.1)])
def test_trends_are_judged_alike(sd: float, fall: float, known: bool) -> None:
    """Status of two lanes together, over all looks."""
    values = runs(sd, 0.0)[:, :2] - fall * np.linspace(0.0, 1.0, PLAN.budget)
    spreads = np.full(GATES, sd)
    low, high = (
        (many.rank_trend_levels(PLAN, 0.1), many.rank_trend_levels(PLAN, 0.05))
        if not known
        else (PLAN.levels(0.1, 12), PLAN.levels(0.05, 12))
    )
    looks = list(zip(PLAN.looks, low, high, strict=True))
    status, _since = many.trends(values, 0.0301, many.Known(spreads, 19) if known else None, looks)
    for gate in range(GATES):
        series = Series("cell", tuple(map(tuple, values[gate])), Spread(sd, 19) if known else None)
        assert STATUS[answer_trend(series, 0.0301, PLAN, Errors(0.05, 0.1)).status] == status[gate]
    assert len(set(status)) > 1


@pytest.mark.parametrize("lanes", [1, 2])
def test_falls_are_judged_alike(lanes: int) -> None:
    """Status over all looks, of one lane and of two."""
    values = runs(0.02, 0.0)[:, :1].repeat(lanes, axis=1) + np.random.default_rng(3).normal(0, 0.005, (lanes, 12))
    looks = list(zip(PLAN.looks, PLAN.levels(0.1, 12), PLAN.levels(0.05, 12), strict=True))
    status, _since = many.falls(values, 0.0301, many.Known(np.full(GATES, 0.02), 19), looks)
    for gate in range(GATES):
        series = Series("cell", tuple(map(tuple, values[gate])), Spread(0.02, 19))
        assert STATUS[answer_fall(series, 0.0301, PLAN, Errors(0.05, 0.1)).status] == status[gate]
    assert len(set(status)) > 1


@pytest.mark.parametrize(("fall", "seen"), [(0.0, {0, 1}), (-0.08, {-1, 0, 1}), (-0.2, {-1, 0, 1})])
def test_live_trends_are_asked_as_live_runs_ask(fall: float, seen: set[int]) -> None:
    """Open, passed by the estimate and failed for certain behind each look, as the question of a weekly run has it."""
    lanes = runs(0.04, 0.0)[:, :2] + fall * np.arange(PLAN.budget) / 4.0
    low, high = PLAN.levels(0.025, PLAN.budget), PLAN.levels(0.01, PLAN.budget)
    looks = list(zip(PLAN.looks, low, high, strict=True))
    found = many.live_trends(lanes, -math.log1p(-0.1), many.Known(np.full(GATES, 0.05)), looks)
    kinds = set()
    for look, status in found:
        for gate in range(GATES):
            series = Series("x", tuple(tuple(lane[:look]) for lane in lanes[gate]), Spread(0.05))
            asked = _trend(Witnessed((("pocl", "auto", 256),), series), 10.0, PLAN)
            assert STATUS[asked.ask(Errors()).status] == status[gate]
            kinds.add(int(status[gate]))
    assert kinds == seen
