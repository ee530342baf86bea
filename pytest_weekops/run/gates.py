"""The canonical gate and the driver smoke: what fails them, and the small launches that estimates rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from pytest_weekops.core.measurement.kernel_operation import PROBE_SIZE, KernelOperation
from pytest_weekops.core.measurement.records import UNTRIED, DeviceIdentity, Measurement, MeasurementStatus
from pytest_weekops.core.selection.selector import aborts
from pytest_weekops.files.catalog import kernel_entries
from pytest_weekops.run.attempt import story
from pytest_weekops.worker.protocol import Smoked


class Verify(Protocol):
    """Launches a kernel at one shape on one platform and verifies the result."""

    def __call__(
        self, kernel: str, m: int, n: int, k: int, *, alpha: float = 1.0, beta: float = 0.0, iterations: int = 1
    ) -> Measurement:
        """What came back; never raises for a driver's sake."""


def known_aborts(kernel_dirs: Sequence[str], identity: DeviceIdentity | None) -> dict[str, str]:
    """Kernels over which a device's compiler is known to take its worker down, and why. Raises ``PolicyError``."""
    if identity is None:
        return {}
    found = {mode: aborts(entry, identity) for mode, entry in kernel_entries(kernel_dirs).items()}
    return {mode: why for mode, why in found.items() if why}


class GateFailure(NamedTuple):
    """What the canonical gate stumbled over, in one line, and whether the host's own lack kept it from being held."""

    words: str = ""
    is_hosts: bool = False

    def __bool__(self) -> bool:
        return bool(self.words)

    @property
    def ended(self) -> str:
        """How the gate ended that stumbled so."""
        return f"{'could not be held' if self.is_hosts else 'failed'}: {self.words}"

    @property
    def facts(self) -> dict[str, Any]:
        """The same as fields of its record."""
        return {"passed": not self, "reason": self.words, "undone": self.words if self.is_hosts else ""}


def gate_failure(kernels: Iterable[str], operation_of: Callable[[str], KernelOperation], verify: Verify) -> GateFailure:
    """What the canonical gate stumbled over first; empty, and false, where every kernel was right at every shape."""
    for kernel in kernels:
        for m, n, k, alpha, beta in operation_of(kernel).gate:
            answer = verify(kernel, m, n, k, alpha=alpha, beta=beta)
            if answer.status is not MeasurementStatus.OK or answer.flaky:
                words = f"{kernel} at {m}x{n}x{k}: {story(answer)}"
                return GateFailure(words, is_hosts=answer.status in UNTRIED)
    return GateFailure()


def probe_ms(
    kernels: tuple[str, ...], operation_of: Callable[[str], KernelOperation], verify: Verify
) -> dict[str, float]:
    """Milliseconds of a small problem (:data:`PROBE_SIZE`) by operation, by its first kernel; for estimates only."""
    first = {operation_of(kernel).name: kernel for kernel in reversed(kernels)}
    found: dict[str, float] = {}
    for name, kernel in first.items():
        answer = verify(kernel, PROBE_SIZE, PROBE_SIZE, PROBE_SIZE, iterations=2)
        times = [ns for session in answer.sessions for ns in session.wall_ns]
        if times:
            found[name] = min(times) * 1e-6
    return found


def smoke_failure(smoked: Smoked) -> str:
    """What did not hold in a driver smoke; a smoke without a step failed as well. Empty where it held."""
    if not smoked.steps:
        return "the smoke did nothing"
    return "; ".join(f"{step.name}: {step.detail}" for step in smoked.steps if step.status == "failed")
