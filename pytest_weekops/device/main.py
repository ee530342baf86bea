"""The worker program: ``python -m pytest_weekops.device.main --in-fd N --out-fd M``.

Import rule: nothing of OpenCL and nothing heavy before the hello, so that a driver that aborts on being loaded does so
in a phase with a name and a deadline. The host worker never gets to the OpenCL imports at all.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import BuildError, DeviceError, InputError, SourceChanged
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase
from pytest_weekops.worker.framing import receive, send
from pytest_weekops.worker.peak_messages import PeakRequest
from pytest_weekops.worker.protocol import (
    REQUESTS,
    AnchorRequest,
    CloseRequest,
    DescribeRequest,
    Failed,
    Goodbye,
    Hello,
    InjectRequest,
    Measured,
    MeasureRequest,
    Opened,
    OpenRequest,
    PhaseNotice,
    PressureRequest,
    QuantaRequest,
    ReferenceRequest,
    Reply,
    SmokeRequest,
    TurnRequest,
)

if TYPE_CHECKING:
    from pytest_weekops.device.bench import Steps
    from pytest_weekops.device.opened import OpenDevice

_TELL_AGAIN_S = 1.0
_PR_SET_PDEATHSIG = 1  # prctl(2)
_RETIRING = ("OUT_OF_RESOURCES", "OUT_OF_HOST_MEMORY", "MEM_OBJECT_ALLOCATION_FAILURE", "DEVICE_NOT_AVAILABLE")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this worker when its controller dies, even one that is stuck in a driver."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


class Program:
    """Answers requests in order; one device for the whole life of the process."""

    def __init__(self, out_fd: int) -> None:
        self._out = out_fd
        self._device: OpenDevice | None = None
        self._phase = Phase.IDLE
        self._since = time.perf_counter()
        self._told = 0.0
        self._spent: dict[str, float] = {}
        self._steps: Steps | None = None

    def notify(self, phase: Phase) -> None:
        """Tell the controller what comes next; it restarts the deadline.

        The same again within a second is not said: reading it would take a CPU from the launch that it speaks of.
        """
        now = time.perf_counter()
        is_news = phase is not self._phase or now - self._told >= _TELL_AGAIN_S
        self._enter(phase, now)
        if is_news:
            self._told = now
            send(self._out, PhaseNotice(phase=phase))

    def _enter(self, phase: Phase, now: float) -> None:
        self._spent[self._phase.value] = self._spent.get(self._phase.value, 0.0) + now - self._since
        self._phase, self._since = phase, now

    def spent(self) -> dict[str, float]:
        """Seconds per phase since the last call, the current phase included."""
        self._enter(self._phase, time.perf_counter())
        spent, self._spent = self._spent, {}
        return {phase: round(seconds, 6) for phase, seconds in spent.items()}

    def answer(self, request: Any) -> Reply:
        """The reply to one request; whatever goes wrong in Python becomes a :class:`Failed`."""
        try:
            return self._answer(request)
        except BuildError as error:
            return self._failed(MeasurementStatus.BUILD_FAILED, error)
        except (DeviceError, InputError, ValueError, KeyError, OSError) as error:
            return self._failed(MeasurementStatus.LAUNCH_FAILED, error)
        except Exception as error:  # noqa: BLE001 - pyopencl's errors and what a driver's binding may raise
            return self._failed(MeasurementStatus.LAUNCH_FAILED, error)

    def _failed(self, status: MeasurementStatus, error: Exception) -> Failed:
        reason = str(error) if isinstance(error, DeviceError | InputError) else f"{type(error).__name__}: {error}"
        return Failed(
            status=status,
            phase=self._phase,
            reason=reason,
            retire=isinstance(error, MemoryError) or any(word in reason for word in _RETIRING),
            changed=error.name if isinstance(error, SourceChanged) else "",
        )

    def _answer(self, request: Any) -> Reply:
        if isinstance(request, ReferenceRequest | DescribeRequest | AnchorRequest | QuantaRequest):
            from pytest_weekops.device import host

            self.notify(Phase.VERIFY)
            return host.answer(request)
        if isinstance(request, OpenRequest):
            self.notify(Phase.IMPORT)
            from pytest_weekops.device.opened import OpenDevice

            self._device = OpenDevice(request, self.notify)
            return Opened(identity=self._device.identity, seen=self._device.files.seen())
        if self._device is None:
            raise DeviceError("No device is open in this worker.")
        return self._work(self._device, request)

    def _drop_steps(self) -> None:
        """Free what a measurement held that its controller gave up."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None

    def _step(self, turn: TurnRequest | None) -> Reply:
        """The next answer of the measurement that is under way; after an error there is none."""
        steps, self._steps = self._steps, None
        if turn is not None:  # the controller knows that a launch comes first
            self._told = time.perf_counter()
            self._enter(Phase.LAUNCH, self._told)
        if steps is None:
            raise DeviceError("A turn was asked for, and no measurement is under way.")
        try:
            reply = next(steps) if turn is None else steps.send(turn)
        except StopIteration as end:
            measured: Measured = end.value
            seen = self._device.files.seen() if self._device is not None else ()
            return measured.model_copy(update={"phase_s": self.spent(), "seen": seen})
        self._steps = steps
        return reply

    def _work(self, device: OpenDevice, request: Any) -> Reply:
        from pytest_weekops.device.bench import measure
        from pytest_weekops.device.pressure import press
        from pytest_weekops.device.smoke import smoke
        from pytest_weekops.files.kernel_sources import refuse_changed

        if isinstance(request, MeasureRequest | PressureRequest | SmokeRequest):
            self.notify(Phase.BUILD)
            refuse_changed(request.sources)
        if isinstance(request, MeasureRequest):
            self._drop_steps()
            self.spent()
            self._steps = measure(device, request, self.notify)
            return self._step(None)
        if isinstance(request, TurnRequest):
            return self._step(request)
        self._drop_steps()
        if isinstance(request, InjectRequest):
            from pytest_weekops.device.inject import inject

            return inject(device, request, self.notify)
        if isinstance(request, PeakRequest):
            from pytest_weekops.device.peak import peak

            return peak(device, request, self.notify)
        if isinstance(request, PressureRequest):
            return press(device, request, self.notify)
        if isinstance(request, SmokeRequest):
            return smoke(device, request, self.notify).model_copy(update={"seen": device.files.seen()})
        raise DeviceError(f"This worker cannot answer {type(request).__name__}.")


def main() -> int:
    """Serve until ``close`` or the end of the pipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--in-fd", type=int, required=True)
    parser.add_argument("--out-fd", type=int, required=True)
    parser.add_argument("--parent", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.parent:
        die_with_parent(arguments.parent)
    faulthandler.enable()
    send(arguments.out_fd, Hello(pid=os.getpid()))
    program = Program(arguments.out_fd)
    while True:
        frame = receive(arguments.in_fd)
        if frame is None:
            return 1  # the controller is gone
        request = REQUESTS.validate_python(frame)
        if isinstance(request, CloseRequest):
            program.notify(Phase.CLOSE)
            send(arguments.out_fd, Goodbye())
            return 0
        reply = program.answer(request)
        program.notify(Phase.SEND)
        send(arguments.out_fd, reply)


if __name__ == "__main__":
    sys.exit(main())
