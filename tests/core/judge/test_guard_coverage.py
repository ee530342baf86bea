"""A guard that checked less than the policy's would is missing evidence, however clean what it saw."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

PLAN = make_plan("weekly", kernels=("auto_t5_guarded",))


def finding(evidence: dict[str, Any], **guard: Any) -> Finding:
    """What the check says of a run whose guards were so, under a policy that asks for that guard."""
    records = [
        record.model_copy(update={"guard": record.guard.model_copy(update=evidence)})
        if isinstance(record, Measurement) and record.guard is not None
        else record
        for record in make_records(PLAN)
    ]
    policy = Policy.model_validate({"policy_id": "test", "floors": {"waiver": "none"}, "guard": guard})
    verdict = judge(policy, make_campaign(PLAN, records))
    found = finding_of(verdict, "guard_evidence_present")
    assert (found.status.value == "pass") == ("guard_evidence_present" not in verdict.failed_checks)
    return found


def sampled(rows: int, columns: int) -> dict[str, Any]:
    """Evidence of a sampled guard."""
    return {"mode": "sampled", "row_samples": rows, "col_samples": columns}


@pytest.mark.parametrize(
    ("evidence", "guard"),
    [
        ({}, {}),
        ({"period": 4}, {"sampling_period": 4}),
        ({"period": 2}, {"sampling_period": 4}),
        (sampled(3, 3), {"row_samples": 3, "col_samples": 3}),
        (sampled(128, 0), {"row_samples": 128}),
        ({}, {"row_samples": 3, "col_samples": 3}),
    ],
)
def test_as_much_as_was_asked_for_is_enough(evidence: dict[str, Any], guard: dict[str, Any]) -> None:
    """Or more; full coverage is more than any sample."""
    assert finding(evidence, **guard).status.value == "pass"


@pytest.mark.parametrize(
    ("evidence", "guard", "words"),
    [
        ({"period": 4}, {}, "one launch in 4"),
        (sampled(3, 3), {}, "sampled, 3 rows and 3 columns"),
        (sampled(128, 128), {}, "sampled, 128 rows"),
        (sampled(3, 0), {"row_samples": 3, "col_samples": 3}, "3 rows and 0 columns"),
        (sampled(0, 0), {"row_samples": 3}, "0 rows and 0 columns"),
        ({**sampled(3, 3), "checks": 0}, {"row_samples": 3, "col_samples": 3}, "no T3 or T5 evidence"),
    ],
)
def test_less_is_no_data(evidence: dict[str, Any], guard: dict[str, Any], words: str) -> None:
    """It blocks, and says what was checked and what would have been."""
    found = finding(evidence, **guard)
    assert found.status.value == "no_data"
    assert words in found.message
