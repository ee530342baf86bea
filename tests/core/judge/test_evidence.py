"""Pressure: pulses that were planned must be shown, before the launches or during them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.needs import KernelNeeds
from pytest_weekops.core.measurement.plan import PressurePlan
from pytest_weekops.core.measurement.records import GateRecord, Measurement, PressureRecord
from tests.core.judge.test_verdict import POLICY
from tests.support.synthetic import Records, make_campaign, make_plan, make_records
from tests.support.verdicts import finding_of


def pressure(plan: Any, records: Records) -> Finding:
    """What the check says."""
    verdict = judge(POLICY, make_campaign(plan, records))
    return finding_of(verdict, "pressure_failures_zero")


@pytest.mark.parametrize("planned", [{"pulses": 0}, {"iterations": 0}], ids=["no pulse", "pulses of nothing"])
def test_no_pressure_is_owed_where_none_was_planned(planned: dict[str, int]) -> None:
    """A plan may go without; a pulse that failed still counts."""
    plan = make_plan("weekly", pressure=PressurePlan(**planned))
    quiet: Records = [r for r in make_records(plan) if not isinstance(r, PressureRecord)]
    assert pressure(plan, quiet).status is CheckStatus.PASS
    failed = PressureRecord(platform="pocl", snapshot=1, requested=1, completed=0, failures=1)
    assert pressure(plan, [*quiet, failed]).status is CheckStatus.FAIL


@pytest.mark.parametrize(
    ("completed", "status"), [(4, CheckStatus.PASS), (3, CheckStatus.NO_DATA), (0, CheckStatus.NO_DATA)]
)
def test_pressure_during_the_launches_is_counted_per_measurement(completed: int, status: CheckStatus) -> None:
    """Two pulses in each of two sessions; records of pulses before the launches are no evidence of it."""
    plan = make_plan("weekly", pressure=PressurePlan(pulses=2, iterations=1, mode="during"))
    records = [
        r.model_copy(update={"pressure_completed": completed}) if isinstance(r, Measurement) else r
        for r in make_records(plan)
    ]
    found = pressure(plan, records)
    assert found.status is status
    assert len(found.rows) == (0 if status is CheckStatus.PASS else len(plan.all_cases()))


def test_a_gate_that_could_not_be_done_is_no_data_and_one_that_failed_comes_first() -> None:
    """What was not looked at is not good; beside a failure it is not what decides."""
    plan = make_plan("weekly")
    records = make_records(plan)
    place = next(at for at, record in enumerate(records) if isinstance(record, GateRecord))
    gate = records[place]
    assert isinstance(gate, GateRecord)
    undone = gate.model_copy(update={"passed": False, "undone": "oclgrind is not there"})
    finding = finding_of(
        judge(POLICY, make_campaign(plan, [*records[:place], undone, *records[place + 1 :]])), "canonical_gate"
    )
    assert (finding.status, finding.reason_code) == (CheckStatus.NO_DATA, "undone")
    assert "oclgrind is not there" in finding.message
    failed = gate.model_copy(update={"passed": False})
    both = judge(POLICY, make_campaign(plan, [*records[:place], undone, failed, *records[place + 1 :]]))
    assert finding_of(both, "canonical_gate").reason_code == "failed"


def canonical(*gates: GateRecord, **changes: Any) -> Finding:
    """What a plan of two variants says of the gates of the canonical tier."""
    variants = tuple(KernelNeeds(kernel=name) for name in ("packed", "vec4"))
    keys = tuple(gate.key for gate in gates)
    plan = make_plan("canonical", **{"variants": variants} | changes).model_copy(update={"gates": keys})
    return finding_of(judge(POLICY, make_campaign(plan, list(gates))), "canonical_gate")


def asking(gate: str, *variants: str, **changes: Any) -> GateRecord:
    """A gate that passed and asked for these variants at one shape."""
    asked = {f"{name}@5x3x1": 1 for name in variants}
    return GateRecord(gate=gate, stage="canonical", platform="pocl", passed=True, asked=asked, **changes)


def test_the_canonical_tier_asks_for_each_kernel_of_the_plan() -> None:
    """At its fixed shapes for all, each left out by name; at drawn ones for some. A microscope counts otherwise."""
    both = asking("odd-shapes", "packed", "vec4"), asking("any-shape", "auto")
    assert canonical(*both, asking("microscope")).status is CheckStatus.PASS
    assert canonical(asking("odd-shapes", "packed", left_out={"vec4": "it aborts"})).status is CheckStatus.PASS


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (asking("odd-shapes", "packed", "auto"), "odd-shapes/pocl did not ask for vec4."),
        (asking("odd-shapes"), "did not ask for packed, vec4."),
        (asking("any-shape"), "any-shape/pocl did not ask for packed, vec4."),
    ],
    ids=["one", "none", "none drawn"],
)
def test_a_gate_that_did_not_ask_for_a_kernel_shows_nothing_of_it(gate: GateRecord, words: str) -> None:
    """No data, by name; a run from before its kernels were written down is judged as it was."""
    found = canonical(asking("odd-shapes", "packed", "vec4"), gate) if gate.gate == "any-shape" else canonical(gate)
    assert (found.status, found.reason_code) == (CheckStatus.NO_DATA, "unasked")
    assert words in found.message
    assert canonical(gate, variants=()).status is CheckStatus.PASS
