"""The recall a policy asks for is compared with what was measured on this driver this week, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.finding import Finding
from pytest_weekops.core.injection import FaultRecall, InjectionRecord
from pytest_weekops.core.policy import Policy
from pytest_weekops.core.verdict import judge
from tests.core.synthetic import make_campaign, make_identity, make_plan, make_records
from tests.core.test_injection import campaign as injection

CREATED = "2026-11-24T12:00:00+00:00"
PLAN = make_plan("weekly", kernels=("auto_t5_guarded",))


def record(**changes: Any) -> InjectionRecord:
    """A good campaign of this driver, made a day before the run."""
    identity = make_identity("pocl")
    facts = {
        "platform": "pocl",
        "library_sha256": identity.library_sha256,
        "hardware": identity.hardware,
        "made_at": "2026-11-23T12:00:00+00:00",
        "result": injection(),
    }
    return InjectionRecord.model_validate({**facts, **changes})


def finding(*records: InjectionRecord, kernels: tuple[str, ...] = ("auto_t5_guarded",), **guard: Any) -> Finding:
    """What the check says of a run that took these campaigns along."""
    plan = make_plan("weekly", kernels=kernels)
    policy = Policy.model_validate({"policy_id": "test", "floors": {"waiver": "none"}, "guard": guard})
    verdict = judge(policy, make_campaign(plan, [*make_records(plan), *records], created_at=CREATED))
    found = next(f for f in verdict.findings if f.check == "t5_recall_bound")
    assert (found.status.value == "pass") == ("t5_recall_bound" not in verdict.failed_checks)
    return found


def test_nothing_asked_for_nothing_needed() -> None:
    """The shipped policies ask for no recall; a run without a guard has none to show."""
    assert finding().status.value == "pass"
    assert finding(kernels=("auto",), min_critical_recall=0.99).status.value == "pass"


def test_a_measured_recall_passes() -> None:
    """3000 of 3000 are at least 99.8 %."""
    assert finding(record(), min_critical_recall=0.998).status.value == "pass"


UNUSABLE: dict[str, dict[str, Any]] = {
    "another driver": {"library_sha256": "1" * 64},
    "other hardware": {"hardware": "another machine"},
    "too old": {"made_at": "2026-11-17T11:59:59+00:00"},
    "after the run": {"made_at": "2026-11-24T12:00:01+00:00"},
    "no time": {"made_at": "yesterday"},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_another_campaign_is_no_evidence(name: str) -> None:
    """Then there is no data, which blocks and says what to run."""
    found = finding(record(**UNUSABLE[name]), min_critical_recall=0.5)
    assert found.status.value == "no_data"
    assert "weekops inject" in found.message


def test_no_campaign_at_all_is_no_data() -> None:
    """Missing is not enough."""
    assert finding(min_critical_recall=0.5).status.value == "no_data"


def few(tried: int, caught: int) -> FaultRecall:
    """Critical flips."""
    return FaultRecall(name="critical flips", tried=tried, caught=caught)


LOW: dict[str, dict[str, Any]] = {
    "missed": {"critical": few(4000, 3900)},
    "too few to say": {"critical": few(100, 100)},
    "none": {"critical": few(0, 0)},
    "false alarms": {"false_alarms": 1},
    "self-test": {"self_test": "no row"},
}


@pytest.mark.parametrize("name", LOW)
def test_a_recall_that_is_too_low_fails(name: str) -> None:
    """By the lower end of its interval: a hundred of a hundred are at least 96 %."""
    found = finding(record(result=injection(**LOW[name])), min_critical_recall=0.99)
    assert found.status.value == "fail"


def test_one_bad_campaign_is_not_outvoted() -> None:
    """Every size must reach it."""
    bad = record(result=injection(size=1400, critical=few(4000, 3900)))
    assert finding(record(), bad, min_critical_recall=0.99).status.value == "fail"


def test_a_uniform_recall_is_asked_for_by_itself() -> None:
    """46.9 % of all bits."""
    assert finding(record(), min_uniform_recall=0.45).status.value == "pass"
    assert finding(record(), min_uniform_recall=0.47).status.value == "fail"
