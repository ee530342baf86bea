"""A weekly run beside the reference driver, and baselines of another machine: what a pin is worth, and when nothing."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from pytest_weekops.core.judge.beside import shares_beside, stands_beside
from pytest_weekops.core.judge.campaign import Baseline, BaselineRow, Campaign, PinnedBeside
from pytest_weekops.core.judge.finding import CheckStatus, Decision
from pytest_weekops.core.judge.looks import look_at
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, LookRecord, Measurement, PartnerRecord
from tests.core.judge.test_service import LOOKS, turned
from tests.core.judge.test_verdict import POLICY
from tests.support.synthetic import PARTNERS_LIBRARY, STARTED, make_campaign, make_identity, make_plan, make_records
from tests.support.verdicts import finding_of

PLAN = make_plan(
    snapshots=12, looks=LOOKS, iterations=20, sizes=(128,), partner=Partner(label="reference", role="reference")
)
CELL = ("pocl", "auto", 128)
SLO, DRIFT, BESIDE = "per_kernel_size_slo", "throughput_drift_abs_bound", "partner_beside"
OTHER = "e" * 64  # the library of the driver under test: not the reference's


def campaign(
    snapshots: int = 3,
    ratio: float = 1.0,
    *,
    host: float = 1.0,
    baseline: Baseline | None = None,
    library: str = OTHER,
    environment: dict[str, str] | None = None,
    plan: Any = PLAN,
) -> Campaign:
    """A run of so many snapshots on a host of that speed; ``ratio`` is the driver's speed over its usual one."""

    def speed(case: Case) -> float:
        return host * (1.0 if case.platform == "reference" else ratio)

    mine = make_identity("pocl").model_copy(update={"library_sha256": library})
    records: list[Any] = []
    for record in make_records(plan.model_copy(update={"snapshots": snapshots}), speed=speed):
        changed: Any = record
        if isinstance(record, Measurement):
            changed = record.model_copy(update={"identity": mine})
        if isinstance(record, PartnerRecord) and environment:
            changed = record.model_copy(
                update={"identity": record.identity.model_copy(update={"environment": environment})}
            )
        records.append(changed)
    if snapshots < 12:
        records.append(LookRecord(snapshots=snapshots, ends=True))
    found = make_campaign(plan, records, baseline=baseline, created_at=STARTED)
    return Campaign(**{**found.__dict__, "identities": {"pocl": mine}}) if library else found


def pin(of: Campaign, **identity: Any) -> Baseline:
    """A baseline of that run."""
    beside = stands_beside(of, CELL)
    mean = sum(row.mean_gflops for row in of.good[CELL]) / len(of.good[CELL])
    row = BaselineRow(kernel="auto", size=128, mean_gflops=mean, p95_ms=0.131, anchor_ms=10.05, beside=beside)
    return Baseline(
        profile="pocl",
        hardware="a processor x 2",
        run_id="weekly-pinned",
        created_at=STARTED,
        source_sha256="f" * 64,
        rows=(row,),
        identity=make_identity("pocl").model_copy(update=identity),
    )


@pytest.mark.parametrize(
    ("ratio", "snapshots", "status"), [(1.2, 3, "pass"), (0.95, 12, "inconclusive"), (0.8, 12, "fail")]
)
def test_a_pin_holds_on_a_busy_day(ratio: float, snapshots: int, status: str) -> None:
    """The host has half of its speed and the anchor says nothing of it: beside the reference all is as it was."""
    busy = campaign(snapshots, ratio, host=0.5, baseline=pin(campaign()))
    finding = finding_of(judge(POLICY, busy), SLO)
    assert finding.status.value == status, finding.message
    facts = next(each for each in finding.details if each["asked"] == "baseline")
    assert "beside the reference driver" in facts["bound"]
    assert math.exp(facts["estimate"]) == pytest.approx(ratio, rel=0.01)
    p95 = next(each for each in finding.details if each["asked"] == "p95")
    assert p95["bound"] == "p95 at most 1.081 of the reference driver's (1.08 times the baseline's 1.000)"


def stalled(found: Campaign, *, mine: bool, theirs: bool, snapshots: int = 12) -> Campaign:
    """One launch in ten of those sides takes twice as long, in so many of the snapshots."""

    def slower(sessions: Any) -> Any:
        return tuple(
            s.model_copy(update={"wall_ns": (*s.wall_ns[:-2], *(2 * w for w in s.wall_ns[-2:]))}) for s in sessions
        )

    records: list[Any] = []
    for record in found.records:
        changed: Any = record
        if isinstance(record, Measurement) and record.case.snapshot <= snapshots:
            assert record.turns is not None
            assert record.turns.partner is not None
            partner = record.turns.partner
            partner = partner.model_copy(update={"sessions": slower(partner.sessions) if theirs else partner.sessions})
            turns = record.turns.model_copy(update={"partner": partner})
            sessions = slower(record.sessions) if mine else record.sessions
            changed = record.model_copy(update={"turns": turns, "sessions": sessions})
        records.append(changed)
    return dataclasses.replace(found, records=tuple(records))


def p95_answer(found: Campaign) -> str:
    """What p95 against the baseline ended in."""
    finding = finding_of(judge(POLICY, found), SLO)
    return str(next(each["answer"] for each in finding.details if each["asked"] == "p95"))


@pytest.mark.parametrize(
    ("mine", "theirs", "answer"), [(False, False, "pass"), (True, True, "pass"), (True, False, "fail")]
)
def test_what_stalls_both_is_the_hosts(mine: bool, theirs: bool, answer: str) -> None:
    """The reference's launches are as long at their 95 %; those of the driver alone are its own doing."""
    pinned = pin(campaign())
    assert p95_answer(stalled(campaign(12, baseline=pinned), mine=mine, theirs=theirs)) == answer
    assert pinned.rows[0].beside is not None
    old = pinned.rows[0].model_copy(update={"beside": pinned.rows[0].beside.model_copy(update={"log_p95": None})})
    by_ms = stalled(campaign(12, baseline=pinned.model_copy(update={"rows": (old,)})), mine=mine, theirs=theirs)
    assert p95_answer(by_ms) == ("fail" if mine else "pass")


def test_one_stalled_snapshot_makes_no_pin_wider() -> None:
    """Of three, the driver's own launches were stalled in one: the pin is that of the other two."""
    usual = campaign()
    logs = [pin(each).rows[0].beside for each in (usual, stalled(usual, mine=True, theirs=False, snapshots=1))]
    assert [each.log_p95 == pytest.approx(0.0, abs=0.01) for each in logs if each is not None] == [True, True]
    twice = stands_beside(stalled(usual, mine=True, theirs=False, snapshots=2), CELL)
    assert twice is not None
    assert twice.log_p95 == pytest.approx(math.log(2.0), abs=0.05)


def test_without_the_reference_a_slow_host_is_a_slow_driver() -> None:
    """What the ratio is for: the same numbers by the anchor alone fail."""
    alone = PLAN.model_copy(update={"partner": None})
    finding = finding_of(judge(POLICY, campaign(12, host=0.5, baseline=pin(campaign()), plan=alone)), SLO)
    assert finding.status is CheckStatus.FAIL


def pinned_on_a_slow_host() -> Baseline:
    """A pin of the usual speed, whose host took twice as long for its own work."""
    usual = pin(campaign())
    row = usual.rows[0].model_copy(update={"anchor_ms": 20.1, "beside": None})
    return usual.model_copy(update={"rows": (row,)})


def test_what_only_the_hosts_clock_shows_is_open() -> None:
    """As fast as it was, on a host that is twice as fast: half of it over that clock, which fails nobody by itself."""
    alone = PLAN.model_copy(update={"partner": None})
    verdict = judge(POLICY, campaign(12, baseline=pinned_on_a_slow_host(), plan=alone))
    finding = finding_of(verdict, SLO)
    assert finding.status is CheckStatus.INCONCLUSIVE, finding.message
    assert "0.499 of the baseline's throughput, anchor-normalised, below the 0.95 needed, and not as" in finding.message
    assert "the host ran at 2 times the speed it had" in finding.message
    assert "--against PROFILE[@PATH], or --reference-driver on" in finding.message
    assert "certain" not in finding.message
    assert "would decide" not in finding.message
    assert verdict.exit_status == 11
    facts = {each["asked"]: each["answer"] for each in finding.details}
    assert facts == {"baseline": "inconclusive", "p95": "inconclusive"}


def test_what_both_witnesses_show_fails() -> None:
    """Half as fast as it was by any clock."""
    alone = PLAN.model_copy(update={"partner": None})
    finding = finding_of(judge(POLICY, campaign(12, 0.5, baseline=pinned_on_a_slow_host(), plan=alone)), SLO)
    assert finding.status is CheckStatus.FAIL
    assert "0.250 of the baseline's throughput, anchor-normalised, below the 0.95 needed, certain" in finding.message


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"POCL_MAX_PTHREAD_COUNT": "1"}},
        {"library": PARTNERS_LIBRARY},
    ],
    ids=["led otherwise", "the reference itself"],
)
def test_a_ratio_that_would_hide_a_slowdown_is_not_used(change: dict[str, Any]) -> None:
    """One thread for both, or the reference driver itself under test: each ratio is one at half the speed."""
    found = campaign(12, host=0.5, baseline=pin(campaign()), **change)
    assert shares_beside(found, CELL, found.baselines[0].rows[0]) is None
    assert judge(POLICY, found).decision is Decision.ITERATE


def test_the_reference_driver_under_test_tells_the_machine_and_not_itself() -> None:
    """The same files as when it was pinned, half as fast: that is another machine, and no floor decides there."""
    found = campaign(12, host=0.5, baseline=pin(campaign(library=PARTNERS_LIBRARY)), library=PARTNERS_LIBRARY)
    finding = finding_of(judge(POLICY, found), SLO)
    assert finding.status is CheckStatus.INCONCLUSIVE
    assert "% longer than when it was pinned" in finding.message
    assert "--against PROFILE[@PATH] decides here" in finding.message
    same = campaign(3, 1.2, host=1.02, baseline=pin(campaign(library=PARTNERS_LIBRARY)), library=PARTNERS_LIBRARY)
    assert finding_of(judge(POLICY, same), SLO).status is CheckStatus.PASS


@pytest.mark.parametrize("ratio", [1.2, 0.5])
def test_a_pin_of_another_host_decides_nothing(ratio: float) -> None:
    """Neither pass nor fail, however far off; it says where it is from, and what would decide."""
    found = campaign(3, ratio, baseline=pin(campaign(), host="another"))
    verdict = judge(POLICY, found)
    finding = finding_of(verdict, SLO)
    assert finding.status is CheckStatus.INCONCLUSIVE
    assert "pinned on host another, and this is host" in finding.message
    assert "--against" in finding.message
    assert "certain" not in finding.message
    assert verdict.exit_status == 11
    assert verdict.certainty is not None
    assert verdict.certainty.would_decide is None


def test_a_run_does_not_wait_for_what_no_snapshot_decides() -> None:
    """It ends where all else is clear."""
    found = campaign(3, 1.2, baseline=pin(campaign(), host="another"))
    records = [r for r in found.records if not isinstance(r, LookRecord)]
    whole = Campaign(**{**found.__dict__, "records": tuple(records), "plan": PLAN})
    assert look_at(POLICY, whole, 3).ends


@pytest.mark.parametrize(
    "beside",
    [None, PinnedBeside(driver="another", log_ratio=0.0, median_ms=1.0)],
    ids=["pinned without", "another driver"],
)
def test_a_pin_beside_nobody_or_somebody_else_is_asked_by_the_anchor(beside: PinnedBeside | None) -> None:
    """As before there was a reference."""
    pinned = pin(campaign())
    row = pinned.rows[0].model_copy(update={"beside": beside})
    found = campaign(3, 1.2, baseline=pinned.model_copy(update={"rows": (row,)}))
    facts = finding_of(judge(POLICY, found), SLO).details
    assert "anchor-normalised" in next(each["bound"] for each in facts if each["asked"] == "baseline")


@pytest.mark.parametrize("numbers", [{"log_ratio": math.nan}, {"median_ms": 0.0}, {"median_ms": math.inf}])
def test_numbers_that_are_none_are_not_compared(numbers: dict[str, float]) -> None:
    """A pin is read from a file."""
    pinned = pin(campaign())
    beside = pinned.rows[0].beside
    assert beside is not None
    row = pinned.rows[0].model_copy(update={"beside": beside.model_copy(update=numbers)})
    assert shares_beside(campaign(), CELL, row) is None


def test_what_lost_its_partner_is_judged_as_without() -> None:
    """One snapshot alone: drift by its own times, no ratio to pin; the check says so and blocks nothing."""
    found = campaign(3, 1.2)
    records = [
        turned(broken_off="reference: lost")(r) if isinstance(r, Measurement) and r.case.snapshot == 2 else r
        for r in found.records
    ]
    lost = Campaign(**{**found.__dict__, "records": tuple(records)})
    lost.__dict__.pop("good", None)
    assert stands_beside(lost, CELL) is None
    verdict = judge(POLICY, lost)
    assert finding_of(verdict, BESIDE).status is CheckStatus.PASS
    assert "beside 2 of 3 measurements" in finding_of(verdict, BESIDE).message
    assert verdict.decision is Decision.PROMOTE


def test_two_kernels_of_the_reference_are_no_clock() -> None:
    """It launched another variant in one snapshot."""
    found = campaign(3)
    records: list[Any] = []
    for r in found.records:
        if isinstance(r, Measurement) and r.case.snapshot == 2:
            assert r.turns is not None
            assert r.turns.partner is not None
            records.append(turned(partner=r.turns.partner.model_copy(update={"variant": "block"}))(r))
        else:
            records.append(r)
    assert stands_beside(make_campaign(PLAN, records), CELL) is None


def test_a_reference_is_no_driver_in_service() -> None:
    """Nothing is asked against it: without a baseline speed is not bounded, and the note says what it was."""
    verdict = judge(POLICY, campaign(3, 0.5))
    assert verdict.decision is Decision.PROMOTE
    assert verdict.certainty is not None
    assert verdict.certainty.bounded == 0
    assert any("as the reference driver, a clock" in note for note in verdict.notes)
    assert any("the reference driver: pocl has 0.50" in str(row["limits"]) for row in verdict.rows)


def test_a_drift_of_the_host_is_none_beside_the_reference() -> None:
    """It loses half of its speed over the window, and so does the clock."""

    def speed(case: Case) -> float:
        return float(0.5 ** ((case.snapshot - 1) / 11))

    verdict = judge(POLICY, make_campaign(PLAN, make_records(PLAN, speed=speed)))
    assert finding_of(verdict, DRIFT).status is CheckStatus.PASS, finding_of(verdict, DRIFT).message
    assert verdict.rows[0]["drift_percent"] == pytest.approx(0.0, abs=1.0)


def test_a_pin_by_another_clock_is_said() -> None:
    """Its floors go by the host's clock then, which readers have to know; the same clock says nothing."""
    usual = pin(campaign())
    assert usual.rows[0].beside is not None
    other = usual.rows[0].beside.model_copy(update={"driver": "0" * 64})
    for beside, is_said in ((usual.rows[0].beside, False), (other, True), (None, False)):
        row = usual.rows[0].model_copy(update={"beside": beside})
        verdict = judge(POLICY, campaign(12, baseline=usual.model_copy(update={"rows": (row,)})))
        words = "pocl: its baseline was pinned beside another reference driver"
        assert any(note.startswith(words) for note in verdict.notes) is is_said


# -- one that took no turns --------------------------------------------------------------------------------------------

MAY = PLAN.model_copy(update={"partner": Partner(label="reference", role="reference", required=False)})
ELSEWHERE = make_identity("reference").model_copy(update={"hardware": "a GPU", "library_sha256": PARTNERS_LIBRARY})


def beside_nobody(plan: Any = MAY, identity: DeviceIdentity = ELSEWHERE) -> Campaign:
    """A healthy run whose reference driver stood aside."""
    alone = campaign(plan=plan.model_copy(update={"partner": None}))
    planned = alone.plan.model_copy(update={"partner": plan.partner})  # it has as many snapshots as were taken
    aside = PartnerRecord(label="reference", role=plan.partner.role, identity=identity, aside="it is on a GPU")
    return Campaign(**{**alone.__dict__, "plan": planned, "records": (aside, *alone.records)})


def test_a_reference_that_stood_aside_is_no_missing_evidence() -> None:
    """It was not asked for, and no driver under test is on its device; the verdict says that there was none."""
    verdict = judge(POLICY, beside_nobody())
    assert verdict.decision is Decision.PROMOTE, verdict.failed_checks
    assert finding_of(verdict, BESIDE).message == "reference stood aside: it is on a GPU"
    assert "the reference driver took no turns: it is on a GPU" in verdict.notes


@pytest.mark.parametrize(
    "found",
    [
        beside_nobody(PLAN),
        beside_nobody(identity=make_identity("pocl")),
        beside_nobody(MAY.model_copy(update={"partner": Partner(label="reference", role="service", required=False)})),
    ],
    ids=["it was asked for", "on the same device", "the driver in service"],
)
def test_who_had_to_be_there_does_not_stand_aside(found: Campaign) -> None:
    """Whatever the record says: what the plan has to be held against is missing."""
    verdict = judge(POLICY, found)
    assert finding_of(verdict, BESIDE).reason_code == "no_identity"
    assert verdict.exit_status == 11


def test_who_took_turns_did_not_stand_aside() -> None:
    """One measurement of it in the journal, and the record is wrong."""
    beside = campaign(plan=MAY)
    one, *others = beside.records
    assert isinstance(one, PartnerRecord)
    elsewhere = one.model_copy(update={"aside": "so it says", "identity": ELSEWHERE})
    verdict = judge(POLICY, Campaign(**{**beside.__dict__, "records": (elsewhere, *others)}))
    assert finding_of(verdict, BESIDE).reason_code == "no_identity"
    assert verdict.exit_status == 11
