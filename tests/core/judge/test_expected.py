"""Known faults: one that occurs in full takes its cell out by name; nothing else is excused, and each is needed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.judge.checks.expected_faults import expected_faults
from pytest_weekops.core.judge.expected import day_of, outcomes
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Severity, Verdict
from pytest_weekops.core.judge.looks import look_at
from pytest_weekops.core.judge.run_difference import run_difference
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus, Phase
from pytest_weekops.core.policy.policy import Policy
from tests.core.measurement.test_expectation import ENTRY
from tests.support.examples import examples
from tests.support.synthetic import STARTED, Records, make_campaign, make_identity, make_plan, make_records
from tests.support.verdicts import finding_of

POLICY = Policy.model_validate(
    {"policy_id": "test", "floors": {"waiver": "none pinned"}, "guardrails": {"max_p95_drift_percent": None}}
)
SHORT = ("minimum_snapshots", "p95_evidence", "per_kernel_size_slo", "throughput_drift_abs_bound")
SIZES = (64, 128, 256, 512, 1024)
PLAN = make_plan("weekly", sizes=SIZES, snapshots=3, iterations=10)
HEALTHY = make_records(PLAN)
CAMPAIGN = make_campaign(PLAN, HEALTHY)


def entry(**changes: Any) -> Expectation:
    """The known crash of auto:128, changed."""
    return Expectation.model_validate(ENTRY | changes)


def broken(
    records: Records, sizes: tuple[int, ...] = (128,), snapshots: tuple[int, ...] = (1, 2, 3), **facts: Any
) -> Any:
    """The records, with a crash in these cells and snapshots."""
    change = {"status": MeasurementStatus.CRASHED, "phase": Phase.LAUNCH, "sessions": (), "reason": "SIGSEGV", **facts}
    return [
        record.model_copy(update=change)
        if isinstance(record, Measurement) and record.case.size in sizes and record.case.snapshot in snapshots
        else record
        for record in records
    ]


def verdict_on(
    records: Any, *expected: Expectation, policy: Policy = POLICY, at: str = STARTED, **plan: Any
) -> Verdict:
    """The verdict where these faults are known."""
    known = PLAN.model_copy(update={"expected": expected, **plan})
    return judge(policy, make_campaign(known, records, created_at=at))


def code_of(verdict: Verdict) -> str:
    """Status and reason code of the check on expectations."""
    found = finding_of(verdict, "expected_faults")
    return f"{found.status.value} {found.reason_code}"


def test_a_known_fault_is_left_out_by_name() -> None:
    """The rest promotes; the verdict's line says of what it does not speak, and the finding has all of it."""
    assert verdict_on(broken(HEALTHY)).exit_status == 10
    found = verdict_on(broken(HEALTHY), entry())
    assert (found.decision, found.failed_checks) == (Decision.PROMOTE, ())
    assert found.left_out[0] == "pocl auto:128: crashed in launch, expected until 2026-12-31 (a known bug; us)"
    assert code_of(found) == "pass expected"
    finding = finding_of(found, "expected_faults")
    assert (finding.observed, finding.required) == (0.2, 0.2)
    assert finding.rows == found.left_out[:1]
    cell = {"platform": "pocl", "kernel": "auto", "size": 128}
    told = {key: value for key, value in ENTRY.items() if key not in ("driver", "case")}
    assert finding.details == (cell | told | {"state": "met"},)
    assert finding_of(found, "all_runs_success").message == "all 12 runs are ok, 3 failed as expected"
    assert len(found.rows) == len(SIZES) - 1
    assert found.known_faults == {("pocl", "auto", 128): "a known bug"}
    assert verdict_on(broken(HEALTHY)).known_faults == {}


def test_a_run_without_entries_has_the_findings_that_it_had() -> None:
    """And an entry that speaks of none of its drivers and cells changes none of them."""
    before = verdict_on(HEALTHY)
    assert "expected_faults" not in {finding.check for finding in before.findings}
    silent = [
        entry(case="auto:2048"),
        entry(case="packed:128"),
        entry(driver={"profile": "pocl", "driver_version": "2"}),
        entry(driver={"profile": "rusticl", "driver_version": "1"}),
    ]
    after = verdict_on(HEALTHY, *silent)
    assert (code_of(after), after.decision, after.left_out) == ("pass ok", Decision.PROMOTE, before.left_out)
    assert [f for f in after.findings if f.check != "expected_faults"] == list(before.findings)


def test_two_runs_say_what_became_of_a_known_fault() -> None:
    """Excused in one and not needed any more in the next, or not known there; what both had alike is no difference."""
    known = PLAN.model_copy(update={"expected": (entry(),)})
    met, gone = (make_campaign(known, records, created_at=STARTED) for records in (broken(HEALTHY), HEALTHY))
    words = "pocl auto:128: crashed in launch, expected until 2026-12-31 (a known bug; us)"
    found = [run_difference(met, other, (POLICY, POLICY))["known faults"] for other in (met, gone, CAMPAIGN)]
    assert found == [(), (f"{words} met became unneeded",), (f"{words} met became absent",)]


def wrong(records: Any, sizes: tuple[int, ...] = (128,), **session: Any) -> Any:
    """The records with wrong results in these cells, and what else their sessions say."""
    far = {"max_abs_error": 9.0, "k_scaled_error": 1e6, **session}
    return [
        record.model_copy(
            update={
                "status": MeasurementStatus.WRONG,
                "phase": Phase.VERIFY,
                "sessions": tuple(each.model_copy(update=far) for each in record.sessions),
            }
        )
        if isinstance(record, Measurement) and record.case.size in sizes
        else record
        for record in records
    ]


def test_known_wrong_results_are_named_and_not_bounded() -> None:
    """Wrong in any other cell stays wrong, and so does what they wrote beside a buffer."""
    known = entry(kind="wrong", phase=None)
    found = verdict_on(wrong(HEALTHY), known)
    assert found.decision is Decision.PROMOTE
    assert "pocl auto:128: wrong, expected until" in found.left_out[0]
    assert set(verdict_on(wrong(HEALTHY)).failed_checks) == {"all_runs_success", "correctness_error_bound", *SHORT}
    other = verdict_on(wrong(HEALTHY, (128, 256)), known)
    assert {"correctness_error_bound", "all_runs_success"} <= set(other.failed_checks)
    assert "writes_contained" in verdict_on(wrong(HEALTHY, outside="4 bytes behind C"), known).failed_checks


BLOCKED: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "its day is over": (broken(HEALTHY), {"expires": "2026-11-23"}, STARTED, "fail expired"),
    "its day is too far ahead": (broken(HEALTHY), {"expires": "2027-11-26"}, STARTED, "fail expired"),
    "the run has no day": (broken(HEALTHY), {}, "", "fail expired"),
    "expired and not needed": (HEALTHY, {"expires": "2026-11-23"}, STARTED, "fail expired"),
    "another phase": (broken(HEALTHY, phase=Phase.BUILD), {}, STARTED, "no_data unmeasured"),
    "another fault": (broken(HEALTHY, status=MeasurementStatus.HUNG), {}, STARTED, "no_data unmeasured"),
    "a lost platform": (broken(HEALTHY, status=MeasurementStatus.LOST), {}, STARTED, "no_data unmeasured"),
    "some snapshots": (broken(HEALTHY, snapshots=(1, 3)), {}, STARTED, "fail unsteady"),
    "not measured at all": (
        [r for r in HEALTHY if not (isinstance(r, Measurement) and r.case.size == 128)],
        {},
        STARTED,
        "no_data unmeasured",
    ),
    "one snapshot not measured": (
        [r for r in broken(HEALTHY) if not (isinstance(r, Measurement) and r.case.id == "pocl-auto-128-seed11-s3")],
        {},
        STARTED,
        "fail unsteady",
    ),
    "it worked": (HEALTHY, {}, STARTED, "fail unneeded"),
    "a flaky one": (
        broken(HEALTHY, status=MeasurementStatus.OK, flaky=True),
        {},
        STARTED,
        "fail unneeded",
    ),
    "twice": ([*broken(HEALTHY)[:-2], *broken(HEALTHY)[-4:]], {"case": "auto:1024"}, STARTED, "fail unneeded"),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_what_is_not_met_in_full_excuses_nothing(name: str) -> None:
    """Every other finding is what it was without the entry, and the entry is one itself."""
    records, changes, at, code = BLOCKED[name]
    found, before = verdict_on(records, entry(**changes), at=at), verdict_on(records, at=at)
    assert (found.decision, code_of(found)) == (Decision.ITERATE, code)
    assert [f for f in found.findings if f.check != "expected_faults"] == list(before.findings)
    assert found.left_out == before.left_out
    assert finding_of(found, "expected_faults").severity == (Severity.SEV2 if "no_data" in code else Severity.SEV3) or (
        finding_of(found, "expected_faults").severity is Severity.SEV3
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"case": "atuo:128"}, "pocl atuo:128 (there is no such cell)"),
        ({"driver": {"profile": "pocl", "driver_version": "0"}}, "pocl auto:128 (of version 0; this is 1)"),
        (
            {"driver": {"profile": "pocl", "library_sha256": "5" * 64}},
            "pocl auto:128 (of the library with the hash 555555555555; this is 1)",
        ),
        ({"driver": {"profile": "poccl", "driver_version": "1"}}, ""),
        ({}, ""),
    ],
)
def test_one_that_speaks_of_nothing_here_is_told(changes: dict[str, Any], words: str) -> None:
    """Of a driver that the run has: it may be a slip. A file may be that of many drivers, and others are silent."""
    verdict = verdict_on(HEALTHY, entry(**changes))
    told = [note for note in verdict.notes if note.startswith("Expectations that speak of nothing here: ")]
    assert told == ([f"Expectations that speak of nothing here: {words}."] if words else [])


def test_the_last_day_counts() -> None:
    """In UTC, wherever the run was; a stamp that is none has no day."""
    assert verdict_on(broken(HEALTHY), entry(expires="2026-11-24")).decision is Decision.PROMOTE
    late = "2026-11-24T23:30:00-02:00"
    assert code_of(verdict_on(broken(HEALTHY), entry(expires="2026-11-24"), at=late)) == "fail expired"
    assert str(day_of(late)) == "2026-11-25"
    assert [day_of(stamp) for stamp in ("", "soon", "0001-01-01T00:00:00+09:00")] == [None] * 3


def test_few_cells_may_be_left_out() -> None:
    """As many as the policy says, and never all of a platform, whatever it says."""
    two = (entry(), entry(case="auto:256"))
    records = broken(HEALTHY, (128, 256))
    assert code_of(verdict_on(records, *two)) == "fail too_many"
    half = POLICY.model_copy(update={"evidence": POLICY.evidence.model_copy(update={"max_expected_share": 0.5})})
    found = verdict_on(records, *two, policy=half)
    assert found.decision is Decision.PROMOTE
    assert [words.split(": ")[0] for words in found.left_out[:2]] == ["pocl auto:128", "pocl auto:256"]
    assert "evidence.max_expected_share 0.5 (usual: at most 0.2)" in found.left_out
    assert "evidence.max_expected_share" not in str(verdict_on(HEALTHY, policy=half).left_out)
    every = tuple(entry(case=f"auto:{size}") for size in SIZES)
    found = verdict_on(broken(HEALTHY, SIZES), *every, policy=half)
    assert code_of(found) == "fail everything"
    assert "expected until" not in str(found.left_out)
    assert "all_runs_success" in found.failed_checks


def test_a_row_of_the_policy_may_be_expected_to_fail() -> None:
    """A floor bounds what is measured; of another platform's cell nothing is excused."""
    rows = {"auto:128": {"min_avg_gflops": 0.001}}
    policy = Policy.model_validate({**POLICY.effective(), "rows": rows})
    assert verdict_on(broken(HEALTHY), entry(), policy=policy).decision is Decision.PROMOTE
    plan = make_plan("weekly", sizes=SIZES, snapshots=3, platforms=("pocl", "intel"), expected=(entry(),))
    records = broken(make_records(plan))
    found = judge(policy, make_campaign(plan, records, created_at=STARTED))
    assert finding_of(found, "all_policy_rows_present").rows == ("intel auto:128",)
    assert finding_of(found, "all_runs_success").observed == 3


def test_a_look_leaves_the_cell_out_too() -> None:
    """A run ends where all the rest is decided."""
    plan = make_plan("weekly", sizes=SIZES, snapshots=6, looks=(3, 6), expected=(entry(),))
    campaign = make_campaign(plan, broken(make_records(plan), snapshots=(1, 2, 3, 4, 5, 6)), created_at=STARTED)
    assert not any("auto:128" in words for words in look_at(POLICY, campaign, 3).open)
    bare = make_campaign(plan.model_copy(update={"expected": ()}), campaign.records, created_at=STARTED)
    assert any("auto:128" in words for words in look_at(POLICY, bare, 3).open)


def test_a_canonical_run_has_no_cells_to_expect_anything_of() -> None:
    """A plan made by hand that does is judged as if it did not."""
    plan = make_plan("canonical", expected=(entry(),))
    records = broken(make_records(plan), snapshots=tuple(range(1, 7)))
    campaign = make_campaign(plan, records, created_at=STARTED)
    bare = make_campaign(plan.model_copy(update={"expected": ()}), records, created_at=STARTED)
    found, before = judge(POLICY, campaign), judge(POLICY, bare)
    assert [f for f in found.findings if f.check != "expected_faults"] == list(before.findings)
    assert outcomes(plan, campaign.identities, campaign.measurements, STARTED) == ()
    assert expected_faults(POLICY, campaign).status is CheckStatus.PASS


SPLIT = make_plan("split", sizes=SIZES, snapshots=3, seeds=(11,), iterations=10)
BOTH = make_records(SPLIT)
ON_RUSTICL = {"driver": {"profile": "rusticl", "driver_version": "1"}}


def on(platform: str, records: Any, **facts: Any) -> Any:
    """The records of a split, with the crash on one side only."""
    return [
        bad if isinstance(record, Measurement) and record.case.platform == platform else record
        for record, bad in zip(records, broken(records, **facts), strict=True)
    ]


def split_verdict(records: Any, *expected: Expectation, policy: Policy = POLICY, **plan: Any) -> Verdict:
    """The verdict on a split where these faults are known."""
    known = SPLIT.model_copy(update={"expected": expected, **plan})
    return judge(policy, make_campaign(known, records, created_at=STARTED))


@pytest.mark.parametrize("side", ["clover", "rusticl"])
def test_a_split_leaves_the_comparison_out(side: str) -> None:
    """By name: the rest is compared, and of the other side's cell nothing is excused."""
    known = entry(driver={"profile": side, "driver_version": "1"})
    assert split_verdict(on(side, BOTH)).decision is Decision.ITERATE
    found = split_verdict(on(side, BOTH), known)
    assert (found.decision, found.failed_checks) == (Decision.PROMOTE, ())
    told = f"{side} auto:128: crashed in launch, expected until 2026-12-31 (a known bug; us)"
    assert found.left_out[0] == f"{told}; nothing is compared there"
    assert finding_of(found, "required_sizes_present_on_split").message.endswith(", but for known faults")
    assert finding_of(found, "expected_faults").observed == 0.2
    assert {row["size"] for row in found.rows} == set(SIZES) - {128}
    other = split_verdict(broken(BOTH), known)
    assert "all_runs_success" in other.failed_checks
    assert finding_of(other, "all_runs_success").observed == 3


SPLIT_BLOCKED: dict[str, tuple[Any, dict[str, Any], dict[str, Any], str]] = {
    "on the other side": (on("clover", BOTH), {}, {}, "fail unneeded"),
    "another driver": (on("rusticl", BOTH), {"driver": {"profile": "rusticl", "driver_version": "2"}}, {}, "pass ok"),
    "another cell": (on("rusticl", BOTH, sizes=(128, 256)), {}, {}, "pass expected"),
    "in some snapshots": (on("rusticl", BOTH, snapshots=(2,)), {}, {}, "fail unsteady"),
    "a required size": (on("rusticl", BOTH), {}, {"required_sizes": (64, 128)}, "pass expected"),
}


@pytest.mark.parametrize("name", SPLIT_BLOCKED)
def test_what_a_split_does_not_let_off(name: str) -> None:
    """Another fault than the one that is known, or one where it was said that the size has to be there."""
    records, changes, plan, code = SPLIT_BLOCKED[name]
    found = split_verdict(records, entry(**ON_RUSTICL | changes), **plan)
    assert (found.decision, code_of(found)) == (Decision.ITERATE, code)


def test_a_split_without_any_comparison_is_none() -> None:
    """Whichever side the faults are on: half of the cells here and half there leave nothing."""
    sides = {size: ("rusticl", "clover")[place % 2] for place, size in enumerate(SIZES)}
    records = BOTH
    for size, side in sides.items():
        records = on(side, records, sizes=(size,))
    known = [
        entry(case=f"auto:{size}", driver={"profile": side, "driver_version": "1"}) for size, side in sides.items()
    ]
    half = POLICY.model_copy(update={"evidence": POLICY.evidence.model_copy(update={"max_expected_share": 0.5})})
    assert code_of(split_verdict(records, *known, policy=half)) == "fail everything"


ENTRIES = st.builds(
    entry,
    case=st.sampled_from(["auto:64", "auto:128", "auto:256", "packed:128"]),
    kind=st.sampled_from(["wrong", "build_failed", "launch_failed", "crashed", "hung"]),
    phase=st.sampled_from(["build", "launch"]),
    driver=st.sampled_from([{"profile": p, "driver_version": v} for p in ("pocl", "intel") for v in ("1", "2")]),
    expires=st.dates().map(str) | st.sampled_from(["2026-11-23", "2026-11-24", "2027-11-25", "2027-11-26"]),
)
FAULTS = st.tuples(
    st.sampled_from([(64,), (128,), (64, 128), (256,)]),
    st.sampled_from([(1, 2, 3), (1,), (2, 3)]),
    st.sampled_from([status for status in MeasurementStatus if status is not MeasurementStatus.OK]),
    st.sampled_from([None, Phase.BUILD, Phase.LAUNCH]),
)


@settings(max_examples=examples(40), deadline=None)
@given(one=ENTRIES, faults=st.lists(FAULTS, max_size=2), stamp=st.sampled_from([STARTED, "", "NaN"]))
def test_an_expectation_changes_no_finding_that_it_does_not_match(one: Expectation, faults: Any, stamp: str) -> None:
    """Only where each case of its cell has exactly its fault, on its driver and its days, does anything else change."""
    records: Any = HEALTHY
    for sizes, snapshots, status, phase in faults:
        records = broken(records, sizes, snapshots, status=status, phase=phase)
    mine = [r for r in records if isinstance(r, Measurement) and r.case.row == one.case]
    in_days = stamp == STARTED and "2026-11-24" <= str(one.expires) <= "2027-11-25"
    driver = make_identity("pocl")
    is_matched = (
        bool(mine)
        and in_days
        and (one.driver.profile, one.driver.driver_version) == (driver.profile, driver.driver_version)
        and all((m.status.value, m.phase) == (one.kind, one.phase) for m in mine)
    )
    before, after = verdict_on(records, at=stamp), verdict_on(records, one, at=stamp)
    if not is_matched:
        assert [f for f in after.findings if f.check != "expected_faults"] == list(before.findings)
        assert after.left_out == before.left_out
        assert after.decision is Decision.ITERATE or before.decision is Decision.PROMOTE
    else:
        assert after.left_out[0].startswith(f"pocl {one.case}: {one.fault}, expected until {one.expires}")
