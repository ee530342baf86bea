"""The judge on live campaigns: what is whole and healthy promotes, and whatever is missing or bad does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import Baseline, BaselineRow
from pytest_weekops.core.judge.finding import Severity, Verdict
from pytest_weekops.core.judge.verdict import JudgeOptions, judge
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, MeasurementStatus, PressureRecord
from pytest_weekops.core.policy.policy import Policy, Row
from tests.support.synthetic import Records, make_campaign, make_measurement, make_plan, make_records
from tests.support.verdicts import finding_of

POLICY = Policy.model_validate(
    {"policy_id": "test", "floors": {"waiver": "none pinned"}, "guardrails": {"max_p95_drift_percent": None}}
)
WEEKLY = make_plan("weekly")
SPLIT = make_plan("split")
Change = Callable[[Records], Records]


def verdict_on(records: Records, plan: Any = WEEKLY, policy: Policy = POLICY, **facts: Any) -> Verdict:
    """The verdict on records."""
    return judge(policy, make_campaign(plan, records, **facts))


def measurements(records: Records) -> list[int]:
    """Places of the measurements."""
    return [place for place, record in enumerate(records) if isinstance(record, Measurement)]


def with_one(change: Callable[[Measurement], Measurement], which: int = 3) -> Change:
    """Change one measurement."""

    def apply(records: Records) -> Records:
        place = measurements(records)[which]
        record = records[place]
        assert isinstance(record, Measurement)
        return [*records[:place], change(record), *records[place + 1 :]]

    return apply


def updated(**update: Any) -> Change:
    """Replace fields of one measurement."""
    return with_one(lambda m: m.model_copy(update=update))


def in_session(**update: Any) -> Change:
    """Replace fields of the first session of one measurement."""
    return with_one(
        lambda m: m.model_copy(update={"sessions": (m.sessions[0].model_copy(update=update), *m.sessions[1:])})
    )


def dropped(kind: type, which: int = 0) -> Change:
    """Leave out one record of a kind."""

    def apply(records: Records) -> Records:
        place = [p for p, record in enumerate(records) if isinstance(record, kind)][which]
        return [*records[:place], *records[place + 1 :]]

    return apply


def failed_gate(records: Records) -> Records:
    """The closing gate fails."""
    return [
        r.model_copy(update={"passed": False}) if isinstance(r, GateRecord) and r.stage == "closing" else r
        for r in records
    ]


def bad_pulse(records: Records) -> Records:
    """One pulse fails."""
    return [
        r.model_copy(update={"failures": 1, "completed": 0}) if isinstance(r, PressureRecord) and r.snapshot == 2 else r
        for r in records
    ]


def voided(records: Records) -> Records:
    """One case is void on every attempt."""
    place = measurements(records)[3]
    record = records[place]
    assert isinstance(record, Measurement)
    attempts = [record.model_copy(update={"void": True, "attempt": n}) for n in (1, 2, 3)]
    return [*records[:place], *attempts, *records[place + 1 :]]


@pytest.mark.parametrize("plan", [WEEKLY, SPLIT, make_plan("canonical")], ids=lambda plan: str(plan.kind))
def test_a_healthy_campaign_promotes(plan: Any) -> None:
    """Everything that was planned is there and good: promote, status 0, SEV4."""
    verdict = verdict_on(make_records(plan), plan)
    assert verdict.failed_checks == ()
    assert (verdict.decision, int(verdict.exit_status), verdict.severity) == ("promote", 0, Severity.SEV4)


STATUSES = [status for status in MeasurementStatus if status is not MeasurementStatus.OK]
BAD: list[tuple[str, str, Change]] = [
    *((f"status {s.value}", "all_runs_success", updated(status=s)) for s in STATUSES),
    ("flaky", "all_runs_success", updated(flaky=True)),
    ("dropped", "all_runs_success", dropped(Measurement, 3)),
    ("nothing", "all_runs_success", lambda _records: []),
    ("twice", "unique_cases", lambda records: [*records, records[measurements(records)[0]]]),
    (
        "stray",
        "unique_cases",
        lambda r: [
            *r,
            make_measurement(Case(platform="pocl", kernel="auto", size=64, seed=1, snapshot=1), plan=WEEKLY),
        ],
    ),
    ("no identity", "device_selected", updated(identity=None)),
    ("void", "host_stable", voided),
    ("moved", "host_stable", updated(host=HostCondition(anchor_before_ms=10.0, anchor_after_ms=12.5))),
    ("stolen", "host_stable", updated(host=HostCondition(steal_percent=5.1))),
    ("unverified", "launches_complete", in_session(verified=False)),
    ("short", "launches_complete", in_session(wall_ns=(1, 2))),
    ("zero time", "finite_metrics", in_session(wall_ns=(0,) * 8)),
    ("no flops", "finite_metrics", updated(flops=0.0)),
    ("nan flops", "finite_metrics", updated(flops=math.nan)),
    ("nan error", "correctness_error_bound", in_session(max_abs_error=math.nan)),
    ("large error", "correctness_error_bound", in_session(max_abs_error=0.0011)),
    ("large scaled error", "correctness_error_bound", in_session(k_scaled_error=12.5)),
    ("not finite", "correctness_error_bound", in_session(nonfinite=1)),
    ("pressure", "pressure_failures_zero", bad_pulse),
    ("no pressure", "pressure_failures_zero", dropped(PressureRecord)),
    ("gate failed", "canonical_gate", failed_gate),
    ("no opening gate", "canonical_gate", dropped(GateRecord, 0)),
    ("no closing gate", "canonical_gate", dropped(GateRecord, 1)),
    ("not finished", "other_tests", dropped(GateRecord, 2)),
]


@pytest.mark.parametrize(("check", "change"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_is_missing_or_bad_blocks(check: str, change: Change) -> None:
    """The verdict is iterate with a status that is not 0, and the check that names the reason failed."""
    verdict = verdict_on(change(make_records(WEEKLY)))
    assert check in verdict.failed_checks
    assert verdict.decision == "iterate"
    assert int(verdict.exit_status) in (1, 10, 11)


def test_a_wrong_result_asks_for_rollback() -> None:
    """A wrong result is SEV1 and ends in status 10."""
    verdict = verdict_on(updated(status=MeasurementStatus.WRONG)(make_records(WEEKLY)))
    assert (verdict.severity, int(verdict.exit_status)) == (Severity.SEV1, 10)


def test_missing_evidence_alone_is_inconclusive() -> None:
    """A deselected case ends in status 11: nothing bad was seen, not enough was."""
    assert int(verdict_on(dropped(Measurement, 3)(make_records(WEEKLY))).exit_status) == 11


def test_too_few_launches_for_a_p95_block() -> None:
    """Two snapshots of sixteen launches are no p95."""
    plan = make_plan("weekly", snapshots=2)
    verdict = verdict_on(make_records(plan), plan)
    assert verdict.failed_checks == ("p95_evidence",)
    assert int(verdict.exit_status) == 11


def test_one_snapshot_shows_no_drift() -> None:
    """One snapshot is too few, however many launches it has."""
    plan = make_plan("weekly", snapshots=1, iterations=64)
    failed = verdict_on(make_records(plan), plan).failed_checks
    assert {"minimum_snapshots", "throughput_drift_abs_bound"} <= set(failed)


@pytest.mark.parametrize("snapshot", [2, 4, 6])
def test_a_collapse_in_the_window_is_seen(snapshot: int) -> None:
    """One snapshot at half the speed fails drift wherever it stands after the first."""
    records = make_records(WEEKLY, speed=lambda case: 0.5 if case.snapshot == snapshot else 1.0)
    assert "throughput_drift_abs_bound" in verdict_on(records).failed_checks


def test_a_slow_decline_is_seen() -> None:
    """Six percent per snapshot adds up along the window."""
    records = make_records(WEEKLY, speed=lambda case: 0.94**case.snapshot)
    assert "throughput_drift_abs_bound" in verdict_on(records).failed_checks


def test_an_improvement_does_not_block() -> None:
    """A driver that becomes faster along the window is promoted."""
    assert verdict_on(make_records(WEEKLY, speed=lambda case: 1.1**case.snapshot)).failed_checks == ()


def test_a_slow_host_is_not_a_slow_driver() -> None:
    """Where the anchor slows down with the launches, drift sees nothing."""

    def slowed(record: Any) -> Any:
        if not isinstance(record, Measurement) or record.case.snapshot < 4:
            return record
        return record.model_copy(update={"host": HostCondition(anchor_before_ms=20.0, anchor_after_ms=20.2)})

    records = [slowed(r) for r in make_records(WEEKLY, speed=lambda case: 1.0 if case.snapshot < 4 else 0.5)]
    assert "throughput_drift_abs_bound" not in verdict_on(records).failed_checks


def test_a_slow_host_hides_no_slow_gpu() -> None:
    """A host that slows down with a GPU is no excuse for it, and one that moves alone makes no evidence void."""

    def on_a_gpu(record: Any) -> Any:
        if not isinstance(record, Measurement) or record.identity is None:
            return record
        identity = record.identity.model_copy(update={"device_type": "gpu"})
        late = record.case.snapshot >= 4
        host = HostCondition(anchor_before_ms=20.0 if late else 10.0, anchor_after_ms=31.0 if late else 10.0)
        return record.model_copy(update={"identity": identity, "host": host})

    slow = [on_a_gpu(r) for r in make_records(WEEKLY, speed=lambda case: 1.0 if case.snapshot < 4 else 0.5)]
    assert "throughput_drift_abs_bound" in verdict_on(slow).failed_checks
    steady = verdict_on([on_a_gpu(r) for r in make_records(WEEKLY)])
    assert not {"throughput_drift_abs_bound", "host_stable"} & set(steady.failed_checks)


@pytest.mark.parametrize("anchor", [8.0, 12.0])
def test_an_anchor_that_moves_alone_is_no_drift(anchor: float) -> None:
    """Times as measured stand still: neither a faster nor a slower anchor makes a fall of them."""

    def moved(record: Any) -> Any:
        if not isinstance(record, Measurement) or record.case.snapshot < 3:
            return record
        return record.model_copy(update={"host": HostCondition(anchor_before_ms=anchor, anchor_after_ms=anchor)})

    assert "throughput_drift_abs_bound" not in verdict_on([moved(r) for r in make_records(WEEKLY)]).failed_checks


def test_a_void_attempt_that_was_repeated_says_nothing_about_the_host() -> None:
    """It does not count, and what took its place was taken on a still host."""
    records = make_records(WEEKLY)
    place = measurements(records)[3]
    moved = HostCondition(anchor_before_ms=10.0, anchor_after_ms=16.0)
    attempt = records[place].model_copy(update={"void": True, "host": moved})
    first = records[place]
    assert isinstance(first, Measurement)
    again = make_measurement(first.case, plan=WEEKLY, speed=1.001).model_copy(update={"attempt": 2})
    verdict = verdict_on([*records[:place], attempt, again, *records[place + 1 :]])
    assert verdict.failed_checks == ()


def test_a_floor_above_the_device_blocks() -> None:
    """A row's floor that no run reaches is a failure, and not a rollback."""
    policy = POLICY.model_copy(update={"rows": {"auto:128": Row(min_avg_gflops=1e6)}})
    verdict = verdict_on(make_records(WEEKLY), policy=policy)
    assert verdict.failed_checks == ("per_kernel_size_slo",)
    assert int(verdict.exit_status) == 1


def test_a_cell_without_row_waiver_or_baseline_blocks() -> None:
    """What no limit speaks of cannot be promoted."""
    policy = POLICY.model_copy(update={"floors": POLICY.floors.model_copy(update={"waiver": ""})})
    assert "sizes_covered" in verdict_on(make_records(WEEKLY), policy=policy).failed_checks


def pinned(
    share: float = 1.0, *, sizes: tuple[int, ...] = (128, 256), created: str = "2026-11-20T00:00:00+00:00", **facts: Any
) -> Baseline:
    """A baseline that was ``share`` times as fast as the synthetic device."""
    rows = tuple(
        BaselineRow(
            kernel="auto",
            size=n,
            mean_gflops=2.0 * n**3 / (n * 1000.0) * share,
            p95_ms=n * 1.018e-3 / share,
            anchor_ms=10.05,
        )
        for n in sizes
    )
    return Baseline.model_validate(
        {
            "profile": "pocl",
            "hardware": "a processor x 2",
            "run_id": "b",
            "created_at": created,
            "source_sha256": "0",
            "rows": rows,
            **facts,
        }
    )


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (pinned(), ()),
        (pinned(0.8), ()),
        (pinned(1.2), ("per_kernel_size_slo",)),
        (pinned(sizes=(128,)), ("baseline_usable",)),
        (pinned(sizes=()), ("baseline_usable",)),
        (pinned(created="2025-11-20T00:00:00+00:00"), ("baseline_usable",)),
        (pinned(created="yesterday"), ("baseline_usable",)),
        (pinned(hardware="another"), ("baseline_usable",)),
    ],
    ids=["same", "slower then", "faster then", "row missing", "empty", "stale", "no age", "another device"],
)
def test_a_pinned_baseline_gives_floors(baseline: Baseline, expected: tuple[str, ...]) -> None:
    """95 % of its throughput and 8 % above its p95 hold; a baseline that cannot say is no floor and blocks."""
    assert verdict_on(make_records(WEEKLY), baseline=baseline).failed_checks == expected


@pytest.mark.parametrize(("speed", "passes"), [(1.0, True), (0.9, True), (0.86, True), (0.83, False), (0.5, False)])
def test_the_ratio_of_the_candidate_is_judged(speed: float, passes: bool) -> None:
    """A candidate below the ratio fails, one above passes."""
    records = make_records(SPLIT, speed=lambda case: speed if case.platform == "rusticl" else 1.0)
    assert ("rusticl_ratio_vs_clover" not in verdict_on(records, SPLIT).failed_checks) is passes


def test_the_ratio_holds_for_each_seed() -> None:
    """One seed far below is not made good by another far above."""
    speeds = {412: 0.7, 512: 1.3}
    records = make_records(SPLIT, speed=lambda case: speeds[case.seed] if case.platform == "rusticl" else 1.0)
    assert "rusticl_ratio_vs_clover" in verdict_on(records, SPLIT).failed_checks


def test_a_missing_platform_is_sev1() -> None:
    """Without one side there is no split: SEV1, and each check that needs both says so."""
    records = [r for r in make_records(SPLIT) if not (isinstance(r, Measurement) and r.case.platform == "rusticl")]
    verdict = verdict_on(records, SPLIT)
    assert {"platform_split_present", "rusticl_ratio_vs_clover", "required_sizes_present_on_split"} <= set(
        verdict.failed_checks
    )
    assert verdict.severity is Severity.SEV1


@pytest.mark.parametrize("sizes", [(128,), (128, 256)], ids=["one size", "the whole platform"])
def test_what_the_host_took_is_no_missing_platform(sizes: tuple[int, ...]) -> None:
    """Measured, right, and void each time: nothing to roll back for. One of them that crashed is another matter."""

    def lost(record: Any) -> Any:
        if isinstance(record, Measurement) and record.case.platform == "rusticl" and record.case.size in sizes:
            return record.model_copy(update={"void": True})
        return record

    records = list(map(lost, make_records(SPLIT)))
    verdict = verdict_on(records, SPLIT)
    open_ones = ["required_sizes_present_on_split", *(["platform_split_present"] if len(sizes) > 1 else [])]
    assert set(open_ones) <= set(verdict.failed_checks)
    for check in open_ones:
        found = finding_of(verdict, check)
        assert (found.status.value, found.reason_code) == ("inconclusive", "void")
    assert verdict.decision.value == "iterate"
    assert verdict.severity is not Severity.SEV1
    without = [r for r in records if not (isinstance(r, Measurement) and r.void and r.case.snapshot == 1)]
    assert verdict_on(without, SPLIT).severity is Severity.SEV1


@pytest.mark.parametrize("fault", ["", "wrong", "no gate"])
def test_what_an_interrupted_split_never_came_to_is_no_reason_to_roll_back(fault: str) -> None:
    """Nothing promotes, and what was measured is held against a driver; a record that is lost is another matter."""

    def ended(record: Any) -> Any:
        is_end = isinstance(record, GateRecord) and record.stage == "suite"
        change = {"passed": False, "reason": "the run was interrupted"}
        return record.model_copy(update=change) if is_end else record

    kept: list[Any] = [r for r in make_records(SPLIT) if not isinstance(r, Measurement)]
    if fault == "no gate":
        kept = [r for r in kept if not (isinstance(r, GateRecord) and r.stage == "suite")]
    if fault == "wrong":
        one = next(r for r in make_records(SPLIT) if isinstance(r, Measurement) and r.case.platform == "rusticl")
        kept.append(one.model_copy(update={"status": MeasurementStatus.WRONG}))
    verdict = verdict_on(list(map(ended, kept)), SPLIT)
    assert verdict.decision.value == "iterate"
    assert (verdict.severity is Severity.SEV1) is (fault == "wrong")
    found = finding_of(verdict, "required_sizes_present_on_split")
    wanted = ("fail", "missing") if fault == "wrong" else ("no_data", "not_reached")
    assert (found.status.value, found.reason_code) == wanted
    assert finding_of(verdict, "platform_split_present").reason_code == (
        "platform_missing" if fault == "wrong" else "not_reached"
    )
    whole: list[Any] = [r for r in make_records(SPLIT) if not isinstance(r, Measurement)]
    assert verdict_on(whole, SPLIT).severity is Severity.SEV1


def test_a_required_size_that_was_not_measured_blocks() -> None:
    """What the command line requires beside the plan counts."""
    campaign = make_campaign(SPLIT, make_records(SPLIT))
    verdict = judge(POLICY, campaign, options=JudgeOptions(required_sizes=(128, 3072)))
    assert "required_sizes_present_on_split" in verdict.failed_checks


@pytest.mark.parametrize(("ratio", "passes"), [(None, False), (0.55, True), (0.65, False)])
def test_a_ratio_that_the_command_line_names_takes_the_place_of_the_plans(ratio: float | None, passes: bool) -> None:
    """In either direction; without one, the plan's 0.85 holds."""
    campaign = make_campaign(SPLIT, make_records(SPLIT, speed=lambda c: 0.6 if c.platform == "rusticl" else 1.0))
    verdict = judge(POLICY, campaign, options=JudgeOptions(min_rusticl_ratio=ratio))
    assert ("rusticl_ratio_vs_clover" not in verdict.failed_checks) is passes


@pytest.mark.parametrize("plan", [WEEKLY, SPLIT], ids=lambda plan: str(plan.kind))
def test_numbers_that_cannot_be_worked_with_are_a_failure_and_no_exception(plan: Any) -> None:
    """A time beyond every float: each check that needs it fails, the others speak as always, and no row is shown."""
    verdict = verdict_on(in_session(wall_ns=(10**400,) * 8)(make_records(plan)), plan)
    unreadable = [f for f in verdict.findings if f.reason_code == "unreadable"]
    assert {"p95_evidence", "sizes_covered"} & {f.check for f in unreadable} == {"p95_evidence"}
    assert all(f.status.value == "fail" and "OverflowError" in f.message for f in unreadable)
    assert (verdict.decision, verdict.rows) == ("iterate", ())


@pytest.mark.parametrize("lost", ["guard", "selector"])
def test_controlled_kernels_owe_their_evidence(lost: str) -> None:
    """A T3 or T5 run without its evidence is missing evidence, not zero."""
    plan = make_plan("weekly", kernels=("auto_t3_controlled", "auto_t5_guarded"))
    whole = make_records(plan)
    assert verdict_on(whole, plan).failed_checks == ()
    bare = [r.model_copy(update={lost: None}) if isinstance(r, Measurement) else r for r in whole]
    assert "guard_evidence_present" in verdict_on(bare, plan).failed_checks


def test_the_verdict_is_the_same_bytes_each_time() -> None:
    """Nothing in a verdict depends on when or in what order of hashing it was made."""
    first, second = (verdict_on(make_records(SPLIT), SPLIT).model_dump_json() for _ in range(2))
    assert first == second


def test_a_campaign_of_thousands_of_runs_is_judged_whole() -> None:
    """Many snapshots of many cells are each looked at."""
    plan = make_plan("weekly", sizes=tuple(range(64, 164)), snapshots=20, sessions=1, iterations=2)
    campaign = make_campaign(plan, make_records(plan))
    assert len(judge(POLICY, campaign).rows) == 100


def test_a_verdict_stands_where_its_certainty_cannot_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said beside it is no part of what decides."""

    def broken(*_args: object) -> None:
        raise ArithmeticError

    plan = make_plan(snapshots=5, looks=(3, 5), iterations=15)
    assert verdict_on(make_records(plan), plan).certainty is not None
    monkeypatch.setattr("pytest_weekops.core.judge.verdict.certainty", broken)
    verdict = verdict_on(make_records(plan), plan)
    assert verdict.certainty is None
    assert verdict.exit_status == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"status": MeasurementStatus.WRONG, "sessions": ()}, "fail"),
        ({"flaky": True}, "fail"),
        ({"status": MeasurementStatus.SKIPPED, "sessions": ()}, "no_data"),
        ({"status": MeasurementStatus.UNVERIFIABLE, "sessions": ()}, "no_data"),
    ],
    ids=str,
)
@pytest.mark.parametrize("snapshots", [(3,), tuple(range(1, 13))], ids=["once", "each time"])
def test_a_cell_with_a_bad_run_has_failed(change: dict[str, Any], status: str, snapshots: tuple[int, ...]) -> None:
    """In the table too: where nothing of it counts, it is not for want of data; the other cells are as they are."""
    plan = make_plan("weekly")
    records: Records = [
        record.model_copy(update=change)
        if isinstance(record, Measurement) and record.case.size == 256 and record.case.snapshot in snapshots
        else record
        for record in make_records(plan)
    ]
    rows = judge(POLICY, make_campaign(plan, records)).rows
    assert {row["status"] for row in rows if row["size"] == 256} == {status}
    assert {row["status"] for row in rows if row["size"] != 256} == {"pass"}
