"""How many launches a guard checks where each check costs more than a policy allows: one in p, drawn at random. Pure.

p is the smallest whose amortised cost keeps the limit. Which launches are checked is drawn, so that nothing which comes
around every so many launches can keep out of the guard's sight.
"""

from __future__ import annotations

import math
import random

from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.record import Record

AIM = 0.8  # of the limit: what a few launches said of a check's cost is not quite what the run will say


class CostRule(Record):
    """What checks may cost of all launches' time, in percent, and the most launches to a check."""

    most_percent: float
    longest_period: int


def cost_rule(policy: Policy, size: int) -> CostRule | None:
    """The rule at a size; None where the policy bounds no cost, or does not let the guard check less for it."""
    rails, longest = policy.guardrails, policy.guard.max_sampling_period
    limit = rails.max_t5_overhead_percent
    if size < rails.t5_overhead_from_size or longest <= policy.guard.sampling_period or not 0 < limit < math.inf:
        return None
    return CostRule(most_percent=limit, longest_period=longest)


def period_for(rule: CostRule, cost_percent: float, least: int) -> int:
    """The smallest period, ``least`` or more, at which checks that cost so many percent of a launch keep the limit.

    A cost that is no share of a launch is no reason to check less.
    """
    if not 0 <= cost_percent < math.inf:
        return least
    return min(max(least, math.ceil(cost_percent / (AIM * rule.most_percent))), max(least, rule.longest_period))


def is_drawn(index: int, period: int, *, seed: int, draw: int) -> bool:
    """Whether launch ``index`` (from 0, across sessions) is checked: the first is, then one of each ``period``.

    A function of its arguments alone: the case's seed, and its snapshot as ``draw``.
    """
    if index == 0:
        return True
    part, place = divmod(index - 1, period)
    source = random.Random(f"{seed} {draw} {part} of {period}")  # noqa: S311 - to be drawn again, not secret
    return place == int(source.random() * period)


def least_checks(launches: int, period: int) -> int:
    """How many of so many launches are checked at least; the last part of them may end before its own is drawn."""
    return 1 + (launches - 1) // period if launches else 0
