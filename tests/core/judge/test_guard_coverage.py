"""A guard that checked less than the policy's would is missing evidence, however clean what it saw."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Finding, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

PLAN = make_plan("weekly", kernels=("auto_t5_guarded",))


def finding(evidence: dict[str, Any], check: str = "guard_evidence_present", /, **guard: Any) -> Finding:
    """What the check says of a run whose guards were so, under a policy that asks for that guard."""
    records = [
        record.model_copy(update={"guard": record.guard.model_copy(update=evidence)})
        if isinstance(record, Measurement) and record.guard is not None
        else record
        for record in make_records(PLAN)
    ]
    policy = Policy.model_validate({"policy_id": "test", "floors": {"waiver": "none"}, "guard": guard})
    verdict = judge(policy, make_campaign(PLAN, records))
    found = finding_of(verdict, check)
    assert (found.status.value == "pass") == (check not in verdict.failed_checks)
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
        ({**sampled(3, 3), "checks": 0}, {"row_samples": 3, "col_samples": 3}, "no T3 or guard"),
    ],
)
def test_less_is_no_data(evidence: dict[str, Any], guard: dict[str, Any], words: str) -> None:
    """It blocks, and says what was checked and what would have been."""
    found = finding(evidence, **guard)
    assert found.status.value == "no_data"
    assert words in found.message


AT_COST = {"period": 3, "tried_percent": 6.5, "checks": 10_000}  # at 3 %, aimed at 2.4


@pytest.mark.parametrize(
    ("evidence", "guard", "words"),
    [
        (AT_COST, {"max_sampling_period": 10}, ""),
        ({**AT_COST, "period": 2}, {"max_sampling_period": 2}, ""),
        (AT_COST, {}, "one launch in 3"),
        (AT_COST, {"max_sampling_period": 2}, "one launch in 3; a check that costs 6.5 % of one allows one in 2"),
        ({**AT_COST, "tried_percent": None}, {"max_sampling_period": 10}, "one launch in 3"),
        (
            {**AT_COST, "tried_percent": 2.0},
            {"max_sampling_period": 10},
            "costs 2 % of one allows one in 1",
        ),
        ({**AT_COST, "checks": 2}, {"max_sampling_period": 10}, "launches, "),
        ({**AT_COST, **sampled(3, 3)}, {"max_sampling_period": 10}, "sampled, 3 rows and 3 columns"),
    ],
)
def test_fewer_launches_are_checked_for_what_checks_cost_only(
    evidence: dict[str, Any], guard: dict[str, Any], words: str
) -> None:
    """Where the policy lets the guard, by what a check was found to cost, and as many as are due."""
    found = finding(evidence, **guard)
    assert found.status.value == ("no_data" if words else "pass")
    assert words in found.message


def test_the_verdict_says_of_how_many_launches_the_cost_is_one() -> None:
    """Cell by cell, the longest period of it."""
    found = finding(AT_COST, "t5_overhead_bound", max_sampling_period=10)
    platform, size = PLAN.platforms[0], PLAN.sizes[0]
    assert f"for what checks cost, drawn at random: one launch in 3 at {platform}:{size}" in found.message
    assert finding({}, "t5_overhead_bound").message == "within the limit"


WORKLOADS = make_plan("weekly", kernels=("scan", "nbody"))
LAUNCHES = WORKLOADS.sessions * WORKLOADS.iterations


def workload_finding(check: str, guard: GuardEvidence | None, **guards: Any) -> Finding:
    """What a check says of workloads of which ``scan`` has this guard's evidence."""
    return finding_of(workload_verdict(guard, **guards), check)


def workload_verdict(guard: GuardEvidence | None, **guards: Any) -> Verdict:
    """The verdict on them, under a policy with this ``guard`` section."""
    records = [
        record.model_copy(
            update={"operation": record.case.kernel, "guard": guard if record.case.kernel == "scan" else None}
        )
        if isinstance(record, Measurement)
        else record
        for record in make_records(WORKLOADS)
    ]
    policy = Policy.model_validate({"policy_id": "test", "floors": {"waiver": "none"}, "guard": guards})
    return judge(policy, make_campaign(WORKLOADS, records))


def evidence_of(**facts: Any) -> GuardEvidence:
    """That of a workload's guard, which costs more than T5's may."""
    whole = {"overhead_percent": 40.0, "false_positive_rate": 0.0, "disable_events": 0, "checks": LAUNCHES, **facts}
    return GuardEvidence.model_validate(whole)


def test_a_workload_with_a_guard_carries_its_evidence() -> None:
    """Of every launch, at whatever cost; a workload without one owes none."""
    for check in ("guard_evidence_present", "t5_overhead_bound", "t5_disable_events_total_bound"):
        assert workload_finding(check, evidence_of()).status.value == "pass"
    assert workload_finding("guard_evidence_present", evidence_of(), sampling_period=4).status.value == "pass"


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        (None, "no T3 or guard"),
        (evidence_of(checks=0), "no T3 or guard"),
        (evidence_of(checks=LAUNCHES - 1), f"{LAUNCHES - 1} of {LAUNCHES} launches"),
        (evidence_of(period=2), "launches"),
        (evidence_of(mode="sampled"), "launches"),
    ],
)
def test_a_workload_without_all_of_it_is_no_data(guard: GuardEvidence | None, words: str) -> None:
    """Even under a policy whose T5 guard checks one launch in four: that is not asked of it."""
    found = workload_finding("guard_evidence_present", guard, sampling_period=4)
    assert found.status.value == "no_data"
    assert words in found.message
    assert {row.split("-")[1] for row in found.rows} == {"scan"}


def test_a_workloads_guard_is_judged_as_t5s_is() -> None:
    """One that cries wolf, and one that was disabled."""
    alarms = workload_finding("t5_overhead_bound", evidence_of(false_positive_rate=0.06))
    assert alarms.status.value == "fail"
    assert "false alarms 0.06" in alarms.message
    disabled = workload_finding("t5_disable_events_total_bound", evidence_of(disable_events=1))
    assert disabled.status.value == "fail"
    assert disabled.rows[0].startswith("pocl-scan-")


def test_a_weak_threshold_is_told_where_only_workloads_are_guarded() -> None:
    """And a limit that is T5's alone is not."""
    told = "\n".join(workload_verdict(evidence_of(), z=50, max_overhead_hard_percent=90).left_out)
    assert "guard.z 50 (usual: at most 16)" in told
    assert "max_overhead" not in told
