"""The recall a policy asks for is compared with what was measured on this driver this week, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_weekops.core.guard.injection import FaultRecall, InjectionRecord
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy
from tests.core.guard.test_injection import campaign as injection
from tests.support.synthetic import make_campaign, make_identity, make_plan, make_records
from tests.support.verdicts import finding_of

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


def finding(
    *records: InjectionRecord, kernels: tuple[str, ...] = ("auto_t5_guarded",), period: int = 1, **guard: Any
) -> Finding:
    """What the check says of a run that took these campaigns along, and checked one launch in ``period``."""
    plan = make_plan("weekly", kernels=kernels)
    policy = Policy.model_validate({"policy_id": "test", "floors": {"waiver": "none"}, "guard": guard})
    ran = [
        one.model_copy(update={"guard": one.guard.model_copy(update={"period": period})})
        if isinstance(one, Measurement) and one.guard is not None
        else one
        for one in make_records(plan)
    ]
    verdict = judge(policy, make_campaign(plan, [*ran, *records], created_at=CREATED))
    found = finding_of(verdict, "t5_recall_bound")
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


@pytest.mark.parametrize("library", [None, ""], ids=["no identity", "no library hash"])
def test_a_driver_that_is_not_known_has_no_campaign(library: str | None) -> None:
    """Two unknown drivers are not the same driver, though nothing tells them apart."""
    campaign = make_campaign(PLAN, [*make_records(PLAN), record(library_sha256="")], created_at=CREATED)
    known = make_identity("pocl").model_copy(update={"library_sha256": ""})
    unknown = replace(campaign, identities={} if library is None else {"pocl": known})
    policy = Policy.model_validate({"policy_id": "test", "guard": {"min_critical_recall": 0.5}})
    found = finding_of(judge(policy, unknown), "t5_recall_bound")
    assert found.status.value == "no_data"


OTHER_BUILD: dict[str, dict[str, Any]] = {
    "another variant": {"variant": "tile20"},
    "another source": {"kernel_sha256": "1" * 64},
    "tuned": {"build_options": ("-DMT=16",)},
}


@pytest.mark.parametrize("name", OTHER_BUILD)
def test_a_campaign_of_another_kernel_is_no_evidence(name: str) -> None:
    """What the guard caught behind one kernel says nothing of a run of another."""
    found = finding(record(result=injection(**OTHER_BUILD[name])), min_critical_recall=0.5)
    assert found.status.value == "no_data"
    assert "its kernels" in found.message


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


FEW = GuardSettings(row_samples=30, col_samples=30)
RULES: dict[str, Any] = {"row_samples": 30, "col_samples": 30, "min_critical_recall": 0.3}


def sampled(size: int, caught: int = 200, **changes: Any) -> InjectionRecord:
    """A campaign of a sampled guard that caught so many of 400."""
    guard = FEW.model_copy(update=changes)
    return record(result=injection(size=size, settings=guard, critical=few(400, caught)))


def test_a_campaign_of_full_coverage_does_not_vouch_for_a_sampled_guard() -> None:
    """Nor a sampled one for full coverage, nor one of other samples; the words name the guard."""
    found = finding(record(), **RULES)
    assert found.status.value == "no_data"
    assert "sampled: 30 rows and 30 columns of every launch" in found.message
    assert finding(*map(sampled, PLAN.sizes), min_critical_recall=0.3).status.value == "no_data"


@pytest.mark.parametrize(
    "changes",
    [
        {"row_samples": 31},
        {"col_samples": 29},
        {"projections": 2},
        {"period": 2},
        {"z": 9.0},
        {"residual_scale": 8.0},
        {"residual_margin": 0.01},
        {"residual_floor": 0.05},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_campaign_of_other_settings_is_no_evidence(changes: dict[str, Any]) -> None:
    """Whichever of them differs."""
    assert finding(*map(sampled, PLAN.sizes), **RULES).status.value == "pass"
    assert finding(*(sampled(size, **changes) for size in PLAN.sizes), **RULES).status.value == "no_data"


def test_a_sampled_guard_needs_a_campaign_at_each_size() -> None:
    """Three rows of 64 are many, three of 1400 are few."""
    first, *others = PLAN.sizes
    assert others
    found = finding(sampled(first), **RULES)
    assert found.status.value == "no_data"
    assert f"n = {others[0]}" in found.message


def test_what_a_sampled_guard_misses_fails() -> None:
    """Half of the flips are not 99 %; the guard is named beside it."""
    found = finding(*map(sampled, PLAN.sizes), **{**RULES, "min_critical_recall": 0.99})
    assert found.status.value == "fail"
    assert "The guard is sampled: 30 rows and 30 columns" in found.message


def test_a_period_divides_the_recall() -> None:
    """Every second launch is checked: a fault in one launch is seen half as often, at full coverage too."""
    half = record(result=injection(settings=GuardSettings(period=2), critical=few(4000, 4000)))
    assert finding(half, sampling_period=2, min_critical_recall=0.49).status.value == "pass"
    assert finding(half, sampling_period=2, min_critical_recall=0.51).status.value == "fail"


def test_so_does_one_that_the_run_took_for_what_checks_cost() -> None:
    """The campaign checked each launch, the run one in two."""
    whole = record(result=injection(critical=few(4000, 4000)))
    rules: dict[str, Any] = {"max_sampling_period": 10}
    assert finding(whole, period=2, min_critical_recall=0.49, **rules).status.value == "pass"
    found = finding(whole, period=2, min_critical_recall=0.51, **rules)
    assert found.status.value == "fail"
    assert "in one launch of 2" in found.message


def test_a_record_from_before_there_were_settings_is_one_of_full_coverage() -> None:
    """With its z."""
    assert injection().guard == GuardSettings()
    assert finding(record(result=injection(z=9.0)), min_critical_recall=0.5).status.value == "no_data"
