"""What one attempt at a case came to: its story, whether it is void, and what stands for one without a reference."""

from __future__ import annotations

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.kernel_operation import KernelOperation
from pytest_weekops.core.records import Case, HostCondition, Measurement, MeasurementStatus

ANCHOR_LIMIT = 0.20  # the anchor may move by this share within one measurement
STEAL_LIMIT_PERCENT = 5.0


def without_reference(case: Case, operation: KernelOperation, error: WorkerError) -> Measurement:
    """What cannot be verified is not measured, and does not count."""
    return Measurement(case=case, operation=operation.name, status=MeasurementStatus.LOST, reason=str(error))


def story(answer: Measurement) -> str:
    """What happened to a measurement, in one line for people."""
    if answer.flaky:
        return "crashed once and worked on the second try (flaky)"
    where = f" in {answer.phase.value}" if answer.phase else ""
    signal = f" by {answer.signal}" if answer.signal else ""
    return f"{answer.status.value}{signal}{where}: {answer.reason}".rstrip(": ")


def void_reason(host: HostCondition) -> str:
    """Why a measurement on this host condition does not count, or nothing. Blind to the measured times."""
    before, after = host.anchor_before_ms, host.anchor_after_ms
    if before and after and abs(after / before - 1.0) > ANCHOR_LIMIT:
        return f"the anchor moved from {before:.1f} to {after:.1f} ms"
    if host.steal_percent is not None and host.steal_percent > STEAL_LIMIT_PERCENT:
        return f"{host.steal_percent:.1f} % of the host's time was stolen"
    return ""
