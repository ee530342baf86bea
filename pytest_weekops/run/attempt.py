"""What one attempt at a case came to: its story, and what stands for one without a reference."""

from __future__ import annotations

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus


def without_reference(case: Case, operation: KernelOperation, error: WorkerError) -> Measurement:
    """What cannot be verified is not measured, and says nothing of the driver."""
    return Measurement(case=case, operation=operation.name, status=MeasurementStatus.UNVERIFIABLE, reason=str(error))


def story(answer: Measurement) -> str:
    """What happened to a measurement, in one line for people."""
    if answer.flaky:
        return "crashed once and worked on the second try (flaky)"
    where = f" in {answer.phase.value}" if answer.phase else ""
    signal = f" by {answer.signal}" if answer.signal else ""
    return f"{answer.status.value}{signal}{where}: {answer.reason}".rstrip(": ")
