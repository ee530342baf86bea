"""One session of a case on its device: fresh data, warm-up, timed launches one by one, and the verified result."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyopencl as cl

from pytest_weekops.core.measurement.calm import is_enough
from pytest_weekops.core.measurement.patience import Patience
from pytest_weekops.core.measurement.records import Phase, SessionSamples
from pytest_weekops.core.measurement.session import (
    LONG_WARM_UP_S,
    OTHER_DATA,
    STEADY_MEDIANS,
    launch_count,
    usual_launch_ns,
)
from pytest_weekops.device.digest import Digest
from pytest_weekops.device.launcher import Launcher
from pytest_weekops.device.looks import Data, Looks, session_data
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Judging, Operation, Shape
from pytest_weekops.device.pressure import Pressure
from pytest_weekops.device.timing import Launch, time_launch
from pytest_weekops.device.verify import Comparison, refuse_wide_bound
from pytest_weekops.device.watch import Watch
from pytest_weekops.worker.load import Neighbours
from pytest_weekops.worker.protocol import MeasureRequest

STEADY_SHARE = 0.05

Notify = Callable[[Phase], None]


@dataclass
class Session:
    """Session ``number`` of a request: :meth:`prepare`, :meth:`launch` as often as wanted, :meth:`finish`."""

    device: OpenDevice
    request: MeasureRequest
    notify: Notify
    launcher: Launcher
    watch: Watch
    operation: Operation
    shape: Shape
    number: int
    digest: Digest
    pressure: Pressure | None = None
    usual_ns: float = 0.0
    caught: str = ""
    timed: list[Launch] = field(default_factory=list)
    warm: list[Launch] = field(default_factory=list)
    compared: list[int] = field(default_factory=list)
    outside: str = ""
    _slot: int = 0
    _drawn: int = -1

    def prepare(self) -> None:
        """Upload the session's data, warm up, and have the guard prove itself."""
        self.notify(Phase.UPLOAD)
        self._data = self._load()
        for slot, inputs in enumerate(self._data.inputs):
            self.launcher.upload(inputs, slot)
        self._looks = Looks(
            self.launcher,
            self._data,
            self.digest.take,
            lambda found, scaled: problem(found, scaled, self.request),
            self.notify,
        )
        self.watch.begin(self._data, seed=self.request.seed, session=self.number)
        self.launcher.poison()
        self._warm_up()
        self.usual_ns = usual_launch_ns([launch.wall_ns for launch in self.warm])
        self.caught = self.caught or self._contained() or self.watch.trust(self.usual_ns)

    def _load(self) -> Data:
        request = self.request
        numbers = [n for n in (self.number, self.number + OTHER_DATA) if n in request.references]
        paths = [request.references[n] for n in numbers]
        flushes = not self.device.device.single_fp_config & cl.device_fp_config.DENORM
        data = session_data(self.operation, self.shape, request.seed, numbers, paths, flushes_subnormals=bool(flushes))
        if request.operation != "gemm" and not isinstance(self.operation, Judging):  # no absolute bound decides there
            for reference, unit in zip(data.references, data.units, strict=False):
                refuse_wide_bound(unit, request.k_scaled_bound, reference, request.operation)
        return data

    def _contained(self) -> str:
        """What the kernel wrote beside its buffers, in words."""
        if damage := self.launcher.damage():
            self.outside = f"the kernel wrote outside of {damage}"
        return self.outside

    @property
    def planned(self) -> int:
        """Launches of a session: as many as asked for, more where they would not fill the least session time."""
        return launch_count(self.request.iterations, self.request.least_session_ms, self.usual_ns)

    def launch(self, *, last: bool) -> None:
        """One timed launch; the ``last`` result is compared as a whole. Nothing is launched once one was wrong."""
        if self.caught:
            return
        if self.pressure is not None:
            self.pressure.between(len(self.timed), max(self.planned, len(self.timed) + 1))
        if not self.timed:
            self._drawn = self._draw()
        self._turn()
        self.notify(Phase.LAUNCH)
        self.timed.append(time_launch(self.device.queue, self.launcher.enqueue, self.watch.behind(self.usual_ns)))
        number = len(self.timed)
        whole = last or number == self._drawn
        if whole:
            self.compared.append(number)
        self.caught = self.watch.after(self.timed[-1].wall_ns) or self._look(f"launch {number}", whole=whole)

    def end(self) -> None:
        """No launch comes any more: what the last one left is compared element by element."""
        if self.timed and not self.caught and len(self.timed) not in self.compared:
            self.compared.append(len(self.timed))
            self.caught = self._look(f"launch {len(self.timed)}", whole=True)

    def _draw(self) -> int:
        """Which launch besides the last one is compared element by element; 0 where only one is planned."""
        draws = random.Random(f"{self.request.seed} {self.request.guard_draw} {self.number}")  # noqa: S311 - replayable
        return 1 + int(draws.random() * (self.planned - 1)) if self.planned > 1 else 0

    def _turn(self) -> None:
        """Take the other inputs for the launch that comes next.

        Nothing is written then: a launch that is only run behind a write, or that only fills in what is not there,
        shows. Where there is one set of inputs only, or C is read, the output is overwritten before each launch alike.
        """
        self._slot = (len(self.warm) + len(self.timed)) % len(self._data.inputs)
        self.launcher.use(self._slot)
        if not self._data.takes_turns or self.shape.beta != 0.0:
            self.launcher.poison()
        self.watch.before(self._slot)

    def _look(self, what: str, *, whole: bool = False) -> str:
        return self._looks.after(self._slot, what, whole=whole)

    def run(self, wait_s: float = 0.0) -> float:
        """All launches of a session without a partner: beyond those planned until as many were calm, within bounds.

        ``wait_s`` are the seconds for which it may wait while other programs run; returns those that it did.
        """
        patience, neighbours = Patience(self.planned, wait_s), Neighbours(self.request.max_run_delay_percent)
        while not self.caught:
            self._pause(patience, neighbours)
            self.launch(last=patience.may_be_last)
            patience.note([self._was_calm(self.timed[-1])], self.timed[-1].wall_ns * 1e-9)
            if patience.is_over:
                break
        return patience.waited_s

    def _pause(self, patience: Patience, neighbours: Neighbours) -> None:
        """Wait where that is due, and warm up with one launch behind it, so that what counts was not cold.

        Where other programs turn out to have next to no CPU time the threads wait for each other, and waiting is vain.
        """
        if not (pause_s := patience.pause_s):
            return
        began = time.monotonic()
        time.sleep(pause_s)
        self._warm_launch()
        patience.paused(time.monotonic() - began)
        if neighbours.waits_for_itself():
            patience.give_up()

    def _was_calm(self, launch: Launch) -> bool:
        return is_enough(launch.wall_ns, launch.delay_ns, self.request.max_run_delay_percent)

    def finish(self) -> tuple[SessionSamples, str]:
        """The session's samples, and why its result is wrong, or nothing."""
        self.notify(Phase.READ_BACK)
        self.caught = self.caught or self._contained() or self._looks.settle()
        found = self.watch.settle(are_right=not self.caught and not self._looks.varies)
        self.caught = self.caught or found
        if self._looks.worst is None:  # caught before anything was compared: what is there now is, for the record
            self._looks.after(self._slot, "", whole=True)
        return self._samples(), f"session {self.number}: {self.caught}" if self.caught else ""

    def _samples(self) -> SessionSamples:
        timed, looks = self.timed, self._looks
        assert looks.worst is not None
        return SessionSamples(
            session=self.number,
            warmup_ns=tuple(launch.wall_ns for launch in self.warm),
            wall_ns=tuple(launch.wall_ns for launch in timed),
            device_ns=_all_or_none([launch.device_ns for launch in timed]),
            start_ns=tuple(launch.start_ns for launch in timed),
            delay_ns=_all_or_none([launch.delay_ns for launch in timed]),
            cpu_ns=_all_or_none([launch.scheduled.cpu_ns if launch.scheduled else None for launch in timed]),
            verified=not self.caught,
            max_abs_error=looks.worst.max_abs_error,
            k_scaled_error=looks.worst_scaled,
            error_scale=self._data.units[0],
            nonfinite=looks.worst.nonfinite,
            compared=tuple(self.compared),
            looked_at=looks.looked_at,
            same_bits=looks.same_bits,
            outside=self.outside,
        )

    def _warm_up(self) -> None:
        """Launch until the last five running medians agree within 5 %, within the request's bounds."""
        medians: list[float] = []
        began = time.monotonic()
        while len(self.warm) < self.request.warmup_max:
            self._warm_launch()
            if self.caught:
                break
            medians.append(statistics.median(launch.wall_ns for launch in self.warm[-STEADY_MEDIANS:]))
            if len(self.warm) == 1:
                began = time.monotonic()
            elif time.monotonic() - began > LONG_WARM_UP_S:
                break
            if len(self.warm) >= self.request.warmup_min and _steady(medians[-STEADY_MEDIANS:]):
                break

    def _warm_launch(self) -> None:
        """A launch whose result is looked at and whose time is kept and never used."""
        self.notify(Phase.WARM_UP)
        self._turn()
        self.warm.append(time_launch(self.device.queue, self.launcher.enqueue))
        self.caught = self._look(f"warm-up launch {len(self.warm)}")


def _all_or_none(values: list[Any]) -> tuple[int, ...] | None:
    return None if None in values else tuple(values)


def _steady(medians: list[float]) -> bool:
    return len(medians) >= STEADY_MEDIANS and max(medians) <= (1.0 + STEADY_SHARE) * min(medians)


def problem(found: Comparison, scaled: float, request: MeasureRequest) -> str:
    """Why a result is wrong, or nothing. Written so that a NaN fails every comparison."""
    if found.said:
        return found.said
    where = f"row {found.row}, column {found.column}: {found.value!r} where {found.expected!r} is right"
    if found.nonfinite:
        return f"{found.nonfinite} elements are not finite; {where}"
    if request.max_abs_error is not None and not found.max_abs_error <= request.max_abs_error:
        return f"error {found.max_abs_error:.3g} exceeds {request.max_abs_error:.3g}; {where}"
    if math.isinf(scaled):
        return f"error {found.max_abs_error:.3g} exceeds 0, which is the bound of an exact result; {where}"
    if request.k_scaled_bound is not None and not scaled <= request.k_scaled_bound:
        return f"error of {scaled:.3g} rounding units exceeds {request.k_scaled_bound:.3g}; {where}"
    if request.max_abs_error is None and request.k_scaled_bound is None:
        return "no bound was given, so nothing can be called right"
    return ""
