"""Kernels whose results alone are judged, and those that a device cannot run: what they owe, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.checks.capabilities import untimed_results
from pytest_weekops.core.judge.finding import Decision, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.catalog import ABORTS_ON_ATOMICS, CAPABILITIES
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.needs import KernelNeeds
from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
from pytest_weekops.core.measurement.records import (
    GateRecord,
    Measurement,
    MeasurementStatus,
    PartnerRecord,
    SessionSamples,
)
from pytest_weekops.core.policy.policy import Policy
from tests.support.synthetic import STARTED, make_identity, make_plan, make_records, stamped
from tests.support.verdicts import finding_of

IMAGES = CAPABILITIES["images"]
POLICY = Policy.model_validate(
    {
        "policy_id": "test",
        "floors": {"waiver": "none"},
        "guardrails": {"max_p95_drift_percent": None},
        "evidence": {"max_expected_share": 0.5},
    }
)
NEEDS = (
    KernelNeeds(kernel="histogram", spoilt_by=(ABORTS_ON_ATOMICS,)),
    KernelNeeds(kernel="image2d", capabilities=(IMAGES,)),
)
FACTS: dict[str, Any] = {
    "kernels": ("auto", "histogram", "queue", "image2d"),
    "sizes": (128,),
    "needs": NEEDS,
    "results_only": ("queue", "image2d"),
}
WEEK, SPLIT = make_plan(**FACTS), make_plan("split", **FACTS)
Change = Callable[[Measurement], Measurement | None]


def short(session: SessionSamples) -> SessionSamples:
    """One launch, beside which other programs ran all the time."""
    first = {name: getattr(session, name)[:1] for name in ("wall_ns", "start_ns", "cpu_ns")}
    return session.model_copy(update={**first, "delay_ns": (10**9,)})


def campaign(plan: CampaignPlan = WEEK, change: Change = lambda m: m, **identities: Any) -> Campaign:
    """A healthy run without images, changed; of what is not timed there is one launch a session, on a busy host."""
    without_turns = plan.model_copy(update={"partner": None, "in_turns": False})
    answered = {label: make_identity(label) for label in plan.platforms}
    answered = {k: one.model_copy(update=identities.get(k, {})) for k, one in answered.items()}
    found = Campaign(plan=plan, records=(), identities=answered)
    records: list[Any] = []
    for record in make_records(without_turns if plan.partner is None else plan):
        if not isinstance(record, Measurement):
            records.append(record)
            continue
        if not found.is_asked(record.case):
            continue
        update: dict[str, Any] = {"identity": answered[record.case.platform]}
        if not found.is_timed(record.case):
            update |= {"sessions": tuple(map(short, record.sessions)), "turns": None}
        changed = change(record.model_copy(update=update))
        records += [changed] if changed is not None else []
    return Campaign(plan=plan, records=stamped(records), identities=answered, created_at=STARTED)


def verdict(*arguments: Any, **facts: Any) -> Verdict:
    """The verdict on it."""
    return judge(POLICY, campaign(*arguments, **facts))


def only(kernel: str, **update: Any) -> Change:
    """One kernel's measurements changed."""
    return lambda m: m.model_copy(update=update) if m.case.kernel == kernel else m


def test_what_is_not_timed_promotes_by_its_results() -> None:
    """And what is not applicable by being left out, both in the verdict's line, with the capability by name."""
    found = verdict()
    assert found.failed_checks == ()
    assert found.decision is Decision.PROMOTE
    assert f"image2d on pocl: not applicable, the device has no {IMAGES}" in found.left_out
    assert "the times of queue: their results alone are judged" in found.left_out
    assert "6 results of queue" in finding_of(found, "untimed_results").message
    assert {row["kernel"] for row in found.rows} == {"auto", "histogram"}


def test_a_device_that_can_run_it_has_to() -> None:
    """With images, an image2d that nobody measured is missing evidence."""
    found = verdict(change=lambda m: m if m.case.kernel != "image2d" else None, pocl={"capabilities": (IMAGES,)})
    assert {"all_runs_success", "untimed_results"} <= set(found.failed_checks)
    assert verdict(pocl={"capabilities": (IMAGES,)}).failed_checks == ()


@pytest.mark.parametrize(
    "update",
    [
        {"status": MeasurementStatus.WRONG},
        {"void": True},
        {"sessions": ()},
        {"flops": 0.0},
    ],
    ids=lambda update: next(iter(update)),
)
def test_a_result_that_is_not_whole_and_right_blocks(update: dict[str, Any]) -> None:
    """Whatever is wrong with it: no host is to blame, since no time counts."""
    found = verdict(change=only("queue", **update))
    assert "untimed_results" in found.failed_checks
    assert finding_of(found, "untimed_results").reason_code == "unproved"


def test_an_unverified_session_blocks() -> None:
    """One launch is enough, and none is not; a session that is not verified is none."""

    def change(m: Measurement) -> Measurement:
        sessions = tuple(session.model_copy(update={"verified": False}) for session in m.sessions)
        return m.model_copy(update={"sessions": sessions}) if m.case.kernel == "queue" else m

    assert "is not verified" in finding_of(verdict(change=change), "untimed_results").message


def test_a_known_fault_excuses_its_own_cell() -> None:
    """As it does of one that is timed; a platform of which nothing timed would be left has no excuse."""

    def fault(kernel: str) -> Expectation:
        return Expectation.model_validate(
            {
                "driver": {"profile": "pocl", "driver_version": "1"},
                "case": f"{kernel}:128",
                "kind": "wrong",
                "reason": "it drops one",
                "owner": "compute team",
                "expires": "2026-12-31",
            }
        )

    wrong = only("queue", status=MeasurementStatus.WRONG)
    found = judge(POLICY, campaign(WEEK.model_copy(update={"expected": (fault("queue"),)}), wrong))
    assert found.failed_checks == ()
    everything = make_plan(**{**FACTS, "kernels": ("auto", "queue"), "needs": (), "results_only": ("queue",)})
    everything = everything.model_copy(update={"expected": (fault("auto"),)})
    lost = judge(POLICY, campaign(everything, only("auto", status=MeasurementStatus.WRONG)))
    assert finding_of(lost, "expected_faults").reason_code == "everything"


def test_a_platform_without_anything_timed_blocks() -> None:
    """Nothing would say how fast it is."""
    plan = make_plan(**{**FACTS, "kernels": ("histogram", "queue"), "needs": NEEDS[:1], "results_only": ("queue",)})
    finding = untimed_results(POLICY, campaign(plan, pocl={"quirks": (ABORTS_ON_ATOMICS,)}))
    assert (finding.reason_code, finding.rows) == ("nothing_timed", ("pocl",))


def test_a_split_compares_what_both_sides_can_run() -> None:
    """What the other one cannot has to be right by itself, and is not compared."""
    found = verdict(SPLIT, clover={"quirks": (ABORTS_ON_ATOMICS,)})
    assert found.failed_checks == ()
    assert any(words.startswith("histogram on clover: not applicable, needs atomic") for words in found.left_out)
    assert "the times of histogram, queue: their results alone are judged" in found.left_out
    wrong = verdict(
        SPLIT,
        lambda m: m if (m.case.platform, m.case.kernel) != ("rusticl", "histogram") else None,
        clover={"quirks": (ABORTS_ON_ATOMICS,)},
    )
    assert "untimed_results" in wrong.failed_checks


def test_beside_a_partner_it_is_measured_alone() -> None:
    """And nobody asks for turns of it; a partner that cannot run a kernel leaves that one untimed."""
    plan = make_plan(**FACTS, partner=Partner(label="old", role="service"), looks=(2, 6))
    base = campaign(plan)
    records = [
        record.model_copy(update={"identity": record.identity.model_copy(update={"quirks": (ABORTS_ON_ATOMICS,)})})
        if isinstance(record, PartnerRecord)
        else record.model_copy(update={"turns": None})
        if isinstance(record, Measurement) and record.case.kernel == "histogram"
        else record
        for record in base.records
    ]
    for found in (base, Campaign(plan=plan, records=records, identities=base.identities, created_at=STARTED)):
        assert "partner_beside" not in judge(POLICY, found).failed_checks
    assert ("pocl", "histogram") in found.untimed


def test_what_a_gate_left_out_is_said_of_a_canonical_run() -> None:
    """Never silently fewer: by platform and reason, in the verdict's line."""
    plan, why = make_plan("canonical"), "is not applicable: the device has no X"
    gate = GateRecord(
        gate="shapes",
        stage="canonical",
        platform="pocl",
        passed=True,
        left_out={"image2d": why, "image2d_linear": why},
    )
    suite = GateRecord(gate="pytest", stage="suite", passed=True)
    found = judge(POLICY, Campaign(plan=plan, records=(gate, suite), identities={}, created_at=STARTED))
    assert found.decision is Decision.PROMOTE
    assert found.left_out == ("image2d, image2d_linear on pocl: not applicable, the device has no X",)
