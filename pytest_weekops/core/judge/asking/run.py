"""All that a run is asked, answered together: what every requirement may err is its share of what the run may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pytest_weekops.core.judge.asking.asked import Answered, Kind
from pytest_weekops.core.judge.asking.drifts import drifts
from pytest_weekops.core.judge.asking.floors import floors
from pytest_weekops.core.judge.asking.overheads import overheads
from pytest_weekops.core.judge.asking.ratios import ratios
from pytest_weekops.core.judge.asking.service import in_service
from pytest_weekops.core.judge.campaign import Campaign, CellKey
from pytest_weekops.core.judge.certainty.answers import Errors
from pytest_weekops.core.judge.certainty.multiplicity import step_down
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.policy.policy import Policy

_KEY = "answers under policy {}"


def answers(policy: Policy, campaign: Campaign) -> tuple[Answered, ...]:
    """Every answer of a run with looks, in a fixed order; nothing for a run without."""
    key = _KEY.format(policy.sha256)
    if key not in campaign.memory:
        campaign.memory[key] = _answers(policy, campaign)
    return cast("tuple[Answered, ...]", campaign.memory[key])


def _answers(policy: Policy, campaign: Campaign) -> tuple[Answered, ...]:
    if not campaign.plan.looks or campaign.plan.kind == "canonical":
        return ()
    plan = LookPlan(campaign.plan.looks)
    asked = [
        each for family in (floors, in_service, ratios, drifts, overheads) for each in family(policy, campaign, plan)
    ]
    found = step_down([each.ask for each in asked], errors_of(policy)).answers
    return tuple(Answered(each, answer, plan) for each, answer in zip(asked, found, strict=True))


def errors_of(policy: Policy) -> Errors:
    """The errors that a run under this policy may make, all looks and cells together."""
    return Errors(policy.evidence.max_false_block, policy.evidence.max_false_promote)


def of_kind(found: Sequence[Answered], *kinds: Kind) -> list[Answered]:
    """The answers to questions of these kinds."""
    return [each for each in found if each.asked.kind in kinds]


def of_cell(found: Sequence[Answered], cell: CellKey) -> list[Answered]:
    """The floors and ceilings of a cell."""
    return [each for each in of_kind(found, "floor", "baseline", "service", "p95") if each.asked.cells == (cell,)]
