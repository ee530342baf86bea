"""Kernels whose items leave a digest each: as many items as make a launch long enough, all of them checked."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.peak.probe import GROUP, POISON, Bench, Words, read_words, refuse_difference, stretch

_GROUPS_PER_UNIT = 32  # 2048 items on each compute unit: a GPU's whole occupancy
_MOST_BYTES = 64 * 2**20  # of digests
_PERIOD = 4 * GROUP  # items after which the digests repeat


class Digested:
    """A kernel in one shape. Subclasses say its arguments and what every item has to leave."""

    what = ""

    def __init__(self, bench: Bench, kernel: Any, width: int, per_item: float, how: str) -> None:
        self._queue, self._kernel, self._width = bench.queue, kernel, width
        self.how = how
        self._ramp = bench.upload(np.arange(width, dtype=np.uint32))
        most = max(4 * GROUP, min(bench.device.identity.compute_units * _GROUPS_PER_UNIT * GROUP, self._fitting(bench)))
        self._out = bench.poisoned(most * width)
        bench.notify(Phase.WARM_UP)
        self._items = self._enough(most, bench.amounts.target_ms * 1e6)
        cl.enqueue_copy(self._queue, self._out, np.full(most * width, POISON, dtype=np.uint32), is_blocking=True)
        self.amount = per_item * self._items
        self._right: dict[int, Words] = {}

    def _fitting(self, bench: Bench) -> int:
        nbytes = min(_MOST_BYTES, bench.device.identity.max_alloc_bytes)
        return nbytes // (4 * self._width) // _PERIOD * _PERIOD

    def _enough(self, most: int, target_ns: float) -> int:
        """As many items, by doubling, as make a launch last a target's length; at most what fits."""
        items = _PERIOD
        while True:
            self._items = items
            self.launch(0)
            self._queue.finish()  # the first launch of a shape may compile it
            start = time.perf_counter_ns()
            self.launch(0)
            self._queue.finish()
            if time.perf_counter_ns() - start >= target_ns or 2 * items > most:
                return items
            items *= 2

    def arguments(self, key: int) -> tuple[Any, ...]:
        """What the kernel gets behind its two arrays."""
        raise NotImplementedError

    def digests(self, key: np.uint32) -> Words:
        """What a period of items leaves with this key: ``_PERIOD`` x width words."""
        raise NotImplementedError

    def launch(self, key: int) -> None:
        """All items once."""
        self._kernel.set_args(self._ramp, self._out, *self.arguments(key))
        cl.enqueue_nd_range_kernel(self._queue, self._kernel, (self._items,), (GROUP,))

    def check(self, key: int, *, whole: bool) -> None:
        """Every item's digest, or those of a stretch."""
        count = self._items * self._width
        part = slice(0, count) if whole else stretch(key, count)
        if key not in self._right:
            self._right[key] = self.digests(np.uint32(key)).ravel()
        period = self._right[key]
        right = np.resize(np.roll(period, -(part.start % period.size)), part.stop - part.start)
        refuse_difference(read_words(self._queue, self._out, part), right, part.start, self.what)


def item_starts(width: int, key: np.uint32) -> Words:
    """Place in the group + lane + key of a period of items: ``_PERIOD`` x width words."""
    items = np.arange(_PERIOD, dtype=np.uint32)[:, None] % np.uint32(GROUP)
    return items + np.arange(width, dtype=np.uint32)[None, :] + key
