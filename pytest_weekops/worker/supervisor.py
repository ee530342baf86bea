"""Keeps one platform measurable: replaces workers, retries a crash once, and knows when to give up.

A crash is tried once more in a fresh process with a fresh cache. Twice the same is ``crashed``; cured is ``flaky``.
A hang is not retried, since it already cost its whole deadline. After four restarts, or once more than 30 % of the
cases failed, there are no more retries; out of restarts the platform is ``lost`` and the other platforms go on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pytest_weekops.core.errors import DeviceError, WorkerCrash, WorkerError, WorkerTimeout, last_words
from pytest_weekops.core.measurement.advice import advise
from pytest_weekops.core.measurement.driver_change import identity_changes, listed
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, Measurement, MeasurementStatus, Phase
from pytest_weekops.core.record import Record
from pytest_weekops.worker.cold import cold_start
from pytest_weekops.worker.driver_files import DriverFiles
from pytest_weekops.worker.locking import DeviceLock
from pytest_weekops.worker.peak_messages import PeakRequest
from pytest_weekops.worker.process import Launch, Worker
from pytest_weekops.worker.protocol import (
    Failed,
    Injected,
    InjectRequest,
    Measured,
    MeasureRequest,
    Opened,
    Pressed,
    PressureRequest,
    Ready,
    Reply,
    Smoked,
    SmokeRequest,
    SmokeStep,
    Turned,
    TurnRequest,
)

__all__ = ["RESTART_BUDGET", "Launch", "PlatformSupervisor"]

RESTART_BUDGET = 4
RETRY_SHARE = 0.30
_RETRY_AFTER = 4  # the share of failed cases says nothing before this many were tried
Answer = TypeVar("Answer", Measured, Pressed, Smoked)


class PlatformSupervisor:
    """One platform's worker over a whole run. Only :meth:`start` raises; afterwards a bad driver is an answer."""

    def __init__(
        self,
        launch: Launch,
        deadlines: Deadlines,
        scratch: Path,
        on_event: Callable[[str], None] | None = None,
        *,
        restart_budget: int = RESTART_BUDGET,
        lock_wait_s: float | None = None,
    ) -> None:
        self.launch = launch
        self._lock_wait_s = lock_wait_s
        self._restart_budget = restart_budget
        self.identity: DeviceIdentity | None = None
        self.files = DriverFiles(launch.label)
        self.lost = ""
        self._deadlines = deadlines.on(launch.deadlines)
        self._scratch = scratch
        self._say = on_event or (lambda _line: None)
        self._worker: Worker | None = None
        self._restarts = 0
        self._tried = 0
        self._failed = 0
        self._ended_badly: list[str] = []
        self._lock = DeviceLock(launch.label, wait_s=lock_wait_s, on_event=self._say)
        self._device: DeviceLock | None = None

    def start(self) -> DeviceIdentity:
        """Start the worker and open the device, and hold it until :meth:`close`.

        Raises ``DeviceError`` where no platform or device matches, ``DeviceBusy`` where another gate measures on it,
        ``WorkerError`` where the driver takes the worker down; then the platform is lost.
        """
        self._lock.acquire()
        try:
            self.identity = self._open()
            self._hold(self.identity.hardware)
        except (WorkerError, DeviceError) as error:
            if isinstance(error, WorkerError):
                self.lost = last_words(error)
                error.args = (self.lost,)  # whoever shows it shows what the driver said, too
            self._drop()
            self._release()  # nothing is measured here any more: another gate need not wait for this one
            raise
        return self.identity

    def _hold(self, hardware: str) -> None:
        """Take the device itself: which one it is the driver alone knows, and another driver may lead to it too."""
        self._device = DeviceLock(self.launch.label, device=hardware, wait_s=self._lock_wait_s, on_event=self._say)
        self._device.acquire()

    def _release(self) -> None:
        if self._device is not None:
            self._device.release()
        self._lock.release()

    def _open(self) -> DeviceIdentity:
        self._worker = Worker(
            label=self.launch.label,
            environment={**_STILL, **self.launch.environment},
            deadlines=self._deadlines,
            scratch=self._scratch,
            command=self.launch.command,
        )
        reply = self._worker.ask(self.launch.open)
        if isinstance(reply, Failed):
            raise DeviceError(reply.reason)
        if not isinstance(reply, Opened):
            raise WorkerCrash(f"{self.launch.label} answered open with {reply.type}", status="nonsense")
        identity = reply.identity.model_copy(update={"profile": self.launch.label})
        if changes := [*identity_changes(self.identity, identity), *map(str, self.files.opened(reply.seen))]:
            raise WorkerCrash(
                f"driver replaced: it is not what it was when the run began: {listed(changes)}; the numbers before "
                "and after belong to two drivers",
                status="replaced",
            )
        return identity

    def measure(self, case: Case, request: MeasureRequest, *, retry: bool = True) -> Measurement:
        """Measure one case. Crash, hang, garbage: each becomes a measurement with that status, never an exception.

        Without ``retry`` a crash is not tried again: for tuning, where the next candidate will do as well.
        """
        self._tried += 1
        return self.settle(case, request, self._measure_once(case, request), retry=retry)

    def begin(self, case: Case, request: MeasureRequest) -> Measurement | Ready:
        """Begin a case that goes in turns (``in_turns``); a measurement where the driver cannot.

        Each answer that is a measurement is the case's last: hand it to :meth:`settle`.
        """
        self._tried += 1
        answer = self._converse(case, request, request)
        return answer if isinstance(answer, Measurement | Ready) else self._nonsense(case, answer)

    def turn(self, case: Case, request: MeasureRequest, turn: TurnRequest) -> Measurement | Ready | Turned:
        """The next turn of the case that was begun with ``request``."""
        answer = self._converse(case, request, turn)
        return answer if isinstance(answer, Measurement | Ready | Turned) else self._nonsense(case, answer)

    def settle(self, case: Case, request: MeasureRequest, answer: Measurement, *, retry: bool = True) -> Measurement:
        """What stands of an answer: after a crash that of a second try, by itself and in a fresh worker."""
        if retry and answer.status is MeasurementStatus.CRASHED and self._may_retry():
            again = self._measure_once(case, request.model_copy(update={"in_turns": False}))
            # A variant that T3 was trying took the worker down: that is no flaw of the measurement that came of it.
            tried = again.selector is not None and again.selector.crashed
            if again.status is MeasurementStatus.OK and not tried:
                reason = f"crashed once ({answer.signal or answer.reason}) and worked on the second try"
                again = again.model_copy(update={"flaky": True, "reason": reason, "stderr_tail": answer.stderr_tail})
            answer = again
        if answer.status is not MeasurementStatus.OK or answer.flaky:
            self._failed += 1
        return answer

    def _may_retry(self) -> bool:
        many = self._tried >= _RETRY_AFTER and self._failed > RETRY_SHARE * self._tried
        return not many and self._restarts < self._restart_budget

    def _measure_once(self, case: Case, request: MeasureRequest) -> Measurement:
        answer = self._converse(case, request, request)
        return answer if isinstance(answer, Measurement) else self._nonsense(case, answer)

    def _nonsense(self, case: Case, reply: Reply) -> Measurement:
        """An answer of no kind that was asked for is the loss of the measurement and of its worker."""
        self._drop()
        return Measurement(
            case=case, status=MeasurementStatus.LOST, reason=f"the worker answered measure with {reply.type}"
        )

    def _converse(self, case: Case, request: MeasureRequest, message: Record) -> Measurement | Reply:
        """Ask within the measurement of a case; whatever goes wrong is its measurement."""
        try:
            reply = self._ask(message)
        except WorkerTimeout as error:
            return self._without_answer(case, MeasurementStatus.HUNG, error, phase=error.phase, tail=error.stderr_tail)
        except WorkerCrash as error:
            lost = self.lost != "" or error.status == "replaced"
            status = MeasurementStatus.LOST if lost else MeasurementStatus.CRASHED
            return self._without_answer(
                case, status, error, phase=error.phase, tail=error.stderr_tail, signal=error.signal
            )
        if isinstance(reply, Failed):
            return Measurement(
                case=case,
                status=_not_ok(reply.status),
                phase=reply.phase,
                reason=reply.reason,
                identity=self.identity,
                changed=reply.changed,
            )
        if not isinstance(reply, Measured):
            return reply
        facts = {name: getattr(reply, name) for name in _SHARED_FIELDS} | {"driver_files": self.files.note(reply.seen)}
        return Measurement(case=case, identity=self.identity, operation=request.operation, **facts)

    def _without_answer(
        self,
        case: Case,
        status: MeasurementStatus,
        error: WorkerError,
        *,
        phase: str,
        tail: str,
        signal: str | None = None,
    ) -> Measurement:
        return Measurement(
            case=case,
            status=status,
            reason=str(error),
            phase=Phase(phase) if phase else None,
            signal=signal,
            stderr_tail=tail,
            identity=self.identity,
        )

    def pressure(self, request: PressureRequest) -> Pressed:
        """Send pressure pulses; a driver that goes down under them failed them all."""
        try:
            reply = self._ask(request)
        except WorkerError as error:
            return Pressed(completed=0, failures=max(1, request.pulses), errors=(str(error),))
        if isinstance(reply, Pressed):
            return reply
        reason = reply.reason if isinstance(reply, Failed) else f"the worker answered pressure with {reply.type}"
        return Pressed(completed=0, failures=max(1, request.pulses), errors=(reason,))

    def inject(self, request: InjectRequest) -> Injected:
        """Run the guard's fault campaign. Raises ``WorkerError``, and ``DeviceError`` where the driver refused."""
        reply = self._ask(request)
        if isinstance(reply, Injected):
            return reply
        reason = reply.reason if isinstance(reply, Failed) else f"the worker answered inject with {reply.type}"
        raise DeviceError(f"{self.launch.label}: the fault campaign at {request.size} broke off: {reason}")

    def peak(self, request: PeakRequest) -> Reply:
        """Measure one item of level 0. Raises ``WorkerError`` where the driver goes down in it."""
        return self._ask(request)

    def smoke(self, request: SmokeRequest) -> Smoked:
        """Run the driver smoke; a driver that goes down in it gives a failed step."""
        try:
            reply = self._ask(request)
        except WorkerError as error:
            tail = error.stderr_tail if isinstance(error, WorkerCrash | WorkerTimeout) else ""
            return Smoked(steps=(_failed_step(f"{error}\n{tail}".rstrip()),))
        if isinstance(reply, Smoked):
            return reply
        return Smoked(
            steps=(_failed_step(reply.reason if isinstance(reply, Failed) else f"answered with {reply.type}"),)
        )

    def cold_start(self) -> str:
        """Open the driver in another process, which counts as no restart, and end it: why that failed, or nothing."""
        launch = self.launch.model_copy(update={"environment": {**_STILL, **self.launch.environment}})
        return cold_start(launch, self._deadlines, self._scratch, self.identity)

    def _ask(self, request: Record) -> Reply:
        """Ask the worker, starting a fresh one first where there is none. A dead worker is dropped."""
        if self._worker is None:
            self._restart()
        if self._worker is None:  # pragma: no cover - _restart either sets it or raises
            raise WorkerCrash(self.lost, status="lost")
        try:
            reply = self._worker.ask(request)
        except WorkerError:
            self._drop()
            raise
        if getattr(reply, "retire", False):
            self._retire()
        return reply

    def _restart(self) -> None:
        if self.lost:
            raise WorkerCrash(self.lost, status="lost")
        if self._restarts >= self._restart_budget:
            self.lost = f"{self.launch.label} is lost: its worker was replaced {self._restart_budget} times"
            raise WorkerCrash(self.lost, status="lost")
        self._restarts += 1
        self._say(f"{self.launch.label}: starting a fresh worker ({self._restarts} of {self._restart_budget})")
        try:
            self._open()
        except DeviceError as error:
            self._drop()
            raise WorkerCrash(str(error), status="lost", phase=Phase.ENUMERATE.value) from error
        except WorkerCrash as error:
            self._drop()
            if error.status == "replaced":
                self.lost = str(error)
            raise
        except WorkerError:
            self._drop()
            raise

    def renew(self) -> None:
        """End the worker and start another, though nothing is wrong with it: each process has a level of its own.

        That is no replacement and counts as none. Where the new one does not come up, the next request tries again.
        """
        if self._worker is None:
            return
        self._end()
        try:
            self._open()
        except (WorkerError, DeviceError) as error:
            self._drop()
            if isinstance(error, WorkerCrash) and error.status == "replaced":
                self.lost = str(error)

    def _retire(self) -> None:
        """End a worker whose context may be damaged; the next request starts a fresh one."""
        if self._worker is not None:
            with contextlib.suppress(WorkerError):
                self._worker.close()
        self._drop()

    def _end(self) -> None:
        """Ask a worker that nothing is wrong with to end, and remember where it did not end well."""
        if self._worker is not None:
            try:
                self._worker.close()
            except WorkerError as error:
                self._ended_badly.append(last_words(error))
        self._drop()

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def abandon(self) -> None:
        """Kill the worker without a goodbye, which a driver may drag out; the run was interrupted."""
        self._drop()
        self._lock.release()

    def close(self) -> str:
        """End the worker; a sentence where one did not end well, else nothing. Harmless when called twice.

        It speaks of each worker that was asked to end though nothing was wrong with it, not of one that was given up.
        """
        self._end()
        self._release()
        problems, self._ended_badly = self._ended_badly, []
        return "; ".join(problems)


# OpenBLAS's threads spin for some 0.1 s after a product: beside them, a CPU driver's next launches took twice as long.
_STILL = {"OPENBLAS_NUM_THREADS": "1"}
_SHARED_FIELDS = (
    "status",
    "reason",
    "phase",
    "variant",
    "unit",
    "flops",
    "bytes_moved",
    "kernel_sha256",
    "build_options",
    "sessions",
    "timer",
    "guard",
    "selector",
    "pressure_completed",
    "waited_s",
    "phase_s",
)


def _not_ok(status: MeasurementStatus) -> MeasurementStatus:
    """A failed request is never ``ok``, whatever the worker claims."""
    return MeasurementStatus.LOST if status is MeasurementStatus.OK else status


def _failed_step(detail: str) -> SmokeStep:
    return SmokeStep(
        name="worker",
        status="failed",
        detail=detail,
        recommendation=advise(
            detail,
            "The driver took its process down. Leave it out, try another version of it, or report it with the lines "
            "above.",
        ),
    )
