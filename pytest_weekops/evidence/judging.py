"""The one way from records to a verdict: live, from a journal, here or on another machine, the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_weekops.core.judge.campaign import Baseline, Campaign, MissingBaseline, live_campaign
from pytest_weekops.core.judge.verdict import JudgeOptions, judge

if TYPE_CHECKING:
    from pytest_weekops.core.judge.finding import Verdict
    from pytest_weekops.core.judge.judged import JudgedRecord
    from pytest_weekops.core.measurement.plan import CampaignPlan
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.measurement.segments import Segment
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.evidence.stored_run import StoredRun


def judge_records(
    policy: Policy,
    plan: CampaignPlan,
    records: Sequence[JudgedRecord],
    *,
    identities: Mapping[str, DeviceIdentity],
    baselines: Sequence[Baseline] = (),
    missing_baselines: Sequence[MissingBaseline] = (),
    created_at: str = "",
    segments: Sequence[Segment] = (),
    ended_at: str = "",
    options: JudgeOptions | None = None,
) -> Verdict:
    """Judge a run's records by the strict rules."""
    campaign = live_campaign(
        plan,
        records,
        identities=identities,
        baseline=baselines,
        missing_baselines=missing_baselines,
        created_at=created_at,
        segments=segments,
        ended_at=ended_at,
    )
    return judge(policy, campaign, options=options)


def judge_stored(run: StoredRun, *, policy: Policy | None = None, options: JudgeOptions | None = None) -> Verdict:
    """Judge a run read back from its journal, by its own policy unless another is given."""
    return judge(policy or run.policy, stored_campaign(run), options=options)


def stored_campaign(run: StoredRun) -> Campaign:
    """What the judge is given of a run read back from its journal."""
    return live_campaign(
        run.plan,
        run.records,
        identities=run.identities,
        baseline=run.baselines,
        missing_baselines=run.missing_baselines,
        created_at=run.created_at,
        segments=run.segments,
        ended_at=run.ended_at,
    )
