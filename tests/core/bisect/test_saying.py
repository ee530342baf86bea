"""What a split says of a build: only a decided ratio makes it good or bad, and no other fault passes for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.bisect.saying import BUILD_LABEL, GOOD_LABEL, By, Opinion, opinion
from pytest_weekops.core.bisect.search import Said
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Evidence, Policy
from tests.support.synthetic import make_campaign, make_plan, make_records

SIDES: dict[str, Any] = {
    "platforms": (GOOD_LABEL, BUILD_LABEL),
    "baseline_platform": GOOD_LABEL,
    "candidate_platform": BUILD_LABEL,
}
PLAN = make_plan(
    "split",
    snapshots=4,
    looks=(2, 4),
    iterations=12,
    sizes=(128,),
    seeds=(412,),
    in_turns=True,
    min_rusticl_ratio=0.95,
    **SIDES,
)
POLICY = Policy(
    policy_id="bisect", evidence=Evidence(max_false_block=0.01, max_false_promote=0.02, assumed_sd_percent=1)
)


def said(by: By, *, speed: float = 1.0, alter: Callable[[Any], Any] = lambda record: record, **changes: Any) -> Opinion:
    """What a healthy split says in which the build is as fast as that, after each record was altered."""
    plan = PLAN.model_copy(update=changes)
    records = make_records(plan, speed=lambda case: speed if case.platform == BUILD_LABEL else 1.0)
    campaign = make_campaign(plan, [new for record in records if (new := alter(record)) is not None])
    return opinion(by, judge(POLICY, campaign), campaign)


def ends(status: MeasurementStatus, label: str = BUILD_LABEL, snapshot: int | None = None) -> Callable[[Any], Any]:
    """The measurements of one side, all or in one snapshot, end so; and for a status that no launch has, its gates."""

    def alter(record: Any) -> Any:
        of = (
            record.case
            if isinstance(record, Measurement)
            else Case(platform="", kernel="k", size=1, seed=1, snapshot=1)
        )
        if of.platform == label and snapshot in (None, of.snapshot):
            facts = {"sessions": (), "turns": None, "flops": 0.0}
            return record.model_copy(update={"status": status, "reason": "as told", **facts})
        return record

    return alter


def gate_fails(reason: str, label: str = BUILD_LABEL) -> Callable[[Any], Any]:
    """The opening gate of one side fails for that reason, and nothing of it is measured."""
    skip = ends(MeasurementStatus.SKIPPED, label)

    def alter(record: Any) -> Any:
        if isinstance(record, GateRecord) and (record.platform, record.stage) == (label, "opening"):
            return record.model_copy(update={"passed": False, "reason": reason})
        return skip(record)

    return alter


@pytest.mark.parametrize(("speed", "expected", "error"), [(1.0, Said.GOOD, 0.02), (0.90, Said.BAD, 0.01)])
def test_a_decided_ratio_says_good_or_bad(speed: float, expected: Said, error: float) -> None:
    """With the numbers, and with what the split may err in that direction."""
    found = said("speed", speed=speed)
    assert found.said is expected, found.why
    assert found.error == error
    assert found.log_ratio is not None
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower <= found.log_ratio <= found.upper
    assert abs(found.log_ratio - (speed - 1.0)) < 0.02
    assert found.taken == 4


def test_a_ratio_that_is_not_decided_is_neither() -> None:
    """However close to one of the two."""
    found = said("speed", speed=0.951)
    assert found.said is Said.SKIPPED
    assert found.why.startswith("not decided: ")
    assert found.error is None
    assert found.log_ratio is not None


def test_of_several_comparisons_the_one_that_fails_speaks() -> None:
    """Its numbers are told, though another one is there."""
    found = said("speed", speed=0.90, sizes=(128, 256))
    assert found.said is Said.BAD
    assert found.upper is not None
    assert found.upper < -0.05


@pytest.mark.parametrize("status", [s for s in MeasurementStatus if s is not MeasurementStatus.OK])
def test_a_side_that_fails_is_neither_fast_nor_slow(status: MeasurementStatus) -> None:
    """Once is enough, whichever side it is; how it failed is told."""
    for label in (GOOD_LABEL, BUILD_LABEL):
        found = said("speed", speed=0.90, alter=ends(status, label, snapshot=2))
        assert found.said is Said.SKIPPED
        assert f"{label}: as told" in found.why


def test_missing_evidence_says_nothing() -> None:
    """Neither of speed nor of what is looked for besides."""

    def no_last(record: Any) -> Any:
        return None if isinstance(record, Measurement) and record.case.snapshot == 4 else record

    assert said("speed", alter=no_last).said is Said.SKIPPED
    for by in ("correctness", "crash"):
        found = said(by, alter=no_last)
        assert (found.said, found.why) == (Said.SKIPPED, "not measured: 1 cases")


def test_a_campaign_that_compares_nothing_says_nothing() -> None:
    """A run without looks has no error that it keeps to; one of other platforms has no such build."""
    assert said("speed", looks=(), snapshots=4).why == "the split did not compare the two"
    plan = make_plan("split", snapshots=4, looks=(2, 4), iterations=12, sizes=(128,), seeds=(412,), in_turns=True)
    campaign = make_campaign(plan, make_records(plan))
    verdict = judge(POLICY, campaign)
    assert [opinion(by, verdict, campaign).said for by in ("correctness", "crash")] == [Said.SKIPPED] * 2


STATUSES = {
    "correctness": {
        MeasurementStatus.OK: Said.GOOD,
        MeasurementStatus.WRONG: Said.BAD,
    },
    "crash": {
        MeasurementStatus.OK: Said.GOOD,
        MeasurementStatus.WRONG: Said.GOOD,
        MeasurementStatus.CRASHED: Said.BAD,
        MeasurementStatus.HUNG: Said.BAD,
        MeasurementStatus.BUILD_FAILED: Said.BAD,
        MeasurementStatus.LAUNCH_FAILED: Said.BAD,
    },
}


@pytest.mark.parametrize("status", MeasurementStatus)
@pytest.mark.parametrize("by", ["correctness", "crash"])
def test_what_is_looked_for_is_bad_and_another_fault_says_nothing(by: By, status: MeasurementStatus) -> None:
    """One measurement of the build is enough, however fast it is. A fault of the good one speaks of nobody."""
    alter = (lambda record: record) if status is MeasurementStatus.OK else ends(status, snapshot=2)
    found = said(by, speed=0.5, alter=alter)
    assert found.said is STATUSES[by].get(status, Said.SKIPPED), found.why
    if status is not MeasurementStatus.OK:
        assert said(by, alter=ends(status, GOOD_LABEL, snapshot=2)).why.startswith("the good driver itself failed")


@pytest.mark.parametrize(
    ("reason", "by", "expected"),
    [
        ("auto at 33x17x9: wrong in verify: 3 elements", "correctness", Said.BAD),
        ("auto at 33x17x9: wrong in verify: 3 elements", "crash", Said.SKIPPED),
        ("the opening gate failed: auto at 33x17x9: wrong in verify: 3 elements", "crash", Said.SKIPPED),
        ("the opening gate failed: auto at 33x17x9: wrong in verify: 3 elements", "correctness", Said.BAD),
        ("nobody knows why", "crash", Said.SKIPPED),
        ("auto at 33x17x9: build_failed in build: log", "crash", Said.BAD),
        ("auto at 33x17x9: build_failed in build: log", "correctness", Said.SKIPPED),
        ("auto at 33x17x9: crashed once and worked on the second try (flaky)", "crash", Said.BAD),
        ("auto at 33x17x9: hung by SIGKILL in launch: x", "crash", Said.BAD),
        ("auto at 33x17x9: something else", "crash", Said.SKIPPED),
        ("the worker ended in phase enumerate with SIGSEGV", "crash", Said.BAD),
        ("the worker ended in phase enumerate with SIGSEGV", "correctness", Said.SKIPPED),
    ],
)
def test_a_gate_that_fails_says_how(reason: str, by: By, expected: Said) -> None:
    """A build of which nothing was measured is judged by what its gate stumbled over; by speed it is not."""
    found = said(by, alter=gate_fails(reason))
    assert found.said is expected, found.why
    by_speed = said("speed", alter=gate_fails(reason))
    assert by_speed.said is Said.SKIPPED
    assert reason in by_speed.why


def test_a_right_result_beside_a_failed_check_is_not_good() -> None:
    """An error beyond the bound that no measurement was called wrong for leaves it open."""

    def imprecise(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        worse = tuple(
            session.model_copy(update={"k_scaled_error": 11.0, "max_abs_error": 0.5}) for session in record.sessions
        )
        return record.model_copy(update={"sessions": worse})

    found = said("correctness", alter=imprecise)
    assert (found.said, found.why.split(":")[0]) == (Said.SKIPPED, "correctness_error_bound")


def test_a_void_measurement_counts_for_what_its_result_was() -> None:
    """A busy host takes nothing away from a result that was looked at."""

    def void(record: Any) -> Any:
        return (
            record.model_copy(update={"void": True, "void_reason": "busy"})
            if isinstance(record, Measurement)
            else record
        )

    assert isinstance(make_campaign(PLAN, make_records(PLAN)), Campaign)
    assert said("correctness", alter=void).said is Said.GOOD
    assert said("crash", alter=void).said is Said.GOOD
    assert said("speed", alter=void).said is Said.SKIPPED
