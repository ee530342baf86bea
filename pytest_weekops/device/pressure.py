"""Pressure pulses: bursts of GEMM on the device's own queue, whose result is looked at too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.core.selection.selector import choose_variant
from pytest_weekops.device.launcher import Launcher, make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Gemm, Shape
from pytest_weekops.files.kernel_sources import load_sources
from pytest_weekops.worker.protocol import MeasureRequest, Pressed, PressureRequest

_PRESSURE_SEED = 7


def _launcher(device: OpenDevice, size: int, dirs: tuple[str, ...]) -> Launcher:
    sources = load_sources(dirs)
    entries = {mode: source.entry for mode, source in sources.items() if source.entry.operation == "gemm"}
    chosen = choose_variant("auto", device.identity, size, size, size, entries)
    shape = Shape(m=size, n=size, k=size)
    launcher = make_launcher(device.queue, device.programs, sources[chosen.mode], shape)
    launcher.upload(Gemm().inputs(shape, _PRESSURE_SEED, 1))
    launcher.poison()
    return launcher


def press(device: OpenDevice, request: PressureRequest, notify: Callable[[Phase], None]) -> Pressed:
    """Send ``pulses`` bursts of ``iterations`` launches each. A pulse whose result is not finite has failed."""
    notify(Phase.BUILD)
    launcher = _launcher(device, request.size, request.kernel_dirs)
    completed, errors = 0, []
    try:
        for number in range(1, request.pulses + 1):
            try:
                for _ in range(request.iterations):
                    notify(Phase.LAUNCH)
                    launcher.enqueue()
                    device.queue.finish()
                if request.iterations:
                    notify(Phase.READ_BACK)
                    _refuse_nonfinite(launcher.read())
            except (cl.Error, ValueError) as error:
                errors.append(f"pulse {number}: {error}")
            else:
                completed += 1
    finally:
        launcher.release()
    return Pressed(completed=completed, failures=request.pulses - completed, errors=tuple(errors[:5]))


def _refuse_nonfinite(result: Any) -> None:
    if not np.isfinite(result).all():
        raise ValueError("its result is not finite")


class Pressure:
    """Pulses during a measurement: spread over the launches of every session, outside the timed intervals."""

    def __init__(self, device: OpenDevice, request: MeasureRequest, notify: Callable[[Phase], None]) -> None:
        self.completed = 0
        self._device = device
        self._pulses = request.pressure_during
        self._notify = notify
        self._launcher = _launcher(device, request.pressure_size, request.kernel_dirs)

    def between(self, iteration: int, iterations: int) -> None:
        """Enqueue the pulses due before this launch; they still run when the launch is enqueued behind them."""
        due = (iteration + 1) * self._pulses // iterations - iteration * self._pulses // iterations
        for _ in range(due):
            self._notify(Phase.LAUNCH)
            self._launcher.enqueue()
            self._device.queue.finish()
            self.completed += 1
