"""Answers of one requirement and of a run: monotone at every look, Holm's list, and the advice beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.answers import Answer, Errors, Requirement, answer
from pytest_weekops.core.judge.certainty.multiplicity import RunAnswer, answer_run
from pytest_weekops.core.judge.certainty.resolution import observed_spread, resolution, snapshots_to_decide
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus
from tests.core.judge.test_intervals import SPREADS, worsened
from tests.core.judge.test_properties import QUICK

FLOOR = math.log(0.85)
PLAN = LookPlan()
KNOWN = Spread(0.02, 19)
MILDNESS = {CheckStatus.FAIL: 0, CheckStatus.INCONCLUSIVE: 1, CheckStatus.PASS: 2}


def asked(*values: float, spread: Spread | None = KNOWN) -> Requirement:
    """Ratios against the floor of 0.85."""
    return Requirement("cell", tuple(math.log(value) for value in values), FLOOR, spread)


def of(*values: float, spread: Spread | None = KNOWN) -> Answer:
    """One cell's answer, with the error of one of six."""
    return answer(asked(*values, spread=spread), PLAN, Errors(0.01 / 6))


@QUICK
@given(worsened(), SPREADS, st.sampled_from([-1.0, 0.0, 0.01]), st.sampled_from([PLAN, LookPlan((2, 4, 12))]))
def test_no_answer_turns_milder_where_a_value_falls(
    pair: tuple[list[float], list[float]], spread: Spread | None, limit: float, plan: LookPlan
) -> None:
    """Fail stays fail and inconclusive never becomes pass, over all looks together."""
    found = [answer(Requirement("cell", tuple(values), limit, spread), plan, Errors(0.1, 0.1)) for values in pair]
    assert MILDNESS[found[1].status] <= MILDNESS[found[0].status]


@QUICK
@given(st.lists(worsened(), min_size=1, max_size=4), SPREADS)
def test_no_cell_of_a_run_turns_milder_where_any_value_falls(
    pairs: list[tuple[list[float], list[float]]], spread: Spread | None
) -> None:
    """Holm's steps let a cell fall because of another, and never rise."""
    runs = [
        answer_run([Requirement(str(n), tuple(p[side]), 0.0, spread) for n, p in enumerate(pairs)], PLAN, Errors(0.1))
        for side in (0, 1)
    ]
    for before, after in zip(runs[0].answers, runs[1].answers, strict=True):
        assert MILDNESS[after.status] <= MILDNESS[before.status]
    assert MILDNESS[runs[1].status] <= MILDNESS[runs[0].status]


def test_a_t_interval_would_turn_milder() -> None:
    """Why none is used: three like falls fail; make the last one far worse, and Student's bound lets them go."""
    before, after = (-0.200, -0.201, -0.199), (-0.200, -0.201, -1.900)
    bounds = [np.mean(v) + 14.0 * np.std(v, ddof=1) / math.sqrt(3) for v in (before, after)]
    assert bounds[0] < FLOOR < bounds[1]
    assert answer(Requirement("cell", after, FLOOR, KNOWN), PLAN, Errors()).status is CheckStatus.FAIL


def test_clear_cases_are_decided_after_three() -> None:
    """Nothing is known better by measuring on."""
    good, bad = of(1.0, 0.99, 1.01), of(0.70, 0.71, 0.69)
    assert (good.status, good.decided_after) == (CheckStatus.PASS, 3)
    assert (bad.status, bad.decided_after) == (CheckStatus.FAIL, 3)


def test_at_the_floor_nothing_is_decided() -> None:
    """Neither pass nor fail, and no look at which it was."""
    found = of(0.85, 0.86, 0.84)
    assert (found.status, found.decided_after, found.is_decided) == (CheckStatus.INCONCLUSIVE, None, False)


def test_a_fail_stays_and_a_pass_has_to_hold() -> None:
    """What was certainly bad is not made good by later snapshots, and what was good is not believed against them."""
    later = [0.95, 0.96, 0.94, 0.95, 0.95, 0.96, 0.94, 0.95, 0.96]
    bad = of(0.78, 0.79, 0.77, *later)
    assert (bad.status, bad.decided_after) == (CheckStatus.FAIL, 3)
    assert answer(asked(0.78, 0.79, 0.77, *later), LookPlan((12,)), Errors()).status is CheckStatus.PASS
    fallen = of(1.0, 0.99, 1.01, 0.86, 0.85, 0.84, 0.85, 0.85)
    assert of(1.0, 0.99, 1.01).status is CheckStatus.PASS
    assert fallen.status is not CheckStatus.PASS


def test_without_a_spread_it_takes_eight() -> None:
    """Ranks alone pass at the third look and fail at the fourth, however clear the case."""
    good, bad = [1.0, 0.99, 1.01, 0.995, 1.0, 0.985, 1.005, 1.0], [0.5, 0.51, 0.52, 0.53] * 3
    assert of(*good[:5], spread=None).status is CheckStatus.INCONCLUSIVE
    assert of(*good, spread=None).status is CheckStatus.PASS
    assert of(*bad[:8], spread=None).status is CheckStatus.INCONCLUSIVE
    assert of(*bad, spread=None).status is CheckStatus.FAIL


def test_a_single_snapshot_decides_nothing() -> None:
    """Not even a driver at a tenth of its speed."""
    assert of(0.1).status is CheckStatus.INCONCLUSIVE


def test_nothing_measured_and_nothing_finite_is_refused() -> None:
    """The judge makes a fail of it."""
    with pytest.raises(ValueError, match="needs finite values"):
        of()
    with pytest.raises(ValueError, match="needs finite values"):
        answer(Requirement("cell", (0.0, math.nan, 0.0), FLOOR, KNOWN), PLAN, Errors())


@pytest.mark.parametrize("errors", [(0.0, 0.025), (0.01, 0.0), (0.5, 0.025), (0.01, math.nan)])
def test_errors_that_are_none_are_refused(errors: tuple[float, float]) -> None:
    """An error of zero decides nothing, and one of a half is a coin."""
    with pytest.raises(ValueError, match="is a probability between 0 and a half"):
        Errors(*errors)


def run_of(*cells: tuple[float, ...], family: int | None = None) -> RunAnswer:
    """A run of several cells."""
    return answer_run([replace(asked(*c), name=str(n)) for n, c in enumerate(cells)], PLAN, Errors(), family=family)


def test_holm_names_more_where_some_failed() -> None:
    """Two cells side by side: one alone is not certain, beside a certain one it is, since that left it the error."""
    edge, gone, fine = (0.818, 0.818, 0.818), (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
    alone = run_of(edge, *[fine] * 5)
    beside = run_of(edge, *[gone] * 5)
    assert alone.failing == ()
    assert beside.failing == ("0", "1", "2", "3", "4", "5")
    assert alone.answers[0].error.false_fail == pytest.approx(0.01 / 6)
    assert run_of(edge, family=1).failing == ("0",)
    assert run_of(edge, family=6).failing == ()


def test_a_run_is_as_bad_as_its_worst_cell() -> None:
    """One that fails fails the run, one that is open keeps it open, and no cells are no promote."""
    fine, open_, bad = (1.0, 1.0, 1.0), (0.85, 0.85, 0.85), (0.5, 0.5, 0.5)
    assert run_of(fine, fine).status is CheckStatus.PASS
    assert run_of(fine, open_).status is CheckStatus.INCONCLUSIVE
    assert run_of(fine, open_, bad).status is CheckStatus.FAIL
    assert run_of().status is CheckStatus.INCONCLUSIVE
    assert run_of(fine, bad).is_decided
    assert not run_of(fine, open_, bad).is_decided
    with pytest.raises(ValueError, match="family of 1 cannot hold 2"):
        run_of(fine, fine, family=1)


@pytest.mark.parametrize("count", [3, 5, 12])
@pytest.mark.parametrize("spread", [Spread(0.02), Spread(0.02, lag1=0.5)])
def test_the_resolution_is_seen_as_often_as_it_says(count: int, spread: Spread) -> None:
    """A driver so far below its floor fails at that look with 95 %: counted over simulated runs."""
    plan, errors, runs = LookPlan((count,)), Errors(0.01 / 6), 2000
    below, random = resolution(plan, count, spread, errors), np.random.default_rng(count)
    noise = random.standard_normal((runs, count))
    for at in range(1, count):
        noise[:, at] = spread.lag1 * noise[:, at - 1] + math.sqrt(1 - spread.lag1**2) * noise[:, at]
    failed = sum(
        answer(Requirement("c", tuple(row * spread.sd - below), 0.0, spread), plan, errors).status is CheckStatus.FAIL
        for row in noise
    )
    assert failed / runs == pytest.approx(0.955, abs=0.02)


def test_one_snapshot_resolves_nothing() -> None:
    """There is no such slowdown."""
    assert resolution(PLAN, 1, KNOWN, Errors()) == math.inf


def test_what_would_decide_decides() -> None:
    """Were the estimate the truth, so many snapshots decide, and one fewer do not."""
    requirement = asked(0.866, 0.866, 0.866)
    count = snapshots_to_decide(requirement, answer(requirement, PLAN, Errors()), PLAN)
    assert count is not None
    assert 5 < count < 40
    at_it = asked(0.85, 0.85, 0.85)
    assert snapshots_to_decide(at_it, answer(at_it, PLAN, Errors()), PLAN) is None
    unknown = asked(1.0, 0.99, 1.01, spread=None)
    assert snapshots_to_decide(unknown, answer(unknown, PLAN, Errors()), PLAN) == 7  # 1 in 128 at the last level


def test_a_runs_own_spread_is_blind_to_a_trend_and_a_spoilt_snapshot() -> None:
    """It is advice, and comes of neighbours."""
    noise = np.random.default_rng(5).normal(0.0, 0.02, 2000)
    found = observed_spread(tuple(noise + np.linspace(0.0, 3.0, 2000)))
    assert found is not None
    assert found.sd == pytest.approx(0.02, rel=0.1)
    assert observed_spread((0.1, 0.1, 0.1)) is None
    assert observed_spread((0.1, 0.2)) is None
