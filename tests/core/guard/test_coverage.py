"""How many launches are checked where each check costs more than a policy allows."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_weekops.core.guard.coverage import AIM, CostRule, cost_rule, is_drawn, least_checks, period_for
from pytest_weekops.core.policy.policy import Policy

RULE = CostRule(most_percent=3.0, longest_period=10)


def policy(guard: dict[str, Any], **rails: Any) -> Policy:
    """A policy with these sections."""
    return Policy.model_validate(
        {"policy_id": "test", "floors": {"waiver": "none"}, "guard": guard, "guardrails": rails}
    )


def test_a_rule_is_what_the_policy_bounds_and_allows() -> None:
    """From the size on from which the cost is bounded, and only where the guard may check less."""
    allowing = policy({"max_sampling_period": 10}, t5_overhead_from_size=1024)
    assert cost_rule(allowing, 1024) == RULE
    assert cost_rule(allowing, 1023) is None
    assert cost_rule(policy({}), 4096) is None
    assert cost_rule(policy({"sampling_period": 4, "max_sampling_period": 4}), 4096) is None
    assert cost_rule(policy({"max_sampling_period": 2}, max_t5_overhead_percent=0.0), 4096) is None


@pytest.mark.parametrize(
    ("cost", "least", "period"),
    [
        (0.0, 1, 1),
        (AIM * 3.0, 1, 1),
        (AIM * 3.0 + 0.01, 1, 2),
        (9.0, 1, 4),
        (1000.0, 1, 10),
        (9.0, 5, 5),
        (1000.0, 20, 20),
        (math.nan, 1, 1),
        (math.inf, 1, 1),
        (-1.0, 1, 1),
    ],
)
def test_the_period_is_the_smallest_that_keeps_the_limit(cost: float, least: int, period: int) -> None:
    """And between what is asked for at least and at most; what is no cost changes nothing."""
    assert period_for(RULE, cost, least) == period
    assert not 0 <= cost < math.inf or period in (least, 10) or cost / period <= AIM * 3.0 < cost / (period - 1)


@pytest.mark.parametrize("period", [2, 3, 7])
def test_one_of_each_so_many_is_drawn_and_the_first_is_not_left_out(period: int) -> None:
    """Every place in a part is drawn sometimes, the same ones again by the same seed, others by another snapshot."""
    parts, launches = 200, 1 + 200 * period
    drawn = [i for i in range(launches) if is_drawn(i, period, seed=11, draw=0)]
    assert drawn[0] == 0
    assert [(i - 1) // period for i in drawn[1:]] == list(range(parts))
    assert {(i - 1) % period for i in drawn[1:]} == set(range(period))
    assert drawn == [i for i in range(launches) if is_drawn(i, period, seed=11, draw=0)]
    assert drawn != [i for i in range(launches) if is_drawn(i, period, seed=11, draw=1)]
    assert len(drawn) == least_checks(launches, period)


def test_what_is_checked_at_least() -> None:
    """No more than was drawn, wherever the launches end."""
    assert [least_checks(launches, 3) for launches in range(8)] == [0, 1, 1, 1, 2, 2, 2, 3]
    for launches in range(1, 60):
        drawn = sum(is_drawn(i, 5, seed=3, draw=2) for i in range(launches))
        assert drawn in (least_checks(launches, 5), least_checks(launches, 5) + 1)
