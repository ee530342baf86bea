"""Fixed work quanta beside a measurement: how fast a core is while the device is busy.

One thread computes the same product again and again and notes its own CPU time, so that being preempted costs it
nothing and a core that became slower is seen. The process must compute products in one thread, or the CPU time is not
all of it.
"""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from pytest_weekops.worker.protocol import Quanta, QuantaRequest

SIDE = 256  # 0.5 ms: of the sizes tried, the one whose time goes most with that of a large product on all cores
PERIOD_S = 0.05
MOST_QUANTA = 65_536  # an hour; older ones go
_SEED = 20240102


class Watch:
    """A thread that runs a quantum every :data:`PERIOD_S` from :meth:`begin` to :meth:`end`."""

    def __init__(self) -> None:
        generator = np.random.default_rng(_SEED)
        self._a, self._b = (generator.standard_normal((SIDE, SIDE), dtype=np.float32) for _ in range(2))
        self._out = np.empty_like(self._a)
        self._seen: deque[tuple[int, int]] = deque(maxlen=MOST_QUANTA)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start; a watch that runs already starts anew."""
        self.end()
        self._seen.clear()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="quanta", daemon=True)
        self._thread.start()

    def end(self) -> Quanta:
        """Stop, and the quanta since the beginning."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
        seen = tuple(self._seen)
        self._seen.clear()
        return Quanta(start_ns=tuple(start for start, _ in seen), cpu_ns=tuple(cpu for _, cpu in seen))

    def _run(self) -> None:
        np.matmul(self._a, self._b, out=self._out)  # the first one sets the library up
        while not self._stop.wait(PERIOD_S):
            start, before = time.perf_counter_ns(), time.thread_time_ns()
            np.matmul(self._a, self._b, out=self._out)
            self._seen.append((start, time.thread_time_ns() - before))


_watch: Watch | None = None


def answer(request: QuantaRequest) -> Quanta:
    """Begin to watch, or end and say what was seen."""
    global _watch  # noqa: PLW0603 - one per host worker, made when first asked for
    if _watch is None:
        _watch = Watch()
    if request.run:
        _watch.begin()
        return Quanta()
    return _watch.end()
