"""Floors of a weekly run beside the driver in service: each cell's speed and p95 as ratios to that driver's own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_weekops.core.judge.asking.asked import Asked
from pytest_weekops.core.judge.asking.limits import at_least, p95_beside
from pytest_weekops.core.judge.asking.spreads import assumed, beside_spread
from pytest_weekops.core.judge.campaign import Campaign, CellKey, cell_name
from pytest_weekops.core.judge.certainty.answers import Requirement
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.metrics import CaseMetrics, by_snapshot
from pytest_weekops.core.policy.policy import Policy


def in_service(policy: Policy, campaign: Campaign, plan: LookPlan) -> Iterator[Asked]:
    """What is asked of each cell that has pairs with the driver in service; nothing where the plan has none.

    It stands in a pinned baseline's place, with a share of its own where the policy has one, since pairs are surer than
    a pin. Rows that have no pairs are a check's business.
    """
    service = campaign.plan.service
    if service is None:
        return
    for cell, rows in campaign.good.items():
        paired = [row for row in rows if row.beside is not None]
        if paired:
            yield _share(policy, campaign, cell, paired, service.label, plan)
            most = policy.floors.max_share_of_baseline_p95
            whom = f"{service.label}'s"
            yield p95_beside(cell, paired, most, assumed(policy), plan, whom=whom, limit=f"{most:g}")


def _share(
    policy: Policy, campaign: Campaign, cell: CellKey, rows: Sequence[CaseMetrics], label: str, plan: LookPlan
) -> Asked:
    least = policy.floors.share_of_service
    spread = beside_spread(policy, campaign, cell)
    asked = Requirement(cell_name(cell), tuple(by_snapshot(rows, "beside")), math.log(least), spread)
    return at_least(
        "service",
        (cell,),
        asked,
        plan,
        bound=f"at least {least:g} of {label}'s speed",
        broken=f"below the {least:g} needed",
        held=f"{least:g} or more",
        seen=lambda share: f"{share:.3f} of {label}'s speed",
    )
