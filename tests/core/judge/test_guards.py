"""The controlled lanes: how often T3 fell back, how often T5 was disabled, what it cost and when it cried wolf."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Case, Measurement
from tests.core.judge.test_verdict import POLICY
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

PLAN = make_plan("weekly", kernels=("auto_t3_controlled", "auto_t5_guarded"))


def finding(check: str, lane: str, evidence: Any, **guardrails: float) -> Finding:
    """What a check says where ``evidence(case)`` gives the lane's fields that differ."""
    records = [
        r.model_copy(update={lane: getattr(r, lane).model_copy(update=evidence(r.case))})
        if isinstance(r, Measurement) and getattr(r, lane) is not None
        else r
        for r in make_records(PLAN)
    ]
    policy = POLICY.model_copy(update={"guardrails": POLICY.guardrails.model_copy(update=guardrails)})
    verdict = judge(policy, make_campaign(PLAN, records))
    found = finding_of(verdict, check)
    assert set(verdict.failed_checks) <= {check}
    return found


def fourth(case: Case) -> bool:
    """One measurement of one cell."""
    return (case.size, case.snapshot) == (128, 4)


@pytest.mark.parametrize(
    ("evidence", "passes"),
    [
        ({"fallback_rate": 0.08}, True),
        ({"fallback_rate": 0.0801}, False),
        ({"fallback_rate": math.nan}, False),
        ({"fallback_rate": -0.01}, False),
        ({"policy_disabled": True, "disabled_reason": "mine: off by 3"}, False),
    ],
    ids=["at the limit", "above", "unknown", "below 0", "disabled"],
)
def test_selection_may_fall_back_within_its_limit(evidence: dict[str, Any], passes: bool) -> None:
    """In every run; one that was disabled selected nothing."""
    found = finding("t3_fallback_bound", "selector", lambda case: evidence if fourth(case) else {})
    assert (found.status.value == "pass") is passes
    assert found.rows == (() if passes else ("pocl-auto_t3_controlled-128-seed11-s4",))
    assert found.message.endswith("128-seed11-s4. Disabled since mine: off by 3") == ("policy_disabled" in evidence)


@pytest.mark.parametrize(
    ("fallbacks", "decisions", "status"),
    [
        *[(1, 3, "inconclusive"), (2, 3, "inconclusive"), (1, 12, "inconclusive"), (1, 13, "pass")],
        *[(3, 3, "fail"), (3, 6, "fail"), (1, 0, "fail"), (4, 3, "fail"), (-1, 3, "fail")],
    ],
)
def test_few_decisions_leave_it_open(fallbacks: int, decisions: int, status: str) -> None:
    """One fallback of three is not certainly more than 0.08; what cannot have been counted is."""
    rate = fallbacks / decisions if decisions else 1.0
    evidence = {"fallback_rate": max(rate, 0.0), "fallbacks": fallbacks, "decisions": decisions}
    found = finding("t3_fallback_bound", "selector", lambda case: evidence if fourth(case) else {})
    assert found.status.value == status
    if status == "inconclusive":
        assert found.message.startswith(f"pocl:128: {fallbacks} of {decisions} decisions fell back")


def test_later_decisions_settle_what_one_fallback_left_open() -> None:
    """A cell's last count is what it comes to; one that was certain once stays so."""
    later = {3: (1, 3), 4: (1, 20)}
    counts = {"open, then within": later, "certain, then diluted": {**later, 3: (3, 3)}}
    for name, by_snapshot in counts.items():

        def evidence(case: Case, by_snapshot: dict[int, tuple[int, int]] = by_snapshot) -> dict[str, Any]:
            if case.size != 128 or case.snapshot not in by_snapshot:
                return {}
            fallbacks, decisions = by_snapshot[case.snapshot]
            return {"fallback_rate": fallbacks / decisions, "fallbacks": fallbacks, "decisions": decisions}

        found = finding("t3_fallback_bound", "selector", evidence)
        assert found.status.value == ("pass" if name == "open, then within" else "fail")


@pytest.mark.parametrize("rate", [0.5, 0.0])
def test_a_rate_that_is_not_that_of_its_counts_fails(rate: float) -> None:
    """Whichever of the two was altered."""
    altered = {"fallback_rate": rate, "fallbacks": 1, "decisions": 13}
    found = finding("t3_fallback_bound", "selector", lambda case: altered if fourth(case) else {})
    assert found.status.value == "fail"


def test_disabled_guards_are_counted_over_the_whole_campaign() -> None:
    """A negative count, which nothing honest writes, takes none away."""
    counts = {1: 1, 2: -1}
    found = finding(
        "t5_disable_events_total_bound",
        "guard",
        lambda case: {"disable_events": counts.get(case.snapshot, 0) if case.size == 128 else 0},
        max_t5_disable_events_total=1,
    )
    assert (found.status.value, found.observed, len(found.rows)) == ("fail", 2, 2)


def overhead(evidence: Any, **guardrails: float) -> Finding:
    """What the check of the guard's cost says."""
    return finding("t5_overhead_bound", "guard", evidence, **guardrails)


def test_one_spike_is_no_overhead_and_a_median_above_the_limit_is() -> None:
    """Six measurements of a cell: one that cost 60 % says something about the host."""
    spike = overhead(lambda case: {"overhead_percent": 60.0 if fourth(case) else 1.0})
    assert (spike.status.value, spike.observed) == ("pass", 1.0)
    found = overhead(lambda case: {"overhead_percent": 3.1 if case.size == 128 else 1.0})
    assert found.rows == ("pocl:128: 3.10 %",)


def test_below_the_size_that_a_policy_names_the_share_is_not_bounded() -> None:
    """A check has a fixed cost. What is no number fails at any size."""
    costly = overhead(lambda case: {"overhead_percent": 40.0 if case.size == 128 else 2.0}, t5_overhead_from_size=256)
    assert (costly.status.value, costly.observed) == ("pass", 2.0)
    unknown = overhead(lambda case: {"overhead_percent": math.nan if fourth(case) else 1.0}, t5_overhead_from_size=256)
    assert unknown.rows == ("pocl:128: nan %",)


@pytest.mark.parametrize("share", [math.nan, math.inf, -0.1])
def test_an_overhead_that_is_none_excuses_nothing(share: float) -> None:
    """One is enough: a median over the others would hide it."""
    assert overhead(lambda case: {"overhead_percent": share if fourth(case) else 1.0}).status.value == "fail"


LOOKED_AT = make_plan("weekly", kernels=("auto", "auto_t5_guarded"), snapshots=12, looks=(3, 5, 8, 12), iterations=15)


def answered(share: Callable[[Case], float], **guardrails: float) -> Finding:
    """The same check in a run with looks, where each snapshot of a cell has an overhead in percent."""
    records = [
        r.model_copy(update={"guard": r.guard.model_copy(update={"overhead_percent": share(r.case)})})
        if isinstance(r, Measurement) and r.guard is not None
        else r
        for r in make_records(LOOKED_AT)
    ]
    policy = POLICY.model_copy(update={"guardrails": POLICY.guardrails.model_copy(update=guardrails)})
    return finding_of(judge(policy, make_campaign(LOOKED_AT, records)), "t5_overhead_bound")


@pytest.mark.parametrize(
    ("percent", "status", "code"),
    [(1.0, "pass", "ok"), (3.0, "pass", "ok"), (3.5, "inconclusive", "open"), (25.0, "fail", "too_high")],
)
def test_in_a_run_with_looks_an_overhead_has_three_answers(percent: float, status: str, code: str) -> None:
    """Certainly above the limit fails, by the estimate alone it is open: noise neither blocks nor promotes."""
    found = answered(lambda case: percent if case.size == 128 else 1.0)
    assert (found.status.value, found.reason_code) == (status, code)
    told = [each for each in found.details if each["asked"] == "overhead"]
    assert [each["answer"] for each in told] == [status, "pass"]
    assert all("pocl:auto_t5_guarded:128" in row or "128" in row for row in found.rows)


def test_an_overhead_made_worse_turns_no_answer_milder() -> None:
    """One snapshot after the other, up to any height."""
    rank = {"pass": 0, "inconclusive": 1, "fail": 2}

    def up_to(last: int, percent: float) -> Callable[[Case], float]:
        return lambda case: percent if case.snapshot <= last else 1.0

    for last in range(0, 13, 4):
        grades = [rank[answered(up_to(last, percent)).status.value] for percent in (1.0, 4.0, 30.0, 400.0)]
        assert grades == sorted(grades)
    assert grades[-1] == 2


def test_with_looks_too_the_size_and_what_is_no_number_are_asked_first() -> None:
    """Below the size that a policy names nothing is bounded; a share that is none fails, and no answer excuses it."""
    small = answered(lambda case: 40.0 if case.size == 128 else 1.0, t5_overhead_from_size=256)
    assert (small.status.value, small.observed) == ("pass", 1.0)
    broken = [answered(lambda case: share if fourth(case) else 1.0) for share in (math.nan, math.inf, -1.0)]  # noqa: B023
    assert {(each.status.value, each.reason_code) for each in broken} == {("fail", "too_high")}


@pytest.mark.parametrize(("rate", "passes"), [(0.05, True), (0.051, False), (-0.01, False), (math.nan, False)])
def test_false_alarms_are_bounded_in_every_run(rate: float, passes: bool) -> None:
    """A guard that cries wolf is switched off."""
    found = overhead(lambda case: {"false_positive_rate": rate if fourth(case) else 0.0})
    assert (found.status.value == "pass") is passes
    assert passes or found.rows[0].startswith("pocl-auto_t5_guarded-128-seed11-s4: false alarms ")
