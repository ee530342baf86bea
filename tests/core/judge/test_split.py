"""The split's checks: two platforms that the plan names."""

from __future__ import annotations

import pytest

from pytest_weekops.core.judge.verdict import judge
from tests.core.judge.test_verdict import POLICY, SPLIT
from tests.support.synthetic import make_campaign, make_records
from tests.support.verdicts import finding_of


@pytest.mark.parametrize(
    "names",
    [
        {"baseline_platform": None},
        {"candidate_platform": None},
        {"candidate_platform": "clover"},
        {"candidate_platform": "pocl"},
    ],
    ids=["no baseline", "no candidate", "one for both", "a stranger"],
)
def test_a_split_names_two_of_its_platforms(names: dict[str, str | None]) -> None:
    """Every record is whole and good, and a driver compared with itself would always win."""
    plan = SPLIT.model_copy(update=names)
    verdict = judge(POLICY, make_campaign(plan, make_records(SPLIT)))
    assert verdict.decision == "iterate"
    found = finding_of(verdict, "platform_split_present")
    assert (found.status.value, found.reason_code) == ("fail", "no_split")
