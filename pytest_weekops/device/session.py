"""One session of a case on its device: fresh data, warm-up, timed launches one by one, and the verified result."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_weekops.core.measurement.calm import is_enough
from pytest_weekops.core.measurement.records import Phase, SessionSamples
from pytest_weekops.core.measurement.session import LONG_WARM_UP_S, PATIENCE, STEADY_MEDIANS, launch_count
from pytest_weekops.device.launcher import Launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Operation, Shape
from pytest_weekops.device.pressure import Pressure
from pytest_weekops.device.timing import Launch, time_launch
from pytest_weekops.device.verify import Comparison, compare, refuse_wide_bound
from pytest_weekops.device.watch import Watch
from pytest_weekops.worker.protocol import MeasureRequest

STEADY_SHARE = 0.05

Notify = Callable[[Phase], None]


@dataclass
class Session:
    """Session ``number`` of a request. :meth:`prepare`, then :meth:`launch` as often as wanted, then :meth:`finish`."""

    device: OpenDevice
    request: MeasureRequest
    notify: Notify
    launcher: Launcher
    watch: Watch
    operation: Operation
    shape: Shape
    number: int
    pressure: Pressure | None = None
    usual_ns: float = 0.0
    caught: str = ""
    timed: list[Launch] = field(default_factory=list)
    warm: list[Launch] = field(default_factory=list)

    def prepare(self) -> None:
        """Upload the session's data, warm up, and have the guard prove itself."""
        self.notify(Phase.UPLOAD)
        self._inputs = self.operation.inputs(self.shape, self.request.seed, self.number)
        self.launcher.upload(self._inputs)
        self.watch.begin(self._inputs, seed=self.request.seed, session=self.number)
        self.launcher.poison()
        self._warm_up()
        self.caught = self.watch.trust()
        self.usual_ns = statistics.median(launch.wall_ns for launch in self.warm) if self.warm else 0.0

    @property
    def planned(self) -> int:
        """Launches of a session: as many as asked for, more where they would not fill the least session time."""
        return launch_count(self.request.iterations, self.request.least_session_ms, self.usual_ns)

    def launch(self, *, last: bool) -> None:
        """One timed launch; after the ``last`` comes :meth:`finish`. Nothing is launched once a result was wrong.

        The last result is the one verified: poisoned, so that a launch that was dropped cannot pass for it, and on the
        first of the guard's two Bs, which take turns until then.
        """
        if self.caught:
            return
        if self.pressure is not None:
            self.pressure.between(len(self.timed), max(self.planned, len(self.timed) + 1))
        if not self.timed or last or self.shape.beta != 0.0:
            self.launcher.poison()
        self.notify(Phase.LAUNCH)
        self.watch.before(0 if last else (self.planned - 1 - len(self.timed)) % 2)
        self.timed.append(time_launch(self.device.queue, self.launcher.enqueue, self.watch.behind(self.usual_ns)))
        self.caught = self.watch.after(self.timed[-1].wall_ns)

    def run(self) -> None:
        """All launches of a session without a partner: beyond those planned until as many were calm, within bounds."""
        planned, most, calm = self.planned, PATIENCE * self.planned, 0
        while not self.caught:
            last = calm >= planned - 1 or len(self.timed) >= most - 1
            self.launch(last=last)
            if last:
                break
            calm += self._was_calm(self.timed[-1])

    def _was_calm(self, launch: Launch) -> bool:
        delay_ns = None if launch.scheduled is None else launch.scheduled.delay_ns
        return is_enough(launch.wall_ns, delay_ns, self.request.max_run_delay_percent)

    def finish(self) -> tuple[SessionSamples, str]:
        """The session's samples, and why its result is wrong, or nothing."""
        if self.caught:  # the element-wise comparison below knows the first B's result only
            self.watch.before(0)
            time_launch(self.device.queue, self.launcher.enqueue)
        self.notify(Phase.READ_BACK)
        result = self.launcher.read()
        self.notify(Phase.VERIFY)
        reference = np.load(self.request.references[self.number], mmap_mode="r")
        found = compare(result, reference)
        unit = self.operation.error_unit(self.shape, self._inputs)
        if self.request.operation != "gemm":  # without an absolute bound, this one decides alone
            refuse_wide_bound(unit, self.request.k_scaled_bound, reference, self.request.operation)
        scaled = found.max_abs_error / unit if unit > 0 else found.max_abs_error
        reason = (
            f"session {self.number}: {self.caught}"
            if self.caught
            else problem(found, scaled, self.request, self.number)
        )
        return self._samples(found, scaled, unit, verified=not reason), reason

    def _samples(self, found: Comparison, scaled: float, unit: float, *, verified: bool) -> SessionSamples:
        timed = self.timed
        return SessionSamples(
            session=self.number,
            warmup_ns=tuple(launch.wall_ns for launch in self.warm),
            wall_ns=tuple(launch.wall_ns for launch in timed),
            device_ns=_all_or_none([launch.device_ns for launch in timed]),
            start_ns=tuple(launch.start_ns for launch in timed),
            delay_ns=_all_or_none([launch.scheduled.delay_ns if launch.scheduled else None for launch in timed]),
            cpu_ns=_all_or_none([launch.scheduled.cpu_ns if launch.scheduled else None for launch in timed]),
            verified=verified,
            max_abs_error=found.max_abs_error,
            k_scaled_error=scaled,
            error_scale=unit,
            nonfinite=found.nonfinite,
        )

    def _warm_up(self) -> None:
        """Launch until the last five running medians agree within 5 %, within the request's bounds."""
        medians: list[float] = []
        began = time.monotonic()
        while len(self.warm) < self.request.warmup_max:
            self.notify(Phase.WARM_UP)
            if self.request.beta != 0.0:
                self.launcher.poison()
            self.watch.before(len(self.warm))
            self.warm.append(time_launch(self.device.queue, self.launcher.enqueue))
            medians.append(statistics.median(launch.wall_ns for launch in self.warm[-STEADY_MEDIANS:]))
            if len(self.warm) >= 2 and time.monotonic() - began > LONG_WARM_UP_S:
                break
            if len(self.warm) >= self.request.warmup_min and _steady(medians[-STEADY_MEDIANS:]):
                break


def _all_or_none(values: list[Any]) -> tuple[int, ...] | None:
    return None if None in values else tuple(values)


def _steady(medians: list[float]) -> bool:
    return len(medians) >= STEADY_MEDIANS and max(medians) <= (1.0 + STEADY_SHARE) * min(medians)


def problem(found: Comparison, scaled: float, request: MeasureRequest, session: int) -> str:
    """Why a result is wrong, or nothing. Written so that a NaN fails every comparison."""
    where = (
        f"session {session}, row {found.row}, column {found.column}: {found.value!r} where {found.expected!r} is right"
    )
    if found.nonfinite:
        return f"{found.nonfinite} elements are not finite; {where}"
    if request.max_abs_error is not None and not found.max_abs_error <= request.max_abs_error:
        return f"error {found.max_abs_error:.3g} exceeds {request.max_abs_error:.3g}; {where}"
    if request.k_scaled_bound is not None and not scaled <= request.k_scaled_bound:
        return f"error of {scaled:.3g} rounding units exceeds {request.k_scaled_bound:.3g}; {where}"
    if request.max_abs_error is None and request.k_scaled_bound is None:
        return "no bound was given, so nothing can be called right"
    return ""
