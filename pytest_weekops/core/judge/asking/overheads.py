"""What the T5 guard may cost: the share of a launch's time that its checks take, with an answer for each cell."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_weekops.core.judge.asking.asked import Asked, ask_where_certain
from pytest_weekops.core.judge.asking.spreads import assumed
from pytest_weekops.core.judge.campaign import Campaign, CellKey, cell_name
from pytest_weekops.core.judge.certainty.answers import Requirement
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels, location_interval
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.measurement.modes import T5_KERNEL
from pytest_weekops.core.policy.policy import Policy


def overheads(policy: Policy, campaign: Campaign, plan: LookPlan) -> Iterator[Asked]:
    """What the policy asks of each guarded cell from the size on for which it bounds the share.

    A share that is no number, or below zero, is for `t5_overhead_bound` to fail; nothing is asked of its cell here.
    """
    rails = policy.guardrails
    for cell, shares in shares_of(campaign).items():
        if cell[2] >= rails.t5_overhead_from_size and are_shares(shares):
            yield _overhead(cell, shares, rails.max_t5_overhead_percent, plan, assumed(policy))


def are_shares(values: Sequence[float]) -> bool:
    """Whether each value can be the share of anything: a number, and none below zero."""
    return all(math.isfinite(value) and value >= 0 for value in values)


def shares_of(campaign: Campaign) -> dict[CellKey, tuple[float, ...]]:
    """Overhead in percent by cell, one value a snapshot in order: the median over its measurements that count."""
    found: dict[CellKey, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for m in campaign.counted:
        if m.case.kernel == T5_KERNEL and m.guard is not None:
            found[m.case.platform, m.case.kernel, m.case.size][m.case.snapshot].append(m.guard.overhead_percent)
    return {
        cell: tuple(statistics.median(by_snapshot[at]) for at in sorted(by_snapshot))
        for cell, by_snapshot in found.items()
    }


def _overhead(cell: CellKey, shares: Sequence[float], limit: float, plan: LookPlan, spread: Spread) -> Asked:
    # A launch with its check takes 1 + share of one without: a log ratio as all others are, and less is better.
    logs = tuple(-math.log1p(share / 100.0) for share in shares)

    def bounds(look: int, levels: Levels) -> Interval:
        return location_interval(logs[:look], levels, spread)

    name, bound = cell_name(cell), -math.log1p(limit / 100.0)
    return Asked(
        kind="overhead",
        name=name,
        cells=(cell,),
        bound=f"checks take at most {limit:g} % of a launch",
        broken=f"above {limit:g} %",
        held=f"{limit:g} % or less",
        observed=lambda log: f"overhead {100.0 * math.expm1(-log):.2f} %",
        ask=ask_where_certain(name, bound, bounds, len(logs), plan),
        spread=spread,
        requirement=Requirement(name, logs, bound, spread),
    )
