"""What fails the canonical gate and the smoke, held against answers of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_weekops.core.measurement.catalog import ABORTS_ON_ATOMICS
from pytest_weekops.core.measurement.kernel_operation import PROBE_SIZE, KernelOperation
from pytest_weekops.core.measurement.records import UNTRIED, Case, Measurement, MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.run.gates import gate_failure, known_aborts, probe_ms, smoke_failure
from pytest_weekops.worker.protocol import Smoked, SmokeStep
from tests.support.synthetic import make_identity, make_measurement, make_plan

OPERATIONS = {"triad": KernelOperation(name="triad")}


def operation_of(kernel: str) -> KernelOperation:
    """GEMM, but for the triad."""
    return OPERATIONS.get(kernel, KernelOperation())


@dataclass
class Answers:
    """Answers every launch well, but for the kernels in ``changes``; notes what was launched."""

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    launched: list[tuple[str, tuple[int, int, int, float, float]]] = field(default_factory=list)

    def __call__(
        self, kernel: str, m: int, n: int, k: int, *, alpha: float = 1.0, beta: float = 0.0, iterations: int = 1
    ) -> Measurement:
        """An answer in a live run's place."""
        self.launched.append((kernel, (m, n, k, alpha, beta)))
        case = Case(platform="pocl", kernel=kernel, size=max(m, n, k), seed=1, snapshot=1)
        return make_measurement(case, plan=make_plan()).model_copy(update=self.changes.get(kernel, {}))


def test_every_kernel_is_launched_at_every_shape_of_its_operation() -> None:
    """A gate that left one out would pass it unseen."""
    answers = Answers()
    assert not gate_failure(("auto", "triad"), operation_of, answers)
    wanted = [(kernel, shape) for kernel in ("auto", "triad") for shape in operation_of(kernel).gate]
    assert answers.launched == wanted


@pytest.mark.parametrize("status", [status for status in MeasurementStatus if status is not MeasurementStatus.OK])
def test_any_status_but_ok_fails_it(status: MeasurementStatus) -> None:
    """And says which kernel, at which shape, and why; the gate ends there."""
    answers = Answers({"triad": {"status": status, "reason": "so it is"}})
    failed = gate_failure(("auto", "triad", "packed"), operation_of, answers)
    n = operation_of("triad").gate[0][1]
    assert failed.words == f"triad at {n}x{n}x{n}: {status.value}: so it is"
    assert failed.is_hosts == (status in UNTRIED)
    assert answers.launched[-1][0] == "triad"


def test_a_kernel_that_worked_on_the_second_try_fails_it() -> None:
    """Crashed once is crashed."""
    assert "flaky" in gate_failure(("auto",), operation_of, Answers({"auto": {"flaky": True}})).words


def test_each_operation_is_timed_by_its_first_kernel() -> None:
    """For estimates only: what gives no times is left out and fails nothing."""
    answers = Answers({"triad": {"sessions": ()}})
    found = probe_ms(("packed", "auto", "triad"), operation_of, answers)
    assert {kernel for kernel, _shape in answers.launched} == {"packed", "triad"}
    assert all(shape[:3] == (PROBE_SIZE,) * 3 for _kernel, shape in answers.launched)
    assert list(found) == ["gemm"]
    assert found["gemm"] > 0


@pytest.mark.parametrize(
    ("steps", "failure"),
    [
        ((), "the smoke did nothing"),
        ((("compile", "ok"), ("timer", "warning")), ""),
        ((("compile", "ok"), ("run", "failed"), ("limits", "failed")), "run: detail of run; limits: detail of limits"),
    ],
)
def test_a_smoke_fails_by_its_failed_steps_or_by_having_none(steps: tuple[tuple[str, Any], ...], failure: str) -> None:
    """A warning is no failure; silence is one."""
    smoked = Smoked(steps=tuple(SmokeStep(name=n, status=s, detail=f"detail of {n}") for n, s in steps))
    assert smoke_failure(smoked) == failure


def test_a_compiler_that_is_known_to_abort_is_told_before_it_is_asked() -> None:
    """By the catalogue's entry and the device's quirk; nothing is known of a mode without entry, or of no device."""
    dirs, pocl = (str(data_dir("kernels")),), make_identity("pocl")
    clover = pocl.model_copy(update={"quirks": (ABORTS_ON_ATOMICS,)})
    assert "known to abort" in known_aborts(dirs, clover)["histogram"]
    others = (("histogram", pocl), ("scan", clover), ("auto", clover), ("histogram", None))
    assert [known_aborts(dirs, identity).get(kernel, "") for kernel, identity in others] == [""] * 4
