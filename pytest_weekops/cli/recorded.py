"""A recorded campaign and the policy that it is judged by, as `weekops judge` and `weekops page` are told them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.recorded.campaign import RecordedCampaign


def read_recorded(path: Path, policy_path: Path | None, baseline: Path | None) -> tuple[Policy, RecordedCampaign]:
    """The campaign in a file, by its own rules where no policy is named. Raises ``InputError`` and ``PolicyError``."""
    from pytest_weekops.evidence.recorded import read_campaign
    from pytest_weekops.policies.files import default_policy, load_policy

    own = policy_path is None
    if baseline is not None and not own:
        raise InputError(
            "--baseline stands beside --policy, whose floors are the policy's own: nothing would be compared with the "
            "baseline. Leave one of the two out."
        )
    policy = load_policy(policy_path) if policy_path else default_policy()
    campaign = read_campaign(path, own_rules=own, baseline=baseline if own else None)
    kind = "split" if campaign.is_split else "weekly"
    if kind not in policy.scope.kinds:
        raise InputError(
            f"Policy {policy.policy_id} is for {', '.join(policy.scope.kinds)} campaigns, {path} is "
            f"{kind}. Its limits were not meant for it. Give another --policy."
        )
    return policy, campaign
