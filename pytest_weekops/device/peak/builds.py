"""What a build costs, cold and warm: from a text to its kernel's first result, for which some drivers compile, too."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.level0.chains import KINDS, digest
from pytest_weekops.device.peak.arithmetic import FILE
from pytest_weekops.device.peak.digested import item_starts
from pytest_weekops.device.peak.probe import Bench, Taken, read_words, refuse_difference
from pytest_weekops.device.program import build

_WIDTH, _CHAINS, _ITEMS, _MOST = 4, 4, 256, 5


class Builds:
    """Programs that differ in one number, which is part of their code and of their kernel's result."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._text = bench, bench.text(FILE)
        self._ramp = bench.upload(np.arange(_WIDTH, dtype=np.uint32))
        self._out = bench.poisoned(_ITEMS * _WIDTH)

    def once(self, mixer: int) -> float:
        """Nanoseconds of one build with the launch behind it. Raises ``BuildError`` and ``WrongResult``."""
        device, queue, kind = self._bench.device, self._bench.queue, KINDS["float"]
        options = (f"-DWIDTH={_WIDTH}", f"-DCHAINS={_CHAINS}", f"-DMIXER={mixer}")
        self._bench.notify(Phase.BUILD)
        start = time.perf_counter_ns()
        kernel = cl.Kernel(build(device.context, device.device, self._text, options, FILE), "peak_arithmetic")
        factors = map(np.uint32, kind.factors)
        kernel.set_args(self._ramp, self._out, *factors, np.uint32(0), np.int32(kind.loops))
        cl.enqueue_nd_range_kernel(queue, kernel, (_ITEMS,), (64,))
        queue.finish()
        lasted = float(max(1, time.perf_counter_ns() - start))
        self._bench.notify(Phase.VERIFY)
        right = digest(kind, item_starts(_WIDTH, np.uint32(0)), _CHAINS, mixer).ravel()
        refuse_difference(read_words(queue, self._out, slice(0, right.size)), right, 0, "build")
        return lasted


def _new() -> int:
    """An odd number that no program here was built with before."""
    return 2 * secrets.randbelow(2**30) + 2**31 + 1


def _builds(bench: Bench, *, warm: bool) -> Taken:
    builds, repeats = Builds(bench), min(_MOST, bench.amounts.repeats)
    builds.once(_new())  # for this one the driver loads its compiler
    known = _new()
    if warm:
        builds.once(known)
    times = tuple(builds.once(known if warm else _new()) for _ in range(repeats))
    return Taken(times, 1.0, f"{FILE}, float{_WIDTH}, {_CHAINS} chains")


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    "build_cold": lambda bench: _builds(bench, warm=False),
    "build_warm": lambda bench: _builds(bench, warm=True),
}
