"""A driver that lost something, held against the one in service, in a split and in a week."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.judge.campaign import Baseline, Campaign
from pytest_weekops.core.judge.capabilities import references
from pytest_weekops.core.judge.checks.capabilities import capabilities_kept
from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Severity
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.capabilities import EXTENSIONS, InServiceRecord, KnownLoss
from pytest_weekops.core.measurement.catalog import ABORTS_ON_ATOMICS, ABORTS_ON_IMAGES, CAPABILITIES, DOUBLES
from pytest_weekops.core.measurement.expectation import DriverName
from pytest_weekops.core.measurement.needs import KernelNeeds
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.policy.policy import Policy
from tests.support.synthetic import STARTED, make_campaign, make_identity, make_partner, make_plan, make_records

IMAGES, SVM, HALVES = CAPABILITIES["images"], CAPABILITIES["svm"], "cl_khr_fp16"
POLICY = Policy.model_validate(
    {"policy_id": "test", "floors": {"waiver": "none"}, "guardrails": {"max_p95_drift_percent": None}}
)
SPLIT, WEEK = make_plan("split"), make_plan()


def can(profile: str, *names: str, **changes: Any) -> DeviceIdentity:
    """A driver with these capabilities."""
    return make_identity(profile).model_copy(update={"capabilities": names, **changes})


def split(before: DeviceIdentity | None, after: DeviceIdentity | None, **changes: Any) -> Campaign:
    """A split between two drivers, whose measurements nobody needs here."""
    identities = {name: each for name, each in (("clover", before), ("rusticl", after)) if each is not None}
    plan = SPLIT.model_copy(update=changes)
    return Campaign(plan=plan, records=(), identities=identities, created_at=STARTED)


def week(now: DeviceIdentity, *records: Any, **facts: Any) -> Campaign:
    """A week of one driver."""
    plan = facts.pop("plan", WEEK)
    return Campaign(plan=plan, records=records, identities={"pocl": now}, created_at=STARTED, **facts)


def found(campaign: Campaign) -> Finding:
    """What the check says."""
    return capabilities_kept(POLICY, campaign)


def known(capability: str = IMAGES, expires: str = "2026-12-31", version: str = "1") -> KnownLoss:
    """An entry for rusticl."""
    return KnownLoss(
        driver=DriverName(profile="rusticl", driver_version=version),
        capability=capability,
        reason="not built",
        owner="compute team",
        expires=expires,
    )


def test_a_candidate_that_lost_something_fails_with_what_no_longer_runs() -> None:
    """By OpenCL's name; halves, of which no workload here has need, as well."""
    finding = found(split(can("clover", IMAGES, SVM, HALVES, has_fp64=True), can("rusticl", SVM)))
    assert (finding.status, finding.reason_code) == (CheckStatus.FAIL, "lost")
    assert finding.rows == (f"rusticl: {IMAGES}", f"rusticl: {HALVES}", f"rusticl: {DOUBLES}")
    assert f"rusticl has no {IMAGES}, which clover has: image2d, image2d_linear no longer run" in finding.message
    assert f"{DOUBLES}, which clover has: double, double_fma no longer run" in finding.message
    assert f"{HALVES}, which clover has: no workload here needs it" in finding.message
    assert [each["capability"] for each in finding.details] == [IMAGES, HALVES, DOUBLES]


def test_what_was_won_or_kept_passes() -> None:
    """The other way round, and the same on both sides."""
    for before, after in (((SVM,), (SVM, IMAGES)), ((SVM,), (SVM,))):
        finding = found(split(can("clover", *before), can("rusticl", *after)))
        assert finding.status is CheckStatus.PASS
        assert "what clover can do" in finding.message


def test_a_planned_kernel_that_the_candidate_is_known_to_spoil_is_lost() -> None:
    """Where it ran on the other side; a need of one's own kernels is named beside the shipped ones'."""
    needs = (
        KernelNeeds(kernel="histogram", spoilt_by=(ABORTS_ON_ATOMICS,)),
        KernelNeeds(kernel="mine", capabilities=(IMAGES,), spoilt_by=(ABORTS_ON_IMAGES,)),
    )
    quirky = can("rusticl", SVM, quirks=(ABORTS_ON_ATOMICS, ABORTS_ON_IMAGES))
    finding = found(split(can("clover", IMAGES, SVM), quirky, needs=needs, kernels=("auto", "histogram", "mine")))
    assert finding.rows == (
        f"rusticl: {IMAGES}",
        f"rusticl: {ABORTS_ON_ATOMICS}",
        f"rusticl: {ABORTS_ON_IMAGES}",
    )
    assert "image2d, image2d_linear, mine no longer run" in finding.message
    assert "spoils atomic operations (aborts-on-atomics), which clover does not: histogram no longer runs" in (
        finding.message
    )
    both = can("clover", SVM, quirks=(ABORTS_ON_ATOMICS, ABORTS_ON_IMAGES))
    assert found(split(both, quirky, needs=needs)).status is CheckStatus.PASS


def test_a_known_loss_is_left_out_until_its_day() -> None:
    """Of exactly this driver and capability; afterwards it excuses nothing, and the words say so."""
    before, after = can("clover", IMAGES, SVM), can("rusticl", SVM)
    excused = split(before, after, known_losses=(known(),))
    finding = found(excused)
    assert (finding.status, finding.reason_code) == (CheckStatus.PASS, "expected")
    assert "expected until 2026-12-31 (not built; compute team)" in finding.message
    assert finding.details[0]["state"] == "met"
    assert any(IMAGES in words for words in judge(POLICY, excused).left_out)
    over = found(split(before, after, known_losses=(known(expires="2026-11-01"),)))
    assert over.status is CheckStatus.FAIL
    assert "excuses nothing" in over.message
    assert over.details[0]["state"] == "expired"
    for other in (known(capability=SVM), known(version="2")):
        assert found(split(before, after, known_losses=(other,))).status is CheckStatus.FAIL


def test_a_candidate_that_did_not_answer_is_no_data() -> None:
    """Nothing says what it can do."""
    finding = found(split(can("clover", IMAGES), None))
    assert (finding.status, finding.reason_code) == (CheckStatus.NO_DATA, "no_identity")


def test_without_anybody_to_be_held_against_the_check_is_not_asked() -> None:
    """Records from before capabilities were kept, and canonical runs, have the findings that they had."""
    for campaign in (
        split(can("clover", has_fp64=True), can("rusticl")),
        split(None, can("rusticl")),
        week(can("pocl")),
        Campaign(plan=make_plan("canonical"), records=(), identities={"pocl": can("pocl", SVM)}),
    ):
        assert references(campaign) == ()
        assert "capabilities_kept" not in {finding.check for finding in judge(POLICY, campaign).findings}
    assert "nobody" in found(week(can("pocl"))).message


def test_a_week_is_held_against_its_promoted_and_its_pinned_run() -> None:
    """The first of them that shows a loss names it; a record of another platform's says nothing."""
    before = can("pocl", IMAGES, SVM)
    promoted = InServiceRecord(platform="pocl", run_id="weekly-1", identity=before)
    pinned = Baseline(
        profile="pocl",
        hardware=before.hardware,
        run_id="weekly-0",
        created_at=STARTED,
        source_sha256="0" * 64,
        identity=can("pocl", SVM, DOUBLES),
    )
    finding = found(week(can("pocl", SVM), promoted, baselines=(pinned,)))
    assert finding.rows == (f"pocl: {IMAGES}", f"pocl: {DOUBLES}")
    assert f"{IMAGES}, which the promoted run weekly-1 has" in finding.message
    assert f"{DOUBLES}, which the pinned run weekly-0 has" in finding.message
    assert found(week(before, promoted)).status is CheckStatus.PASS
    stranger = promoted.model_copy(update={"platform": "other"})
    unknown = pinned.model_copy(update={"identity": None})
    assert references(week(can("pocl", SVM), stranger, baselines=(unknown,))) == ()


def test_beside_a_driver_in_service_a_week_is_held_against_that_one() -> None:
    """And not against a promoted run; where nothing says who it was, another check does."""
    plan = make_plan(partner=Partner(label="old", role="service"), looks=(2, 6))
    promoted = InServiceRecord(platform="pocl", run_id="weekly-1", identity=can("pocl", IMAGES))
    partner = make_partner(plan)
    able = partner.model_copy(update={"identity": partner.identity.model_copy(update={"capabilities": (SVM,)})})
    finding = found(week(can("pocl"), promoted, able, plan=plan))
    assert finding.rows == (f"pocl: {SVM}",)
    assert references(week(can("pocl"), promoted, plan=plan)) == ()


def whole(after: DeviceIdentity) -> Campaign:
    """A healthy split whose baseline has everything."""
    healthy = make_campaign(SPLIT, make_records(SPLIT))
    identities = {**healthy.identities, "clover": can("clover", *NAMES), "rusticl": after}
    records = [
        record.model_copy(update={"identity": identities[record.case.platform]}) if hasattr(record, "case") else record
        for record in healthy.records
    ]
    return Campaign(plan=SPLIT, records=records, identities=identities, created_at=STARTED)


NAMES = (*CAPABILITIES.values(), *EXTENSIONS)


@pytest.mark.parametrize("lost", [(), (IMAGES,)])
def test_a_loss_alone_turns_a_split_around(lost: tuple[str, ...]) -> None:
    """Everything else being as it should; its severity is the policy's to say."""
    campaign = whole(can("rusticl", *(name for name in NAMES if name not in lost)))
    verdict = judge(POLICY, campaign)
    assert verdict.failed_checks == (("capabilities_kept",) if lost else ())
    assert verdict.decision is (Decision.ITERATE if lost else Decision.PROMOTE)
    assert verdict.severity is (Severity.SEV2 if lost else Severity.SEV4)
    graver = POLICY.severity.model_copy(update={"checks": {**POLICY.severity.checks, "capabilities_kept": 1}})
    if lost:
        assert judge(POLICY.model_copy(update={"severity": graver}), campaign).severity is Severity.SEV1


names = st.frozensets(st.sampled_from([*NAMES, "cl_odd"]))
BAD = {CheckStatus.PASS: 0, CheckStatus.NO_DATA: 1, CheckStatus.FAIL: 2}


@settings(max_examples=100, deadline=None)
@given(names, names, names, st.booleans(), st.booleans(), st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
def test_who_can_do_less_is_never_judged_better(
    before: frozenset[str], after: frozenset[str], gone: frozenset[str], doubles: bool, kept: bool, entries: list[str]
) -> None:
    """Total, and monotone in what the candidate can do and in what is expected, doubles by either way to say it."""
    reference = can("clover", *sorted(before), has_fp64=doubles)
    more, less = can("rusticl", *sorted(after), has_fp64=True), can("rusticl", *sorted(after - gone), has_fp64=kept)
    expected: dict[str, Any] = {"known_losses": tuple(known(name) for name in entries)}
    findings = [found(split(reference, each, **expected)) for each in (more, less)]
    assert BAD[findings[0].status] <= BAD[findings[1].status]
    assert BAD[findings[1].status] <= BAD[found(split(reference, less)).status]
