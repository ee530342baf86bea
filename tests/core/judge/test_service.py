"""A weekly run beside the driver in service: ratios with three answers, and no promote without whole pairs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.judge.campaign import MissingBaseline
from pytest_weekops.core.judge.checks.partner import partner_beside
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Verdict
from pytest_weekops.core.judge.host_rules import beside_void_reason
from pytest_weekops.core.judge.looks import look_at
from pytest_weekops.core.judge.metrics import partner_pair_logs
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.driver_files import DriverFile, DriverListing
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
from pytest_weekops.core.measurement.records import (
    Case,
    LookRecord,
    Measurement,
    PartnerRecord,
    PartnerSamples,
    SessionSamples,
    Turns,
)
from pytest_weekops.core.measurement.schedule import expected_gates
from pytest_weekops.core.policy.policy import HostRules, Policy, Row
from pytest_weekops.policies.files import default_policy
from tests.core.judge.test_looks import calibrated, series
from tests.core.judge.test_verdict import POLICY, pinned
from tests.support.synthetic import (
    make_campaign,
    make_identity,
    make_measurement,
    make_plan,
    make_records,
    with_partner,
)
from tests.support.verdicts import finding_of

LOOKS = (3, 5, 8, 12)
SERVICE = Partner(label="old", role="service", asked="old@/lib/libold.so")
PLAN = make_plan(snapshots=12, looks=LOOKS, iterations=16, partner=SERVICE, sizes=(128,))
SLO, BESIDE, DRIFT, P95 = "per_kernel_size_slo", "partner_beside", "throughput_drift_abs_bound", "p95_evidence"
Change = Callable[[Measurement], Measurement]


def after(snapshots: int, ratio: float | Callable[[Case], float] = 1.0, plan: CampaignPlan = PLAN) -> list[Any]:
    """The records of a run of so many snapshots beside the driver in service; its speed over that driver's."""

    def speed(case: Case) -> float:
        under_test = case.platform != "old"
        return (ratio(case) if callable(ratio) else ratio) if under_test else 1.0

    records: list[Any] = [*make_records(plan.model_copy(update={"snapshots": snapshots}), speed=speed)]
    return [*records, LookRecord(snapshots=snapshots, ends=True)] if snapshots < plan.snapshots else records


def verdict_of(records: list[Any], policy: Policy = POLICY, plan: CampaignPlan = PLAN, **facts: Any) -> Verdict:
    """The judge's verdict."""
    return judge(policy, make_campaign(plan, records, **facts))


def changed(records: list[Any], change: Change, snapshot: int = 2) -> list[Any]:
    """Those records with every measurement of a snapshot changed."""
    return [change(r) if isinstance(r, Measurement) and r.case.snapshot == snapshot else r for r in records]


def turned(**update: Any) -> Change:
    """The record of turns changed."""

    def change(m: Measurement) -> Measurement:
        assert m.turns is not None
        return m.model_copy(update={"turns": m.turns.model_copy(update=update)})

    return change


def theirs(change: Callable[[SessionSamples], dict[str, Any]]) -> Change:
    """Each of the partner's sessions changed."""

    def whole(m: Measurement) -> Measurement:
        assert m.turns is not None
        assert m.turns.partner is not None
        sessions = tuple(s.model_copy(update=change(s)) for s in m.turns.partner.sessions)
        partner = m.turns.partner.model_copy(update={"sessions": sessions})
        return turned(partner=partner)(m)

    return whole


def as_another(m: Measurement) -> Measurement:
    """Its turns were those of a driver in another file."""
    assert m.turns is not None
    assert m.turns.partner is not None
    return turned(partner=m.turns.partner.model_copy(update={"library_sha256": "1" * 64}))(m)


# -- three answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "snapshots", "status", "exit_status"),
    [(1.2, 3, "pass", 0), (0.95, 12, "inconclusive", 11), (0.8, 12, "fail", 1)],
)
def test_speed_is_a_ratio_to_the_driver_in_service(ratio: float, snapshots: int, status: str, exit_status: int) -> None:
    """Clear on either side, open at the share that a pinned baseline would ask for; nothing absolute is asked."""
    verdict = verdict_of(after(snapshots, ratio))
    finding = finding_of(verdict, SLO)
    assert finding.status.value == status, finding.message
    assert verdict.exit_status == exit_status, verdict.failed_checks
    facts = next(each for each in finding.details if each["asked"] == "service")
    assert math.exp(facts["estimate"]) == pytest.approx(ratio, rel=0.01)
    if status != "pass":
        assert "of old's speed" in finding.message
    assert verdict.certainty is not None
    assert verdict.certainty.bounded == 1


def test_a_host_that_halves_both_sides_changes_nothing() -> None:
    """As slow as it is in the last snapshots, so is the driver beside it: neither a floor nor a drift speaks of it."""

    def speed(case: Case) -> float:
        return 0.4 if case.snapshot > 8 else 1.0

    records = [*make_records(PLAN, speed=speed)]
    verdict = verdict_of(records)
    assert verdict.decision is Decision.PROMOTE, [f.message for f in verdict.findings if f.status != "pass"]
    alone = make_plan(snapshots=12, looks=LOOKS, iterations=16, sizes=(128,))
    bare = verdict_of([*make_records(alone, speed=speed)], plan=alone)
    assert finding_of(bare, DRIFT).status is CheckStatus.FAIL


def test_a_driver_that_falls_beside_a_steady_one_is_a_drift() -> None:
    """Half of its speed in two snapshots, and the partner's was the same."""
    verdict = verdict_of(after(12, lambda case: 0.4 if case.snapshot in (6, 9) else 1.0))
    assert finding_of(verdict, DRIFT).status is CheckStatus.FAIL


def test_a_p95_beyond_that_of_the_driver_in_service_fails() -> None:
    """The median is the same, one launch in eight takes three times as long."""

    def tail(m: Measurement) -> Measurement:
        sessions = tuple(
            s.model_copy(update={"wall_ns": tuple(ns * (1 + 2 * (i % 8 == 0)) for i, ns in enumerate(s.wall_ns))})
            for s in m.sessions
        )
        return m.model_copy(update={"sessions": sessions})

    records = [tail(r) if isinstance(r, Measurement) else r for r in after(12)]
    finding = finding_of(verdict_of(records), SLO)
    assert finding.status is CheckStatus.FAIL
    assert "of old's above 1.08" in finding.message


def test_a_certain_change_is_said_against_whom() -> None:
    """Ten times what is assumed to be noise, and inside of the share."""
    narrow = POLICY.model_copy(update={"evidence": POLICY.evidence.model_copy(update={"assumed_sd_percent": 0.5})})
    message = finding_of(verdict_of(after(3, 1.2), narrow), SLO).message
    assert re.search(r"against old: pocl auto:128 (19|20)\.\d % faster, certain", message)


@pytest.mark.parametrize(
    ("snapshots", "speed", "said"),
    [
        (12, lambda _snapshot: 0.98, r"2\.\d % slower, certain by the ranks of 12 snapshots"),
        (12, lambda _snapshot: 1.03, r"2\.\d % faster, certain by the ranks of 12 snapshots"),
        (8, lambda _snapshot: 0.98, None),
        (12, lambda snapshot: 0.95 if snapshot < 7 else 0.97, r"\d\.\d % slower, certain"),
        (12, lambda snapshot: 0.98 if snapshot % 2 else 1.02, None),
    ],
)
def test_what_an_assumed_spread_hides_the_ranks_say(
    snapshots: int, speed: Callable[[int], float], said: str | None
) -> None:
    """Two percent in each snapshot are a change, in what is open too; in eight, or up and down, none."""
    finding = finding_of(verdict_of(after(snapshots, lambda case: speed(case.snapshot))), SLO)
    found = re.search(r"\d+\.\d % (slower|faster), certain[^;)]*", finding.message)
    assert (found is None) == (said is None)
    if said is not None and found is not None:
        assert re.fullmatch(said, found[0])


@pytest.mark.parametrize(
    ("slower", "snapshots", "status"),
    [(0.0, 5, "inconclusive"), (0.0, 8, "pass"), (0.008, 12, "pass"), (0.013, 12, "inconclusive")],
)
def test_two_percent_slower_than_the_driver_in_service_stays_open(slower: float, snapshots: int, status: str) -> None:
    """Under the shipped policy, uncalibrated; what is as fast passes after eight, and 1 % slower after twelve."""
    shipped = default_policy()
    finding = finding_of(verdict_of(after(snapshots, 1.0 - slower), shipped), SLO)
    assert finding.status.value == status, finding.message
    two = verdict_of(after(12, 0.98), shipped)
    assert two.exit_status == 11
    assert "certain by the ranks of 12 snapshots) is not certainly 0.96 or more" in finding_of(two, SLO).message


def test_a_policy_without_a_share_for_the_driver_in_service_asks_the_baselines() -> None:
    """1.5 % slower promote at 0.95, as in runs from before the key; a stricter share for baselines holds here too."""
    assert POLICY.floors.min_share_of_service_gflops is None
    assert finding_of(verdict_of(after(12, 0.985)), SLO).status is CheckStatus.PASS
    strict = POLICY.model_copy(
        update={"floors": POLICY.floors.model_copy(update={"min_share_of_baseline_gflops": 0.99})}
    )
    assert finding_of(verdict_of(after(12, 0.985), strict), SLO).status is CheckStatus.INCONCLUSIVE
    assert "min_share_of_service_gflops" not in POLICY.effective()["floors"]


def test_a_calibration_of_both_drivers_decides_what_an_assumed_spread_leaves_open() -> None:
    """0.98 against 0.95 after three snapshots."""
    records = after(3, 0.98)
    assert finding_of(verdict_of(records), SLO).status is CheckStatus.INCONCLUSIVE
    sourced = [turned_source(r) if isinstance(r, Measurement) else r for r in records]
    both = calibrated(sourced, *((name, series(0.004)) for name in ("pocl", "old")))
    found = judge(POLICY, make_campaign(PLAN, both, created_at="2026-11-24T12:00:00+00:00"))
    assert finding_of(found, SLO).status is CheckStatus.PASS
    assert found.certainty is not None
    assert found.certainty.stable_within_percent is not None
    assert found.certainty.stable_within_percent < 5  # and a drift is as sure
    mixed = changed(both, as_of_two_sources)
    found = judge(POLICY, make_campaign(PLAN, mixed, created_at="2026-11-24T12:00:00+00:00"))
    assert finding_of(found, SLO).status is CheckStatus.INCONCLUSIVE
    one = calibrated(sourced, ("pocl", series(0.004)))
    found = judge(POLICY, make_campaign(PLAN, one, created_at="2026-11-24T12:00:00+00:00"))
    assert finding_of(found, SLO).status is CheckStatus.INCONCLUSIVE


def as_of_two_sources(m: Measurement) -> Measurement:
    """What its partner launched was made of another source than in the other snapshots."""
    assert m.turns is not None
    assert m.turns.partner is not None
    return turned(partner=m.turns.partner.model_copy(update={"kernel_sha256": "b" * 64}))(m)


def turned_source(m: Measurement) -> Measurement:
    """What its partner launched was made of the source that is calibrated."""
    assert m.turns is not None
    assert m.turns.partner is not None
    return turned(partner=m.turns.partner.model_copy(update={"kernel_sha256": "a" * 64}))(m)


# -- no pairs, no promote ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (turned(broken_off="old: crashed: SIGSEGV"), "old: crashed: SIGSEGV"),
        (turned(partner=None), "0 of at least 32 calm pairs"),
        (lambda m: m.model_copy(update={"turns": None}), "measured without turns"),
        (theirs(lambda _s: {"verified": False}), "0 of at least 32 calm pairs"),
        (theirs(lambda s: {"wall_ns": s.wall_ns[:-1]}), "0 of at least 32 calm pairs"),
        (theirs(lambda s: {"wall_ns": (0, *s.wall_ns[1:])}), "0 of at least 32 calm pairs"),
        (theirs(lambda s: {"session": s.session + 1}), "0 of at least 32 calm pairs"),
        (theirs(lambda _s: {"delay_ns": None}), "0 of at least 32 calm pairs"),
        (theirs(lambda s: {"delay_ns": (10**9, *(s.delay_ns or ())[1:])}), "30 of at least 32 calm pairs"),
        (turned(order=("ABBA" * 8,)), "0 of at least 32 calm pairs"),
        (turned(order=("ABBA" * 7,) * 2), "0 of at least 32 calm pairs"),
    ],
)
def test_a_case_without_pairs_is_no_data(change: Change, words: str) -> None:
    """What became of the driver in service is no fault of the one under test, and no evidence for it either."""
    verdict = verdict_of(changed(after(3, 1.2), change))
    finding = finding_of(verdict, BESIDE)
    assert (finding.status, finding.reason_code) == (CheckStatus.NO_DATA, "missing_pairs")
    assert words in finding.message
    assert verdict.exit_status == 11, verdict.failed_checks


def test_nothing_at_all_beside_it_is_no_data_and_bounds_nothing() -> None:
    """Each snapshot lost its pairs: no question is asked, no row of the partner stands in the table."""
    records = [turned(broken_off="old: lost")(r) if isinstance(r, Measurement) else r for r in after(3, 1.2)]
    verdict = verdict_of(records)
    assert BESIDE in verdict.inconclusive_checks
    assert [row.get("partner") for row in verdict.rows] == [None]


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([r for r in after(3) if not isinstance(r, PartnerRecord)], "no_identity"),
        ([PartnerRecord(label="old", role="service", identity=make_identity("old")), *after(3)], "no_identity"),
        (
            [PartnerRecord(label="old", role="reference", identity=make_identity("old")), *after(3)[1:]],
            "no_identity",
        ),
        (changed(after(3), as_another), "another_driver"),
    ],
    ids=["nobody", "two", "another role", "another library"],
)
def test_who_was_beside_it_must_be_known_and_the_same(records: list[Any], code: str) -> None:
    """A ratio to nobody, or to two drivers, is none."""
    verdict = verdict_of(records)
    assert finding_of(verdict, BESIDE).reason_code == code
    assert verdict.exit_status == 11, verdict.failed_checks


def test_a_partner_whose_files_change_is_no_data_and_no_fault_of_the_driver_under_test() -> None:
    """The check on the driver's own files does not speak of it."""
    before = DriverListing(platform="old", files=(DriverFile(path="/lib/libold.so", sha256="a" * 64),))
    now = DriverListing(
        platform="old", files=(DriverFile(path="/lib/libold.so", sha256="b" * 64),), after=before.digest
    )
    verdict = verdict_of([before, now, *after(3)])
    assert "libold.so" in finding_of(verdict, BESIDE).message
    assert finding_of(verdict, "one_driver").reason_code != "changed"
    mine = [each.model_copy(update={"platform": "pocl"}) for each in (before, now)]
    assert finding_of(verdict_of([*mine, *after(3)]), "one_driver").reason_code == "changed"


def as_itself(*own: DriverFile) -> list[Any]:
    """A run whose partner answered from the library of the driver under test; each has a compiler beside it."""
    library, compiler = (DriverFile(path=f"/lib/{name}", sha256="c" * 64) for name in ("libpocl.so", "libLLVM.so.1"))
    listings = [DriverListing(platform="old", files=(library, compiler))]
    listings.append(DriverListing(platform="pocl", files=(library, *(own or (compiler,)))))
    records: list[Any] = []
    for r in after(3, 1.2):
        if isinstance(r, PartnerRecord):
            records.append(r.model_copy(update={"identity": make_identity("old")}))
        elif isinstance(r, Measurement):
            assert r.turns is not None
            assert r.turns.partner is not None
            theirs = r.turns.partner.model_copy(update={"library_sha256": "0" * 64})
            digest = listings[1].digest
            records.append(turned(partner=theirs)(r).model_copy(update={"driver_files": digest}))
        else:
            records.append(r)
    return [*listings, *records]


def test_a_driver_beside_itself_is_compared_with_nobody() -> None:
    """An ICD file that leads to the new library makes each ratio one; another compiler alone is another driver."""
    verdict = verdict_of(as_itself())
    assert finding_of(verdict, BESIDE).reason_code == "same_driver"
    assert verdict.exit_status == 11, verdict.failed_checks
    other = verdict_of(as_itself(DriverFile(path="/lib/libLLVM.so.1", sha256="d" * 64)))
    assert finding_of(other, BESIDE).status is CheckStatus.PASS, finding_of(other, BESIDE).message
    assert other.decision is Decision.PROMOTE, other.failed_checks


# -- what stands beside it ---------------------------------------------------------------------------------------------


def test_a_row_of_the_policy_is_asked_all_the_same() -> None:
    """It says what must hold whatever is measured; beside a slow driver a slow one would do else."""
    strict = POLICY.model_copy(update={"rows": {"auto:128": Row(min_avg_gflops=10**6)}})
    assert finding_of(verdict_of(after(12), strict), SLO).status is CheckStatus.FAIL


def test_a_baseline_in_the_records_is_asked_all_the_same() -> None:
    """The run would not have taken one along; who finds one there is held against both."""
    slow = verdict_of(after(12, lambda _case: 0.5), baseline=pinned())
    kinds = {each["asked"] for each in finding_of(slow, SLO).details}
    assert {"service", "baseline"} <= kinds


def test_the_table_shows_the_partner_as_what_it_is() -> None:
    """Beside each cell, not judged, with the ratio in words; the verdict's notes say who it was."""
    verdict = verdict_of(after(3, 1.2))
    mine, other = verdict.rows
    assert (mine["platform"], mine["status"]) == ("pocl", "pass")
    assert (other["platform"], other["partner"], other["status"]) == ("old", "service", "beside")
    assert "the driver in service: pocl has 1." in other["limits"]
    assert any("old (old 1, 555555555555) took turns" in note for note in verdict.notes)
    assert not any("No baseline" in note for note in verdict.notes)
    assert finding_of(verdict, "baseline_usable").message.startswith("speed is held against old")


def test_a_partner_that_would_be_nobodys_is_refused() -> None:
    """A split has its own two sides, a run without looks no questions, and no driver is its own partner."""
    for facts in ({"kind": "split"}, {"looks": ()}, {"partner": Partner(label="pocl", role="service")}):
        with pytest.raises(ValidationError, match=r"partner|and this is none"):
            make_plan(**{"snapshots": 12, "looks": LOOKS, "partner": SERVICE, **facts})  # type: ignore[arg-type]


def test_a_run_without_a_partner_is_not_asked_about_one() -> None:
    """Its findings are what they were before there were partners; asked all the same, the check has nothing to say."""
    alone = make_plan(snapshots=12, looks=LOOKS, iterations=16, sizes=(128,))
    campaign = make_campaign(alone, make_records(alone.model_copy(update={"snapshots": 3})))
    assert BESIDE not in {finding.check for finding in judge(POLICY, campaign).findings}
    assert partner_beside(POLICY, campaign).status is CheckStatus.PASS


def test_a_look_knows_the_partner() -> None:
    """What is clear after three snapshots ends there; at the share it goes on."""
    for ratio, ends in ((1.2, True), (0.95, False)):
        records = [r for r in after(3, ratio) if not isinstance(r, LookRecord)]
        found = look_at(POLICY, make_campaign(PLAN, records), 3)
        assert found.ends is ends, found.open


def test_launches_of_both_sides_at_one_time_contradict_the_clocks() -> None:
    """The partner's launches are intervals of the same measurement."""
    records = after(3)
    first = next(r for r in make_campaign(PLAN, records).records if isinstance(r, Measurement))
    starts = [s.start_ns for s in first.sessions]

    def overlapping(m: Measurement) -> Measurement:
        assert m.turns is not None
        assert m.turns.partner is not None
        theirs = tuple(
            s.model_copy(update={"start_ns": mine}) for s, mine in zip(m.turns.partner.sessions, starts, strict=True)
        )
        return turned(partner=m.turns.partner.model_copy(update={"sessions": theirs}))(m)

    finding = finding_of(verdict_of(changed(records, overlapping, snapshot=1)), "clocks_agree")
    assert finding.reason_code == "overlap"


def test_too_few_calm_pairs_are_void_blind_to_the_times() -> None:
    """As in a split: disturbed launches of either side, and stolen time."""
    m = with_partner(make_measurement(next(iter(PLAN.cases(1))), plan=PLAN), PLAN)
    assert not beside_void_reason(m, PLAN, HostRules())
    waited = theirs(lambda s: {"delay_ns": (10**9,) * len(s.wall_ns)})(m)
    assert beside_void_reason(waited, PLAN, HostRules()) == (
        "the host was busy with other programs: 100 % of the 32 pairs of turns were disturbed"
    )
    stolen = m.model_copy(update={"host": HostCondition(steal_percent=9.0)})
    assert "stolen" in beside_void_reason(stolen, PLAN, HostRules())
    assert len(partner_pair_logs(m, PLAN)) == 32
    assert partner_pair_logs(m, PLAN.model_copy(update={"partner": None})) == []


def test_an_anchor_that_moved_voids_no_pairs() -> None:
    """The host did it to both sides; a measurement by itself is held to it as before."""
    moved = HostCondition(anchor_before_ms=10.0, anchor_after_ms=15.0, steal_percent=0.0)
    records = [r.model_copy(update={"host": moved}) if isinstance(r, Measurement) else r for r in after(3, 1.2)]
    assert verdict_of(records).decision is Decision.PROMOTE
    alone = changed(records, lambda m: m.model_copy(update={"turns": None}))
    assert finding_of(verdict_of(alone), "host_stable").reason_code == "host_moved"


def test_a_cell_without_a_row_is_bounded_by_the_driver_in_service() -> None:
    """Where nothing waives it, a weekly run by itself would have no limit on it."""
    bare = POLICY.model_copy(update={"floors": POLICY.floors.model_copy(update={"waiver": ""})})
    assert finding_of(verdict_of(after(3, 1.2), bare), "sizes_covered").status is CheckStatus.PASS


def test_a_weak_share_is_said() -> None:
    """A floor of a tenth of the driver in service bounds next to nothing, and a pin that stands aside is named."""
    weak = POLICY.model_copy(update={"floors": POLICY.floors.model_copy(update={"min_share_of_baseline_gflops": 0.1})})
    missing = MissingBaseline(platform="pocl", run_id="weekly-1", profile="pocl", hardware="a processor x 2", record=3)
    verdict = verdict_of(after(3, 1.2), weak, missing_baselines=(missing,))
    assert any(words.startswith("floors.min_share_of_baseline_gflops 0.1") for words in verdict.left_out)
    assert "the pinned baseline (run weekly-1): speed is held against old instead" in verdict.left_out
    assert verdict.decision is Decision.PROMOTE


def test_two_platforms_have_the_partner_beside_each() -> None:
    """The table says beside whom."""
    plan = PLAN.model_copy(update={"platforms": ("pocl", "rusticl")})
    plan = CampaignPlan.model_validate({**plan.model_dump(), "gates": expected_gates(plan)})
    verdict = verdict_of(after(3, 1.2, plan), plan=plan)
    assert verdict.decision is Decision.PROMOTE, verdict.failed_checks
    assert [row["limits"].split(",")[0] for row in verdict.rows if row.get("partner")] == [
        "beside pocl",
        "beside rusticl",
    ]


def test_samples_of_a_partner_name_their_driver() -> None:
    """A record of turns without a partner's platform is no record."""
    with pytest.raises(ValidationError):
        Turns(letter="B", order=(), partner=PartnerSamples.model_validate({"platform": "old"}))
