"""The split's ratios: candidate over baseline, over all seeds and for each, and of their 95th percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_weekops.core.judge.asking.asked import Asked
from pytest_weekops.core.judge.asking.limits import at_least, launches_by_snapshot, p95_at_most
from pytest_weekops.core.judge.asking.spreads import assumed, ratio_spread
from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.certainty.answers import Requirement
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
            yield at_least(
                "ratio",
                cells,
                asked,
                plan,
                bound=f"ratio at least {least:g}",
                broken=f"below {least:g}",
                held=f"at least {least:g}",
                seen="{:.3f}".format,
            )
        if pairing.seed is None:
            yield _latency(pairing, cells, most, plan, assumed(policy))


def _cells(campaign: Campaign, pairing: Pairing) -> tuple[CellKey, ...]:
    sides = (campaign.plan.baseline_platform, campaign.plan.candidate_platform)
    return tuple((str(side), pairing.kernel, pairing.size) for side in sides)


def _latency(pairing: Pairing, cells: tuple[CellKey, ...], most: float, plan: LookPlan, spread: Spread) -> Asked:
    before, after = (launches_by_snapshot([pair[side] for pair in pairing.pairs]) for side in (0, 1))
    return p95_at_most(
        "latency",
        pairing.name,
        cells,
        (after, before),
        most,
        spread,
        plan,
        bound=f"p95 ratio at most {most:g}",
        broken=f"above {most:g}",
        seen="p95 ratio {:.3f}".format,
    )
