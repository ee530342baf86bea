"""The split's ratios: candidate over baseline, over all seeds and for each, and of their 95th percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_weekops.core.judge.asking.asked import Asked, ask_where_certain
from pytest_weekops.core.judge.asking.floors import launches_by_snapshot
from pytest_weekops.core.judge.asking.spreads import assumed, ratio_spread
from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.certainty.answers import Requirement, answer
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.certainty.percentiles import percentile_interval
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.pairing import Pairing, least_ratio, pairings
from pytest_weekops.core.policy.policy import Policy


def ratios(policy: Policy, campaign: Campaign, plan: LookPlan) -> Iterator[Asked]:
    """What a split asks of each comparison that has pairs; nothing of any other campaign."""
    if campaign.plan.kind != "split":
        return
    least, most = least_ratio(policy, campaign), policy.split.max_latency_ratio
    for pairing in pairings(campaign):
        if not pairing.pairs:
            continue
        cells, spread = _cells(campaign, pairing), ratio_spread(policy, campaign, pairing.kernel, pairing.size)
        if least > 0:
            asked = Requirement(pairing.name, tuple(pairing.logs), math.log(least), spread)
            yield Asked(
                kind="ratio",
                name=pairing.name,
                cells=cells,
                bound=f"ratio at least {least:g}",
                broken=f"below {least:g}",
                held=f"at least {least:g}",
                observed=lambda log: f"{math.exp(log):.3f}",
                ask=lambda own, asked=asked: answer(asked, plan, own),  # type: ignore[misc]  # bound in this turn
                spread=spread,
                requirement=asked,
            )
        if pairing.seed is None:
            yield _latency(pairing, cells, most, plan, assumed(policy))


def _cells(campaign: Campaign, pairing: Pairing) -> tuple[CellKey, ...]:
    sides = (campaign.plan.baseline_platform, campaign.plan.candidate_platform)
    return tuple((str(side), pairing.kernel, pairing.size) for side in sides)


def _latency(pairing: Pairing, cells: tuple[CellKey, ...], most: float, plan: LookPlan, spread: Spread) -> Asked:
    before, after = (launches_by_snapshot([pair[side] for pair in pairing.pairs]) for side in (0, 1))

    def bounds(look: int, levels: Levels) -> Interval:
        return percentile_interval(after[:look], before[:look], most, levels.upper, spread)

    return Asked(
        kind="latency",
        name=pairing.name,
        cells=cells,
        bound=f"p95 ratio at most {most:g}",
        broken=f"above {most:g}",
        observed=lambda log: f"p95 ratio {most * math.exp(-log):.3f}",
        ask=ask_where_certain(pairing.name, 0.0, bounds, len(after), plan),
    )
