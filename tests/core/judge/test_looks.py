"""Looks at a run: where it may end, what a record of a look cannot do, and that worse is never milder."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pytest_weekops.core.judge.asking.drifts import drifts
from pytest_weekops.core.judge.asking.noise import noise_ratio
from pytest_weekops.core.judge.asking.ratios import ratios
from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.asking.spreads import ratio_spread
from pytest_weekops.core.judge.campaign import Baseline
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus, Decision, ExitStatus, Verdict
from pytest_weekops.core.judge.looks import certainty, look_at
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.calibration import CalibratedSeries, CalibrationRecord, figures
from pytest_weekops.core.measurement.plan import CampaignPlan, taken_plan
from pytest_weekops.core.measurement.records import UNTRIED, Case, LookRecord, Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Evidence, Policy, Row
from tests.core.judge.test_verdict import POLICY, pinned
from tests.support.examples import examples
from tests.support.synthetic import make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of

LOOKS = (3, 5, 8, 12)
WEEKLY = make_plan(snapshots=12, looks=LOOKS, iterations=15)
SPLIT = make_plan("split", snapshots=12, looks=LOOKS, iterations=15, seeds=(412,), in_turns=True)
SLO, DRIFT, RATIO = "per_kernel_size_slo", "throughput_drift_abs_bound", "rusticl_ratio_vs_clover"
GFLOPS_AT_128 = 2 * 128**3 / 128e3  # of the synthetic device


def steady(_case: Case) -> float:
    """A driver that does not change."""
    return 1.0


def after(snapshots: int, plan: CampaignPlan = WEEKLY, speed: Callable[[Case], float] = steady) -> list[Any]:
    """The records of a run that took so many snapshots, with the look that ended it there."""
    taken = plan.model_copy(update={"snapshots": snapshots})
    records: list[Any] = [*make_records(taken, speed=speed)]
    return [*records, LookRecord(snapshots=snapshots, ends=True)] if snapshots < plan.snapshots else records


def verdict_of(
    records: list[Any], policy: Policy = POLICY, plan: CampaignPlan = WEEKLY, baseline: Baseline | None = None
) -> Verdict:
    """The judge's verdict."""
    return judge(policy, make_campaign(plan, records, baseline=baseline))


def floor(share: float) -> Policy:
    """A floor at 128 that the synthetic device holds by that share."""
    return POLICY.model_copy(update={"rows": {"auto:128": Row(min_avg_gflops=GFLOPS_AT_128 / share)}})


def look(policy: Policy, snapshots: int, plan: CampaignPlan = WEEKLY, speed: Callable[[Case], float] = steady) -> Any:
    """What a look after so many snapshots says."""
    records = [each for each in after(snapshots, plan, speed) if not isinstance(each, LookRecord)]
    return look_at(policy, make_campaign(plan, records), snapshots)


# -- where a run ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "ends"), [(1.0 / 0.7, True), (1.0, False), (0.7, True)])
def test_a_run_ends_where_every_answer_is_clear(share: float, ends: bool) -> None:
    """Far above its floor or far below after three snapshots; at the floor itself it goes on, and says how long."""
    found = look(floor(share), 3)
    assert found.ends is ends
    assert found.open == () if ends else "not certainly at least" in found.open[0]


def test_what_ends_at_a_look_promotes_as_a_whole_run_does() -> None:
    """Nothing of the snapshots after it is missing, and the verdict says after how many of how many it was made."""
    verdict = verdict_of(after(3), floor(1.0 / 0.7))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.certainty is not None
    assert (verdict.certainty.snapshots, verdict.certainty.looks, verdict.certainty.open) == (3, LOOKS, 0)
    assert (verdict.certainty.max_false_block, verdict.certainty.max_false_promote) == (0.01, 0.025)


def test_a_policy_that_wants_more_snapshots_gets_them() -> None:
    """Clear or not, a run does not end below the policy's number, and not before p95 has its launches."""
    rails = POLICY.guardrails.model_copy(update={"minimum_snapshots": 5})
    many = POLICY.model_copy(update={"guardrails": rails})
    assert not look(many, 3).ends
    assert look(many, 5).ends
    few = make_plan(snapshots=12, looks=LOOKS, iterations=8)
    assert "p95" in look(POLICY, 3, few).open[0]
    assert look(POLICY, 5, few).ends


@pytest.mark.parametrize(("fallbacks", "ends"), [(0, True), (1, False), (3, True)])
def test_a_fallback_that_says_nothing_yet_gets_more_decisions(fallbacks: int, ends: bool) -> None:
    """One of three leaves the run open and it goes on; three of three are certain, and nothing would change that."""
    plan = make_plan(snapshots=12, looks=LOOKS, iterations=15, kernels=("auto_t3_controlled",))
    counts = {"fallback_rate": fallbacks / 3, "fallbacks": fallbacks, "decisions": 3}
    records = [
        r.model_copy(update={"selector": r.selector.model_copy(update=counts)})
        if isinstance(r, Measurement) and r.selector is not None and r.case.snapshot == 3
        else r
        for r in make_records(plan.model_copy(update={"snapshots": 3}))
    ]
    found = look_at(POLICY, make_campaign(plan, records), 3)
    assert found.ends is ends
    assert [words.split(":")[0] for words in found.open] == ([] if ends else ["t3_fallback_bound"])


@pytest.mark.parametrize("looks", [(3, 3, 12), (1, 12), (3, 5), (5, 3, 12), (3, 13)])
def test_looks_rise_to_the_budget(looks: tuple[int, ...]) -> None:
    """A plan whose looks do not is none."""
    with pytest.raises(ValidationError, match="looks rise"):
        make_plan(snapshots=12, looks=looks)


def test_a_look_that_is_none_of_the_plan_is_refused() -> None:
    """Its levels would be nobody's."""
    with pytest.raises(ValueError, match="no look of"):
        look_at(POLICY, make_campaign(WEEKLY, after(5)), 4)


# -- what a record of a look cannot do ---------------------------------------------------------------------------------


def test_an_end_that_nothing_decided_does_not_promote() -> None:
    """The record says that all was decided; the judge asks the numbers."""
    verdict = verdict_of(after(3), floor(1.0))
    assert verdict.inconclusive_checks == (SLO,)
    assert verdict.exit_status == 11
    assert verdict.certainty is not None
    assert verdict.certainty.open == 1


@pytest.mark.parametrize(
    "ends",
    [
        (LookRecord(snapshots=4, ends=True),),
        (LookRecord(snapshots=3, ends=True),) * 2,
        (LookRecord(snapshots=3, ends=False),),
    ],
    ids=["no look of the plan", "twice", "goes on"],
)
def test_an_end_that_is_none_leaves_the_rest_missing(ends: tuple[LookRecord, ...]) -> None:
    """Then the whole budget is asked for."""
    records = [each for each in after(3) if not isinstance(each, LookRecord)] + list(ends)
    assert taken_plan(WEEKLY, records) == WEEKLY
    assert "all_runs_success" in verdict_of(records).failed_checks


def test_what_was_measured_behind_the_end_is_not_left_out() -> None:
    """A run that ends at a look and goes on has chosen its end: those measurements were not planned."""
    records = [*after(12), LookRecord(snapshots=3, ends=True)]
    verdict = verdict_of(records)
    assert verdict.decision is Decision.ITERATE
    assert finding_of(verdict, "unique_cases").reason_code == "unplanned"


def void(records: list[Any], *snapshots: int) -> list[Any]:
    """The same, where the host spoilt all that was measured at 128 in these snapshots."""
    return [
        each.model_copy(update={"void": True, "void_reason": "busy"})
        if isinstance(each, Measurement) and each.case.size == 128 and each.case.snapshot in snapshots
        else each
        for each in records
    ]


@pytest.mark.parametrize("plan", [WEEKLY, SPLIT], ids=["weekly", "split"])
def test_other_snapshots_stand_in_for_void_ones(plan: CampaignPlan) -> None:
    """Two of five are void: three count, which is the least number. Of three one: then it goes on, and promotes not."""
    enough = verdict_of(void(after(5, plan), 2, 4), plan=plan)
    assert enough.decision is Decision.PROMOTE
    assert "stand in" in finding_of(enough, "host_stable").message
    few = verdict_of(void(after(3, plan), 2), plan=plan)
    assert few.exit_status == 11
    assert {"minimum_snapshots", "host_stable"} <= set(few.inconclusive_checks)
    records = [each for each in void(after(3, plan), 2) if not isinstance(each, LookRecord)]
    assert not look_at(POLICY, make_campaign(plan, records), 3).ends


def test_where_nothing_counts_the_host_is_named() -> None:
    """Not a snapshot or launches that are too few: there is none."""
    spoilt = {"void": True, "void_reason": "busy"}
    records = [m.model_copy(update=spoilt) if isinstance(m, Measurement) else m for m in after(3)]
    verdict = verdict_of(records)
    assert verdict.exit_status != 0
    for check in ("p95_evidence", "throughput_drift_abs_bound"):
        words = ": no measurement counts: each is void, by what the host did"
        assert finding_of(verdict, check).message.endswith(words)


def test_what_would_decide_counts_the_void_ones() -> None:
    """Of a run whose first snapshots were void, as many more are wanted: never fewer than it had."""
    near = floor(1.0 / 0.98)
    clear, held_up = (verdict_of(records, near).certainty for records in (after(5), void(after(5), 1, 2)))
    assert clear is not None
    assert held_up is not None
    assert clear.would_decide is not None
    assert held_up.would_decide is not None
    assert held_up.would_decide >= clear.would_decide + 2


def test_a_void_snapshot_is_no_excuse_for_one_that_was_not_measured() -> None:
    """What is missing without a void record stays missing."""
    dropped = [e for e in after(5) if not (isinstance(e, Measurement) and e.case.snapshot == 2 and e.case.size == 128)]
    assert "all_runs_success" in verdict_of(dropped).failed_checks


# -- floors and ratios ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "answer"), [(1.0, "pass"), (0.94, "open"), (0.9, "fail"), (0.5, "fail")])
def test_a_pinned_baseline_is_asked_with_an_error(speed: float, answer: str) -> None:
    """At 5 % of assumed spread twelve snapshots tell 0.9 from a floor of 0.95; 0.94 is open, and not promoted."""
    verdict = verdict_of(after(12, speed=lambda _case: speed), baseline=pinned())
    finding = finding_of(verdict, SLO)
    wanted = {"pass": CheckStatus.PASS, "open": CheckStatus.INCONCLUSIVE, "fail": CheckStatus.FAIL}
    assert finding.status is wanted[answer]
    if answer == "open":
        assert "not certainly 0.95 or more after 12 snapshots" in finding.message
    facts = next(each for each in finding.details if each["asked"] == "baseline")
    assert math.exp(facts["estimate"]) == pytest.approx(speed, rel=0.01)


def test_a_certain_change_inside_the_limits_is_said() -> None:
    """Steadily 8 % slower passes a ratio of 0.85, and the finding says so."""
    narrow = POLICY.model_copy(update={"evidence": Evidence(assumed_sd_percent=0.5)})
    slower = after(3, SPLIT, lambda case: 0.92 if case.platform == "rusticl" else 1.0)
    verdict = verdict_of(slower, narrow, SPLIT)
    finding = finding_of(verdict, RATIO)
    assert finding.status is CheckStatus.PASS
    assert "% slower, certain" in finding.message
    assert "% slower, certain" in next(row["reason"] for row in verdict.rows if row.get("ratio"))


@pytest.mark.parametrize(
    ("ratio", "status", "exit_status"), [(1.0, "pass", 0), (0.85, "inconclusive", 11), (0.7, "fail", 1)]
)
def test_a_ratio_has_three_answers(ratio: float, status: str, exit_status: int) -> None:
    """Clear on either side after three snapshots, open at the limit."""
    verdict = verdict_of(after(3, SPLIT, lambda case: ratio if case.platform == "rusticl" else 1.0), plan=SPLIT)
    assert finding_of(verdict, RATIO).status.value == status
    assert verdict.exit_status == exit_status
    rows = [row for row in verdict.rows if "ratio" in row]
    assert {row["status"] for row in rows} == {status}


def test_a_p95_beyond_its_limit_fails_where_that_is_certain() -> None:
    """A third above the limit in each snapshot is certain; three of a hundred launches are not; neither promotes."""
    ceiling = POLICY.model_copy(update={"rows": {"auto:128": Row(max_p95_time_ms=0.128 / 1.3)}})
    assert finding_of(verdict_of(after(12), ceiling), SLO).status is CheckStatus.FAIL
    close = POLICY.model_copy(update={"rows": {"auto:128": Row(max_p95_time_ms=0.1297)}})
    found = finding_of(verdict_of(after(12), close), SLO)
    assert found.status is CheckStatus.INCONCLUSIVE
    assert "p95 0.13" in found.message


# -- drift -----------------------------------------------------------------------------------------------------------


def falling(percent: float) -> Callable[[Case], float]:
    """A driver that loses so much over twelve snapshots."""
    return lambda case: (1 - percent / 100) ** ((case.snapshot - 1) / 11)


@pytest.mark.parametrize(("percent", "status"), [(0, "pass"), (2, "pass"), (8, "inconclusive"), (60, "fail")])
def test_a_trend_fails_where_it_is_certain(percent: float, status: str) -> None:
    """The limit is 3 %: beyond it by the estimate alone is open, and never promoted."""
    finding = finding_of(verdict_of(after(12, speed=falling(percent))), DRIFT)
    assert finding.status.value == status
    assert finding.observed == pytest.approx(percent, abs=1.0)


@pytest.mark.parametrize(
    ("fallen", "status"), [((), "pass"), ((7,), "inconclusive"), ((6, 7), "fail"), ((3, 9), "fail")]
)
def test_one_fallen_snapshot_is_open_and_two_are_certain(fallen: tuple[int, ...], status: str) -> None:
    """One may be the host's."""
    found = verdict_of(after(12, speed=lambda case: 0.2 if case.snapshot in fallen else 1.0))
    assert finding_of(found, DRIFT).status.value == status


def test_lanes_of_one_variant_are_witnesses_of_one_thing() -> None:
    """What one lane alone lost is noise, and said; what both lost is a fall."""
    plan = make_plan(snapshots=12, looks=LOOKS, iterations=15, kernels=("auto", "packed"))

    def one(case: Case) -> float:
        return falling(60)(case) if case.kernel == "auto" else 1.0

    alone = finding_of(verdict_of(after(12, plan, one), plan=plan), DRIFT)
    assert alone.status is CheckStatus.PASS
    assert "contradict each other" in alone.message
    both = finding_of(verdict_of(after(12, plan, falling(60)), plan=plan), DRIFT)
    assert both.status is CheckStatus.FAIL
    assert "auto and packed" in both.message


def test_lanes_of_two_variants_are_not() -> None:
    """Two kernels are two things: one of them falling is no contradiction."""
    plan = make_plan(snapshots=12, looks=LOOKS, iterations=15, kernels=("auto", "packed"))
    records = [
        each.model_copy(update={"variant": each.case.kernel}) if isinstance(each, Measurement) else each
        for each in after(12, plan, lambda case: falling(60)(case) if case.kernel == "auto" else 1.0)
    ]
    assert finding_of(verdict_of(records, plan=plan), DRIFT).status is CheckStatus.FAIL


# -- worse is never milder -------------------------------------------------------------------------------------------

RANK = {"pass": 0, "inconclusive": 1, "fail": 2}


@settings(max_examples=examples(60))
@given(
    st.lists(st.floats(0.7, 1.2), min_size=5, max_size=5),
    st.lists(st.floats(0.5, 1.0), min_size=5, max_size=5),
    st.sampled_from([SLO, RATIO]),
)
def test_a_slower_snapshot_turns_no_answer_milder(speeds: list[float], losses: list[float], check: str) -> None:
    """Floors and ratios, look by look: whatever is slower, the finding is as bad or worse."""
    plan = (
        make_plan("split", snapshots=5, looks=(3, 5), iterations=8, seeds=(412,))
        if check == RATIO
        else make_plan(snapshots=5, looks=(3, 5), iterations=8)
    )

    def status(factors: list[float]) -> int:
        def speed(case: Case) -> float:
            return 1.0 if case.platform == "clover" else factors[case.snapshot - 1]

        records = after(5, plan, speed)
        return RANK[finding_of(verdict_of(records, floor(1.05), plan), check).status.value]

    assert status([s * loss for s, loss in zip(speeds, losses, strict=True)]) >= status(speeds)


# -- calibrations ----------------------------------------------------------------------------------------------------

MADE = datetime(2026, 11, 20, tzinfo=UTC)


def series(sd: float, source: str = "a" * 64, size: int = 128) -> CalibratedSeries:
    """A calibration of twenty snapshots with that spread."""
    logs = tuple((-1) ** place * sd * math.sqrt(0.95) for place in range(20))
    facts = figures(logs)
    return CalibratedSeries(
        kernel="auto", variant="packed", kernel_sha256=source, size=size, logs=logs, made_at=MADE, **asdict(facts)
    )


def calibrated(records: list[Any], *platforms: tuple[str, CalibratedSeries]) -> list[Any]:
    """Those records of a run that found calibrations, all launched from one source."""
    sourced = [
        each.model_copy(update={"kernel_sha256": "a" * 64}) if isinstance(each, Measurement) else each
        for each in records
    ]
    return [*(CalibrationRecord(platform=name, series=(each,)) for name, each in platforms), *sourced]


def spread(*platforms: tuple[str, CalibratedSeries], created_at: str = "2026-11-24T12:00:00+00:00") -> Spread:
    """The spread of the ratio at 128."""
    campaign = make_campaign(SPLIT, calibrated(after(3, SPLIT), *platforms), created_at=created_at)
    return ratio_spread(POLICY, campaign, "auto", 128)


def test_the_wider_calibration_of_the_two_drivers_counts() -> None:
    """With what it is known from: so many snapshots, and their correlation."""
    found = spread(("clover", series(0.004)), ("rusticl", series(0.008)))
    assert found.sd == pytest.approx(0.008, rel=0.05)
    assert found.degrees == 19
    assert "calibration of 2026-11-20" in found.source
    assert spread(("clover", series(1e-5)), ("rusticl", series(1e-5))).sd == 0.001


@pytest.mark.parametrize(
    "platforms",
    [
        (),
        (("clover", series(0.004)),),
        (("clover", series(0.004)), ("rusticl", series(0.004, "b" * 64))),
        (("clover", series(0.004)), ("rusticl", series(0.004, size=256))),
        (("clover", series(0.004)), ("pocl", series(0.004))),
    ],
    ids=["none", "one side", "another source", "another size", "another driver"],
)
def test_without_both_the_assumed_spread_counts(platforms: tuple[tuple[str, CalibratedSeries], ...]) -> None:
    """What is not known is not taken to be small."""
    assert spread(*platforms).source == "5 % assumed"


def test_a_calibration_that_is_too_old_or_yet_to_come_does_not_count() -> None:
    """By the clock of the run it would judge."""
    both = ("clover", series(0.004)), ("rusticl", series(0.004))
    for created in ("2027-06-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "no moment"):
        assert spread(*both, created_at=created).degrees is None


def test_a_calibrated_run_decides_what_an_assumed_spread_leaves_open() -> None:
    """A ratio of 0.9 against 0.85 after three snapshots."""
    slower = after(3, SPLIT, lambda case: 0.9 if case.platform == "rusticl" else 1.0)
    both = calibrated(slower, *((name, series(0.004, size=n)) for name in ("clover", "rusticl") for n in (128, 256)))
    assert finding_of(verdict_of(slower, plan=SPLIT), RATIO).status is CheckStatus.INCONCLUSIVE
    campaign = make_campaign(SPLIT, both, created_at="2026-11-24T12:00:00+00:00")
    verdict = judge(POLICY, campaign)
    assert finding_of(verdict, RATIO).status is CheckStatus.PASS
    assert verdict.certainty is not None


# -- what is not asked, or not there ---------------------------------------------------------------------------------


def test_a_drift_that_no_limit_bounds_is_not_asked() -> None:
    """A limit of 100 % or more, as a policy without one has it; the other of the two is asked all the same."""
    for name, kept in (
        ("max_abs_throughput_drift_percent", "fall"),
        ("max_throughput_deviation_percent", "trend"),
    ):
        rails = POLICY.guardrails.model_copy(update={name: 1000.0})
        policy = POLICY.model_copy(update={"guardrails": rails})
        campaign = make_campaign(WEEKLY, after(12))
        assert {each.kind for each in drifts(policy, campaign, LookPlan(LOOKS))} == {kept}
        assert verdict_of(after(12), policy).decision is Decision.PROMOTE


def without(records: list[Any], size: int, snapshots: tuple[int, ...] = tuple(range(1, 13))) -> list[Any]:
    """The records, but nothing that was measured at a size in these snapshots."""
    return [
        each
        for each in records
        if not (isinstance(each, Measurement) and each.case.size == size and each.case.snapshot in snapshots)
    ]


def test_a_cell_that_was_not_measured_is_missing_and_not_judged() -> None:
    """Neither its floor nor its drift can be asked; the finding says that it is not there."""
    verdict = verdict_of(without(after(12), 128), floor(1.0 / 0.7))
    assert finding_of(verdict, SLO).reason_code == "missing"
    assert verdict.decision is Decision.ITERATE
    once = verdict_of(without(after(12), 128, tuple(range(2, 13))), floor(1.0 / 0.7))
    assert finding_of(once, DRIFT).reason_code == "one_snapshot"
    split = verdict_of(without(after(12, SPLIT), 128), plan=SPLIT)
    assert finding_of(split, RATIO).status is CheckStatus.NO_DATA


def test_a_split_of_two_seeds_asks_for_each_and_for_both() -> None:
    """The tail is asked once, of all seeds together; a ratio of nothing is not asked."""
    plan = make_plan("split", snapshots=12, looks=LOOKS, iterations=15, seeds=(412, 512), in_turns=True)
    campaign = make_campaign(plan, after(3, plan))
    asked = [each for each in ratios(POLICY, campaign, LookPlan(LOOKS)) if "128" in each.name]
    assert [(each.kind, each.name) for each in asked] == [
        ("ratio", "auto:128"), ("latency", "auto:128"), ("ratio", "auto:128 seed 412"), ("ratio", "auto:128 seed 512"),
    ]  # fmt: skip
    unbounded = POLICY.model_copy(update={"split": POLICY.split.model_copy(update={"min_ratio": 0.0})})
    campaign = make_campaign(plan.model_copy(update={"min_rusticl_ratio": None}), after(3, plan))
    assert {each.kind for each in ratios(unbounded, campaign, LookPlan(LOOKS))} == {"latency"}


def test_a_baseline_in_another_unit_bounds_nothing_and_blocks() -> None:
    """GB/s cannot be held against GFLOPS; the finding says which is which."""
    other = pinned()
    rows = tuple(row.model_copy(update={"unit": "GB/s", "mean_gbs": 1.0, "mean_gflops": None}) for row in other.rows)
    finding = finding_of(verdict_of(after(12), baseline=other.model_copy(update={"rows": rows})), SLO)
    assert finding.status is CheckStatus.FAIL
    assert "GB/s" in finding.message


def test_a_certain_gain_against_the_baseline_is_said() -> None:
    """A fifth faster than what is pinned passes, and the finding names the change."""
    finding = finding_of(verdict_of(after(12, speed=lambda _case: 1.25), baseline=pinned()), SLO)
    assert finding.status is CheckStatus.PASS
    assert "against the baseline: " in finding.message
    assert "faster, certain" in finding.message


def test_a_cell_that_was_launched_from_two_sources_has_no_calibration() -> None:
    """Which of them the stored spread speaks of, nobody knows: the policy's assumption is taken."""
    known = ("clover", series(0.01)), ("rusticl", series(0.01))
    assert "calibration" in spread(*known).source
    records = calibrated(after(3, SPLIT), *known)
    place = next(at for at, each in enumerate(records) if isinstance(each, Measurement) and each.case.size == 128)
    records[place] = records[place].model_copy(update={"kernel_sha256": "b" * 64})
    assert "calibration" not in ratio_spread(POLICY, make_campaign(SPLIT, records), "auto", 128).source


def test_how_stable_a_run_was_is_told_where_it_was_asked() -> None:
    """By its trends and their errors; a run without a bound on its drift was not asked."""
    verdict = verdict_of(after(12))
    assert verdict.certainty is not None
    assert verdict.certainty.stable_within_percent == pytest.approx(10, abs=9)
    rails = POLICY.guardrails.model_copy(update={"max_abs_throughput_drift_percent": 1000.0})
    unasked = verdict_of(after(12), POLICY.model_copy(update={"guardrails": rails})).certainty
    assert unasked is not None
    assert unasked.stable_within_percent is None


def noisy(sd: float, seeds: tuple[int, ...] = SPLIT.seeds, *, is_calibrated: bool = True) -> float | None:
    """The noise of a run of four snapshots whose candidate scatters so, against a calibration of 0.4 %."""
    plan = SPLIT.model_copy(update={"seeds": seeds, "snapshots": 4, "looks": (3, 4)})
    off = (sd, -sd, sd, -sd)
    speed = lambda case: math.exp(off[case.snapshot - 1]) if case.platform == "rusticl" else 1.0  # noqa: E731
    names = ("clover", "rusticl") if is_calibrated else ()
    both = calibrated(after(4, plan, speed), *((name, series(0.004, size=n)) for name in names for n in (128, 256)))
    campaign = make_campaign(plan, both, created_at="2026-11-24T12:00:00+00:00")
    found = judge(POLICY, campaign).certainty
    assert found is not None
    return found.noise_ratio


def test_a_run_says_how_much_it_scatters_over_its_calibration() -> None:
    """Over all comparisons, whatever their number of seeds; where nothing is calibrated nothing is said."""
    calm = noisy(0.004)
    assert calm is not None
    assert calm < 2
    assert noisy(0.02) == pytest.approx(10 / math.sqrt(3), rel=0.1)
    assert noisy(0.02, (11, 412)) == pytest.approx(10 / math.sqrt(3), rel=0.15)
    assert noisy(0.02, is_calibrated=False) is None
    short = make_campaign(SPLIT, calibrated(after(2, SPLIT)), created_at="2026-11-24T12:00:00+00:00")
    assert noise_ratio(POLICY, short) is None
    assert noise_ratio(POLICY, make_campaign(WEEKLY, after(3))) is None


@pytest.mark.parametrize(("sd", "said"), [(0.05, None), (0.2, 4.6)])
def test_a_weekly_run_says_where_its_floors_scatter_by_more_than_is_assumed(sd: float, said: float | None) -> None:
    """Then its error rates are not those that it promises; within twice the assumed spread there is nothing to say."""
    off = (sd, -sd, sd, -sd)
    plan = make_plan(snapshots=4, looks=(3, 4), iterations=15)
    records = after(4, plan, lambda case: math.exp(off[case.snapshot - 1]))
    found = verdict_of(records, floor(1.0 / 0.7), plan).certainty
    assert found is not None
    assert found.noise_ratio == (said and pytest.approx(said, rel=0.05))


def test_lanes_that_agree_contradict_nothing() -> None:
    """Two healthy lanes of one variant pass, and nobody is told of noise."""
    plan = make_plan(snapshots=12, looks=LOOKS, iterations=15, kernels=("auto", "packed"))
    finding = finding_of(verdict_of(after(12, plan), plan=plan), DRIFT)
    assert finding.status is CheckStatus.PASS
    assert "contradict" not in finding.message


def test_without_a_spread_nobody_says_how_stable_a_run_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trend whose error cannot be told bounds nothing, whatever the others do."""
    campaign = make_campaign(WEEKLY, after(12))
    (first, *others) = of_kind(answers(POLICY, campaign), "trend")
    unknown = replace(first, asked=replace(first.asked, spread=None))
    monkeypatch.setattr("pytest_weekops.core.judge.looks.of_kind", lambda *_args: [*others, unknown])
    told = certainty(POLICY, campaign)
    assert told is not None
    assert told.stable_within_percent is None


@pytest.mark.parametrize("untried", UNTRIED)
def test_a_run_that_measured_nothing_claims_to_see_nothing(untried: MeasurementStatus) -> None:
    """Its platform failed the opening gate: no slowdown would have failed, and a long reason ends in dots."""
    reason = "the opening gate failed: " + 40 * "wrong "
    nothing = {"status": untried, "reason": reason, "sessions": ()}
    records = [r.model_copy(update=nothing) if isinstance(r, Measurement) else r for r in after(12)]
    verdict = verdict_of(records)
    assert verdict.certainty is not None
    assert verdict.certainty.resolution_percent is None
    assert verdict.exit_status is ExitStatus.INCONCLUSIVE
    message = finding_of(verdict, "all_runs_success").message
    assert message.endswith("wrong ...")
    assert len(message.partition("skipped: ")[2]) == 160
    seen = verdict_of(after(12)).certainty
    assert seen is not None
    assert seen.resolution_percent is not None
