"""Known faults in the canonical tier's gates: each problem that failed is one that is known, or the gate has failed."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.expected_gates import gate_outcomes
from pytest_weekops.core.judge.finding import Decision, Verdict
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.records import GateFault, GateRecord, MeasurementStatus, Phase
from tests.core.judge.test_expected import POLICY, code_of
from tests.core.measurement.test_expectation import ENTRY
from tests.support.synthetic import STARTED, make_campaign, make_plan
from tests.support.verdicts import finding_of

KEY = "canonical/odd-shapes/pocl"
PLAN = make_plan("canonical").model_copy(update={"gates": (KEY, "suite/pytest/")})
ASKED = {f"{kernel}@{shape}": 1 for kernel in ("packed", "scalar", "vec4") for shape in ("1x1x1", "5x3x1")}
KNOWN = {"gate": "odd-shapes", "case": "packed@5x3x1", "kind": "wrong", "phase": None}


def entry(**changes: Any) -> Expectation:
    """A wrong result of one kernel at one shape, changed."""
    return Expectation.model_validate(ENTRY | KNOWN | changes)


def fault(problem: str = "packed@5x3x1", **changes: Any) -> GateFault:
    """What a gate noted of such a problem."""
    kernel, _at, shape = problem.partition("@")
    facts: dict[str, Any] = {"kind": MeasurementStatus.WRONG, "phase": Phase.VERIFY, **changes}
    return GateFault(kernel=kernel, shape=shape, **facts)


def gate(*faults: GateFault, asked: dict[str, int] | None = None, **changes: Any) -> GateRecord:
    """The gate with these faults."""
    facts: dict[str, Any] = {"passed": not faults, "reason": "it was wrong" if faults else "", **changes}
    many = ASKED if asked is None else asked
    return GateRecord(gate="odd-shapes", stage="canonical", platform="pocl", asked=many, faults=faults, **facts)


def verdict_on(*records: GateRecord, expected: Any = (), at: str = STARTED, policy: Any = POLICY) -> Verdict:
    """The verdict on a canonical run of these gates, where these faults are known."""
    plan = PLAN.model_copy(update={"expected": tuple(expected)})
    whole = (*records, GateRecord(gate="pytest", stage="suite", passed=True))
    return judge(policy, make_campaign(plan, whole, created_at=at))


def test_a_known_fault_of_a_gate_is_left_out_by_name() -> None:
    """The rest of the gate promotes, and the verdict's line names what it leaves out."""
    bad = gate(fault())
    assert verdict_on(bad).decision is Decision.ITERATE
    found = verdict_on(bad, expected=[entry()])
    assert (found.decision, found.failed_checks, code_of(found)) == (Decision.PROMOTE, (), "pass expected")
    words = "pocl odd-shapes packed@5x3x1: wrong, expected until 2026-12-31 (a known bug; us)"
    assert found.left_out == (words,)
    assert finding_of(found, "canonical_gate").message == "1 gates passed, 1 but for known faults"
    known = finding_of(found, "expected_faults")
    where = {"platform": "pocl", "gate": "odd-shapes", "problem": "packed@5x3x1", "state": "met"}
    assert (known.observed, known.details[0] | where) == (0.166667, known.details[0])
    assert found.known_faults == {}
    assert verdict_on(gate()).left_out == ()


def test_a_kernel_is_known_at_every_shape_or_at_none() -> None:
    """A whole kernel needs each of its problems to have failed so."""
    half = POLICY.model_copy(update={"evidence": POLICY.evidence.model_copy(update={"max_expected_share": 0.5})})
    kernel = [entry(case="packed")]
    every = gate(fault(), fault("packed@1x1x1"))
    assert verdict_on(every, expected=kernel, policy=half).decision is Decision.PROMOTE
    assert code_of(verdict_on(every, expected=kernel)) == "fail too_many"
    assert code_of(verdict_on(gate(fault()), expected=kernel, policy=half)) == "fail unsteady"
    two = gate(fault(), fault("packed@1x1x1"), asked={"packed@1x1x1": 1, "packed@5x3x1": 1})
    found = verdict_on(two, expected=kernel, policy=half)
    assert (code_of(found), found.left_out) == ("fail everything", ())
    assert "canonical_gate" in found.failed_checks


BLOCKED: dict[str, tuple[tuple[GateRecord, ...], dict[str, Any], str, str]] = {
    "another shape": ((gate(fault("packed@1x1x1")),), {}, STARTED, "fail unneeded"),
    "another kernel": ((gate(fault("scalar@5x3x1")),), {}, STARTED, "fail unneeded"),
    "another one beside it": ((gate(fault(), fault("scalar@1x1x1")),), {}, STARTED, "pass expected"),
    "another kind": ((gate(fault(kind=MeasurementStatus.HUNG)),), {}, STARTED, "no_data unmeasured"),
    "another phase": ((gate(fault()),), {"phase": "build"}, STARTED, "no_data unmeasured"),
    "a write outside": ((gate(fault(besides="4 bytes behind C")),), {}, STARTED, "no_data unmeasured"),
    "another driver": ((gate(fault()),), {"driver": {"profile": "pocl", "driver_version": "2"}}, STARTED, "pass ok"),
    "another profile": ((gate(fault()),), {"driver": {"profile": "intel", "driver_version": "1"}}, STARTED, "pass ok"),
    "another gate": ((gate(fault()),), {"gate": "any-shape"}, STARTED, "pass ok"),
    "its day is over": ((gate(fault()),), {"expires": "2026-11-23"}, STARTED, "fail expired"),
    "the run has no day": ((gate(fault()),), {}, "", "fail expired"),
    "it worked": ((gate(),), {}, STARTED, "fail unneeded"),
    "it is not told": ((gate(asked={}, passed=False),), {}, STARTED, "no_data unmeasured"),
    "it was not asked": ((gate(fault(), asked={"scalar@1x1x1": 9}),), {}, STARTED, "fail unsteady"),
    "not held": ((gate(fault(), undone="no tool"),), {}, STARTED, "pass expected"),
    "no gate": ((), {}, STARTED, "no_data unmeasured"),
    "held twice": ((gate(fault()), gate(fault())), {}, STARTED, "no_data unmeasured"),
    "not counted": ((gate(fault(), fault(), asked={"packed@5x3x1": 3}),), {}, STARTED, "fail unsteady"),
}


@pytest.mark.parametrize("name", BLOCKED)
def test_what_is_not_known_in_full_fails_the_gate(name: str) -> None:
    """Every other finding is what it was without the entry."""
    records, changes, at, code = BLOCKED[name]
    found, before = verdict_on(*records, expected=[entry(**changes)], at=at), verdict_on(*records, at=at)
    assert (found.decision, code_of(found)) == (Decision.ITERATE, code)
    assert [f for f in found.findings if f.check != "expected_faults"] == list(before.findings)


def test_each_kind_of_run_that_holds_the_gate_has_its_outcomes() -> None:
    """Where the plan does not list it, or nobody answered, the entry is silent."""
    weekly = make_plan("weekly")
    known = {"expected": (entry(), Expectation.model_validate(ENTRY))}
    named = make_campaign(PLAN, ()).identities
    assert gate_outcomes(weekly.model_copy(update=known), named, [gate(fault())], STARTED) == ()
    assert gate_outcomes(PLAN.model_copy(update=known), {}, [gate(fault())], STARTED) == ()
    both = weekly.model_copy(update={**known, "gates": (*weekly.gates, KEY)})
    assert [each.state for each in gate_outcomes(both, named, [gate(fault())], STARTED)] == ["met"]
