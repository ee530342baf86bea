"""What a gate of the canonical tier asks for, and how it notes what failed: known faults do not end it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.records import Case, GateFault, GateRecord, Measurement, MeasurementStatus, Phase
from pytest_weekops.run.problems import GateProblems, fault_of
from tests.core.measurement.test_expectation import ENTRY
from tests.support.synthetic import STARTED, make_identity, make_measurement, make_plan

CASE = Case(platform="pocl", kernel="packed", size=5, seed=1, snapshot=1)
RIGHT = make_measurement(CASE, plan=make_plan())
WRONG = RIGHT.model_copy(update={"status": MeasurementStatus.WRONG, "phase": Phase.VERIFY, "reason": "off by 3"})
CRASHED = Measurement(case=CASE, status=MeasurementStatus.CRASHED, phase=Phase.LAUNCH)
GATE = {"gate": "odd-shapes", "kind": "wrong", "phase": None, "case": "packed@5x3x1"}


def asking(*answers: Measurement, **changes: Any) -> tuple[GateProblems, list[dict[str, Any]], list[GateRecord]]:
    """A gate of a run that gives these answers in turn, what it was asked for, and what was recorded."""
    entry = Expectation.model_validate(ENTRY | GATE | changes)
    given, asked, kept = iter(answers), [], []

    def verify(_label: str, _variant: str, *_shape: int, **facts: Any) -> Measurement:
        asked.append(facts)
        return next(given)

    def record(one: GateRecord) -> GateRecord:
        kept.append(one)
        return one

    run: Any = SimpleNamespace(
        plan=make_plan("canonical", expected=(entry,)),
        platforms={"pocl": SimpleNamespace(identity=make_identity("pocl"))},
        created_at=STARTED,
        verify=verify,
        record=record,
    )
    return GateProblems(run, "pocl", "odd-shapes"), asked, kept


def test_a_known_fault_is_noted_and_told() -> None:
    """The gate goes on, and its record says how much it asked for and what failed how."""
    problems, _asked, kept = asking(RIGHT, WRONG)
    assert problems.ask("packed", 1, 1, 1) == ""
    assert problems.ask("packed", 5, 3, 1) == ""
    record = problems.record([], {"vec4": "it aborts"})
    assert kept == [record]
    assert (record.passed, record.asked) == (False, {"packed@1x1x1": 1, "packed@5x3x1": 1})
    assert record.faults == (
        GateFault(kernel="packed", shape="5x3x1", kind=MeasurementStatus.WRONG, phase=Phase.VERIFY),
    )
    assert record.reason == (
        "packed on pocl at 5x3x1, alpha 1.0, beta 0.0: wrong in verify: off by 3, wrong, expected until 2026-12-31 "
        "(a known bug; us); left out: vec4 it aborts"
    )


@pytest.mark.parametrize(
    ("answer", "changes"),
    [
        (CRASHED, {}),
        (WRONG, {"case": "packed@5x3x2"}),
        (WRONG, {"gate": "any-shape"}),
        (WRONG, {"expires": "2026-11-01"}),
        (WRONG, {"driver": {"profile": "pocl", "driver_version": "2"}}),
        (RIGHT.model_copy(update={"flaky": True}), {}),
        (WRONG.model_copy(update={"changed": "its source"}), {}),
        (
            WRONG.model_copy(
                update={"sessions": tuple(s.model_copy(update={"outside": "behind C"}) for s in WRONG.sessions)}
            ),
            {},
        ),
    ],
)
def test_anything_else_is_a_failure(answer: Measurement, changes: dict[str, Any]) -> None:
    """Another fault, place, driver or day, and a wrong result that wrote beside its buffer."""
    problems, _asked, _kept = asking(answer, **changes)
    words = problems.ask("packed", 5, 3, 1)
    assert words.startswith("packed on pocl at 5x3x1")
    record = problems.record([words], {}, whole=False)
    assert (record.passed, record.asked, record.faults) == (False, {}, ())


def test_an_answer_that_changes_is_not_known() -> None:
    """Wrong at one try and right at the next is another fault than always wrong, whichever came first."""
    for answers in ((WRONG, RIGHT), (RIGHT, WRONG)):
        problems, _asked, _kept = asking(*answers)
        problems.ask("packed", 5, 3, 1)
        assert problems.ask("packed", 5, 3, 1) != ""
        assert [fault.besides for fault in problems.record([], {}).faults] == ["not each time"]
    problems, _asked, _kept = asking(WRONG, WRONG)
    assert (problems.ask("packed", 5, 3, 1), problems.ask("packed", 5, 3, 1)) == ("", "")
    assert problems.record([], {}).asked == {"packed@5x3x1": 1}


def test_a_crash_that_is_known_is_not_tried_again() -> None:
    """Each costs a worker, and a platform has few."""
    problems, asked, _kept = asking(CRASHED, RIGHT, kind="crashed", phase="launch")
    assert problems.ask("packed", 5, 3, 1) == ""
    problems.ask("packed", 1, 1, 1)
    assert [facts["retry"] for facts in asked] == [False, True]
    assert fault_of(RIGHT, "packed", "1x1x1") is None


UNVERIFIABLE = Measurement(case=CASE, status=MeasurementStatus.UNVERIFIABLE, reason="no space left")


def test_what_the_host_cannot_verify_is_no_fault_of_the_driver() -> None:
    """The gate was not held, and nothing failed; it has not passed either."""
    problems, _asked, _kept = asking(RIGHT, UNVERIFIABLE)
    assert problems.ask("packed", 1, 1, 1) == ""
    words = problems.ask("packed", 5, 3, 1)
    assert words.endswith("unverifiable: no space left")
    record = problems.record([words], {})
    assert (record.passed, record.undone, record.faults) == (False, words, ())


def test_a_gate_that_lacked_references_has_not_passed_whoever_was_told() -> None:
    """Also where the suite kept what it heard for itself."""
    problems, _asked, _kept = asking(UNVERIFIABLE)
    problems.ask("packed", 5, 3, 1)
    record = problems.record([], {})
    assert (record.passed, bool(record.undone)) == (False, True)


@pytest.mark.parametrize("others", [[WRONG], []], ids=["a wrong result", "a failure of the suite's own"])
def test_what_the_host_lacks_hides_no_failure(others: list[Measurement]) -> None:
    """A driver's fault beside it fails the gate, and so does what a suite found without asking."""
    problems, _asked, _kept = asking(UNVERIFIABLE, *others, gate="any-shape")
    words = [problems.ask("packed", 5, 3, k) for k in range(1, 2 + len(others))]
    record = problems.record(words if others else [*words, "found by itself"], {})
    assert (record.passed, record.undone) == (False, "")
