"""What a launch costs that does as little as can be proved: each adds one, in the place that its offset says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.peak.probe import Bench, Taken, read_words, refuse_difference

FILE = "peak_launch.cl"
_OUT_OF_ORDER: Any = cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE


class Launches:
    """A queue of its own, without event times, and ``launches`` places to count in."""

    def __init__(self, bench: Bench, *, out_of_order: bool = False) -> None:
        self._bench, self._count = bench, bench.amounts.launches
        self._kernel = bench.kernel(FILE, "peak_launch")
        self._places = bench.upload(np.zeros(self._count, dtype=np.uint32))
        self._kernel.set_args(self._places)
        device = bench.device
        properties: Any = _OUT_OF_ORDER if out_of_order else 0
        self._queue: Any = cl.CommandQueue(device.context, device.device, properties=properties)

    def _one(self, place: int = 0, behind: Any = None) -> Any:
        return cl.enqueue_nd_range_kernel(self._queue, self._kernel, (1,), (1,), (place,), wait_for=behind)

    def waited_for(self) -> None:
        """One launch after another, each waited for."""
        for _ in range(self._count):
            self._one()
            self._queue.finish()

    def in_a_row(self) -> None:
        """All in one place, in order."""
        for _ in range(self._count):
            self._one()
        self._queue.finish()

    def side_by_side(self) -> None:
        """Each in a place of its own, in whatever order."""
        for place in range(self._count):
            self._one(place)
        self._queue.finish()

    def chained(self) -> None:
        """All in one place, each behind the event of the one before it."""
        event = None
        for _ in range(self._count):
            event = self._one(0, None if event is None else [event])
        self._queue.finish()

    def measure(self, batch: Callable[[], None], *, one_place: bool) -> Taken:
        """Batches, the first not timed; behind each the places are counted. Raises ``WrongResult``."""
        times = []
        right = np.zeros(self._count, dtype=np.uint32)
        for _ in range(self._bench.amounts.repeats + 1):
            self._bench.notify(Phase.LAUNCH)
            start = time.perf_counter_ns()
            batch()
            times.append(float(max(1, time.perf_counter_ns() - start)))
            if one_place:
                right[0] += self._count
            else:
                right += 1
            self._bench.notify(Phase.VERIFY)
            there = read_words(self._queue, self._places, slice(0, self._count))
            refuse_difference(there, right, 0, "launches counted")
        return Taken(tuple(times[1:]), float(self._count), f"{self._count} launches a batch")


def _latency(
    way: Callable[[Launches], None], *, one_place: bool = True, out_of_order: bool = False
) -> Callable[[Bench], Taken]:
    def measure(bench: Bench) -> Taken:
        launches = Launches(bench, out_of_order=out_of_order)
        return launches.measure(lambda: way(launches), one_place=one_place)

    return measure


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    "launch_round_trip": _latency(Launches.waited_for),
    "launch_in_order": _latency(Launches.in_a_row),
    "launch_out_of_order": _latency(Launches.side_by_side, one_place=False, out_of_order=True),
    "launch_event_chain": _latency(Launches.chained, out_of_order=True),
}
