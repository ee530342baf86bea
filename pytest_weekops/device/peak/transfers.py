"""Bandwidth between host and device: written, read, and read through a map; every word of each transfer compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.peak.memory import pattern
from pytest_weekops.device.peak.probe import POISON, Bench, Taken, Words, read_words, refuse_difference


class Transfers:
    """One array on the host and one on the device, and what has to arrive.

    ``pinned``: the host's array is memory that the driver allocated for it, mapped until :meth:`close`.
    """

    def __init__(self, bench: Bench, *, pinned: bool = False) -> None:
        self._queue = bench.queue
        self._words = pattern(bench.words())
        self._whole = slice(0, len(self._words))
        self._mapped = _pinned(bench.queue, len(self._words)) if pinned else None
        self._host = np.empty(len(self._words), dtype=np.uint32) if self._mapped is None else self._mapped
        self._host[:] = POISON
        self._buffer = bench.poisoned(len(self._words))

    def measure(self, bench: Bench, transfer: Callable[[], None], *, to_device: bool) -> Taken:
        """Each transfer by itself, with other words each time; the first is not timed. Raises ``WrongResult``."""
        times = []
        for number in range(bench.amounts.repeats + 1):
            right = self._words ^ np.uint32(number)
            self._prepare(right, to_device=to_device)
            bench.notify(Phase.LAUNCH)
            start = time.perf_counter_ns()
            transfer()
            times.append(float(max(1, time.perf_counter_ns() - start)))
            bench.notify(Phase.VERIFY)
            there = read_words(self._queue, self._buffer, self._whole) if to_device else self._host
            refuse_difference(there, right, 0, "transfer")
        return Taken(tuple(times[1:]), float(self._words.nbytes), f"{self._words.nbytes // 2**20} MiB")

    def _prepare(self, right: Words, *, to_device: bool) -> None:
        if to_device:
            self._host[:] = right
            return
        cl.enqueue_copy(self._queue, self._buffer, right, is_blocking=True)
        self._host[:] = POISON

    def write(self) -> None:
        """Host to device."""
        cl.enqueue_copy(self._queue, self._buffer, self._host, is_blocking=True)

    def read(self) -> None:
        """Device to host."""
        cl.enqueue_copy(self._queue, self._host, self._buffer, is_blocking=True)

    def map(self) -> None:
        """Device to host, by the host's own copy out of the mapped buffer."""
        mapped: Any
        mapped, _event = cl.enqueue_map_buffer(
            self._queue, self._buffer, cl.map_flags.READ, 0, self._host.shape, self._host.dtype, is_blocking=True
        )
        np.copyto(self._host, mapped)
        mapped.base.release(self._queue)
        self._queue.finish()

    def close(self) -> None:
        """Give pinned memory back."""
        if self._mapped is not None:
            self._mapped.base.release(self._queue)
            self._queue.finish()


def _pinned(queue: Any, words: int) -> Any:
    """Host memory of the driver's own, which it need not copy before a transfer (OpenCL 1.2, table 5.3)."""
    flags = cl.mem_flags
    buffer = cl.Buffer(queue.context, flags.READ_WRITE | flags.ALLOC_HOST_PTR, 4 * words)
    both: Any = cl.map_flags.READ | cl.map_flags.WRITE
    mapped, _event = cl.enqueue_map_buffer(queue, buffer, both, 0, (words,), np.dtype(np.uint32), is_blocking=True)
    return mapped


def _transfer(way: Callable[[Transfers], None], *, to_device: bool, pinned: bool = False) -> Callable[[Bench], Taken]:
    def measure(bench: Bench) -> Taken:
        transfers = Transfers(bench, pinned=pinned)
        try:
            return transfers.measure(bench, lambda: way(transfers), to_device=to_device)
        finally:
            transfers.close()

    return measure


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    "transfer_write": _transfer(Transfers.write, to_device=True),
    "transfer_read": _transfer(Transfers.read, to_device=False),
    "transfer_write_pinned": _transfer(Transfers.write, to_device=True, pinned=True),
    "transfer_read_pinned": _transfer(Transfers.read, to_device=False, pinned=True),
    "transfer_map": _transfer(Transfers.map, to_device=False),
}
