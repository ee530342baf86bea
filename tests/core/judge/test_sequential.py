"""Looks: what they spend, that the overall error is the stated one, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_weekops.core.judge.certainty.ranks import signed_rank_tails
from pytest_weekops.core.judge.certainty.sequential import (
    LookPlan,
    Shape,
    least_budget,
    nominal_levels,
    rank_levels,
    spending,
)
from pytest_weekops.core.student import student_quantile

SHAPES: list[Shape] = ["pocock", "obrien-fleming"]


@pytest.mark.parametrize("shape", SHAPES)
@given(st.floats(1e-4, 0.2), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
@example(0.125, 1.0, math.nextafter(1.0, 0.0))
def test_spending_rises_to_the_whole_error(shape: Shape, error: float, one: float, other: float) -> None:
    """Nothing is spent twice, and all of it by the end."""
    low, high = sorted((one, other))
    assert 0 <= spending(low, error, shape) <= spending(high, error, shape) * (1 + 1e-12)
    assert spending(high, error, shape) <= error
    assert spending(1.0, error, shape) == error


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("looks", [(3, 5, 8, 12), (2, 3, 4), (6,)])
def test_the_looks_together_spend_the_error(shape: Shape, looks: tuple[int, ...]) -> None:
    """Random walks cross the boundaries as often as the spending function says, at each look and in all."""
    plan, walks, error = LookPlan(looks, shape), 400_000, 0.05
    sums = np.random.default_rng(7).standard_normal((walks, looks[-1])).cumsum(axis=1)
    crossed = np.zeros(walks, bool)
    for look, level in zip(looks, plan.levels(error, looks[-1]), strict=True):
        crossed |= sums[:, look - 1] / math.sqrt(look) > student_quantile(level, None)
        due = spending(look / looks[-1], error, shape)
        assert crossed.mean() == pytest.approx(due, abs=4.5 * math.sqrt(due / walks) + 1e-5)


def test_a_fixed_design_has_the_whole_error_at_its_one_look() -> None:
    """One look spends all."""
    assert LookPlan((6,)).levels(0.025, 6) == pytest.approx((0.025,))


def test_equal_steps_are_pococks_table() -> None:
    """Five looks at equal steps and two-sided 5 %: Pocock's level is 0.0158, and the spending form is close."""
    levels = LookPlan((2, 4, 6, 8, 10)).levels(0.025, 10)
    assert all(2 * level == pytest.approx(0.0158, abs=0.003) for level in levels)


def test_obrien_and_fleming_keep_it_for_the_last() -> None:
    """The first look decides next to nothing and the last nearly as a fixed design would."""
    levels = LookPlan(shape="obrien-fleming").levels(0.025, 12)
    assert levels[0] < 1e-4
    assert levels[-1] > 0.02


def test_a_run_that_ends_between_looks_is_looked_at_there() -> None:
    """Four of at most twelve spend what is due at four, and no more than the plan's next look would have."""
    plan = LookPlan()
    assert plan.reached(4) == (3, 4)
    assert plan.reached(2) == (2,)
    assert plan.reached(1) == plan.reached(0) == ()
    assert plan.reached(12) == (3, 5, 8, 12)
    assert sum(plan.shares(0.01, 4)) == pytest.approx(spending(4 / 12, 0.01, "pocock"))
    assert plan.after(5) == 8
    assert plan.after(12) is None


@pytest.mark.parametrize(
    ("least", "most", "looks"), [(3, 12, (3, 5, 8, 12)), (6, 6, (6,)), (2, 4, (2, 3, 4)), (5, 20, (5, 8, 13, 20))]
)
def test_looks_between_a_minimum_and_a_budget(least: int, most: int, looks: tuple[int, ...]) -> None:
    """The default is the plan of the documents."""
    assert LookPlan.between(least, most).looks == looks


def test_a_budget_below_the_minimum_is_refused() -> None:
    """It says both."""
    with pytest.raises(ValueError, match="a budget of 3 snapshots is below the minimum of 5"):
        LookPlan.between(5, 3)


@pytest.mark.parametrize(("error", "budget"), [(0.025, 6), (0.01 / 6, 10), (0.125, 3), (0.4, 2)])
def test_the_least_budget_that_ranks_can_decide_with(error: float, budget: int) -> None:
    """All on one side: 1 in 64 is the first below 2.5 %."""
    assert least_budget(error) == budget


def test_more_than_the_budget_is_refused() -> None:
    """Its error is spent."""
    with pytest.raises(ValueError, match="13 snapshots, and the last look is after 12"):
        LookPlan().levels(0.01, 13)


@pytest.mark.parametrize("looks", [(), (1, 3), (3, 3), (5, 3)])
def test_looks_that_do_not_rise_are_refused(looks: tuple[int, ...]) -> None:
    """They could spend an error twice."""
    with pytest.raises(ValueError, match="looks rise"):
        LookPlan(looks)


def test_ranks_carry_over_what_they_cannot_use() -> None:
    """No level is usable at three and five snapshots; at eight all of it is there, and what is used is gone."""
    plan = LookPlan()
    shares, tails = plan.shares(0.025, 12), [signed_rank_tails(look) for look in plan.looks]
    levels = rank_levels(shares, tails)
    assert levels[2] == pytest.approx(sum(shares[:3]))
    assert levels[3] == pytest.approx(0.025 - 3 / 256)  # P(W <= 2) of eight


def test_a_look_that_spends_nothing_bounds_nothing() -> None:
    """O'Brien and Fleming's shape leaves an early look of a long plan less than arithmetic can carry."""
    first, last = nominal_levels((3, 120), 120, 1e-4, "obrien-fleming")
    assert first == 0.0
    assert last == pytest.approx(1e-4, rel=1e-3)
