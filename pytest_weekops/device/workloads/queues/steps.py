"""The host calls themselves. Imported where a driver is, and never by whoever makes references."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.device.operation import HostWork
from pytest_weekops.device.workloads.parts import up
from pytest_weekops.device.workloads.queues.patterns import CHAIN, GROUP, MASK, PATTERNS

_STALE = 0xDEADBEEF
_WORD: Any = np.dtype(np.uint32)
_A_WHILE_S = 0.005  # in which a kernel that does not wait would run
_CALLBACK_S = 10.0


class _Calls:
    """A launch's own buffers, and kernels on them; everything is freed at its end, whatever came of it."""

    def __init__(self, work: HostWork, n: int) -> None:
        self.work, self.n, self.count = work, n, n * n
        self.queue, self.context = work.queue, work.queue.context
        self._held: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.queue.finish()
        for held in reversed(self._held):
            held.release()

    def buffer(self, nbytes: int = 0, flags: int = 0) -> Any:
        """A buffer of this launch, as large as x where nothing else is said; what an earlier one left is not in it."""
        flags |= cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        stale = np.full(-(-(nbytes or 4 * self.count) // 4), _STALE, dtype=np.uint32)
        self._held.append(cl.Buffer(self.context, flags, hostbuf=stale))
        return self._held[-1]

    def mix(self, source: Any, to: Any, salt: int, queue: Any = None, wait_for: Sequence[Any] = ()) -> Any:
        """The event of ``mix_in``."""
        kernel = self.work.kernels["mix_in"]
        kernel.set_args(source, to, np.int32(self.count), np.uint32(salt))
        return self._run(kernel, queue, wait_for)

    def add(self, one: Any, other: Any, to: Any, queue: Any = None, wait_for: Sequence[Any] = ()) -> Any:
        """The event of ``add_up``."""
        kernel = self.work.kernels["add_up"]
        kernel.set_args(one, other, to, np.int32(self.count))
        return self._run(kernel, queue, wait_for)

    def _run(self, kernel: Any, queue: Any, wait_for: Sequence[Any]) -> Any:
        size = (up(self.count, GROUP),)
        return cl.enqueue_nd_range_kernel(queue or self.queue, kernel, size, (GROUP,), wait_for=list(wait_for) or None)

    def put(self, part: int, source: Any, at: int = 0) -> Any:
        """The event of copying a part of the result from where a buffer has it."""
        nbytes = 4 * self.count
        out = self.work.buffers["out"]
        return cl.enqueue_copy(self.queue, out, source, src_offset=at, dst_offset=part * nbytes, byte_count=nbytes)


def _corners(n: int) -> list[tuple[slice, slice, int, int]]:
    """Four rectangles of an n x n matrix, and where each goes: rows roll by a third, columns by a half."""
    down, right = n // 3, n // 2
    rows = ((slice(0, n - down), down), (slice(n - down, n), 0))
    columns = ((slice(0, n - right), right), (slice(n - right, n), 0))
    return [(r, c, to_r, to_c) for r, to_r in rows for c, to_c in columns if r.stop > r.start and c.stop > c.start]


def _rectangles(calls: _Calls, source: Any, to: Any) -> list[Any]:
    """The events of rolling a matrix as four rectangles."""
    n = calls.n
    return [
        cl.enqueue_copy(
            calls.queue,
            to,
            source,
            src_origin=(4 * columns.start, rows.start, 0),
            dst_origin=(4 * to_column, to_row, 0),
            region=(4 * (columns.stop - columns.start), rows.stop - rows.start, 1),
            src_pitches=(4 * n,),
            dst_pitches=(4 * n,),
        )
        for rows, columns, to_row, to_column in _corners(n)
    ]


def _buffers(work: HostWork, n: int) -> list[Any]:
    """Rectangles, a sub-buffer, maps, and a callback."""
    x = work.buffers["x"]
    with _Calls(work, n) as calls:
        source, rolled = calls.buffer(), calls.buffer()
        events = [cl.enqueue_copy(calls.queue, source, x, byte_count=4 * calls.count)]
        events += [*_rectangles(calls, source, rolled), calls.put(0, rolled)]
        align = max(work.queue.device.mem_base_addr_align // 8, 128)
        parent = calls.buffer(2 * align + 4 * calls.count)
        inner = parent.get_sub_region(align, 4 * calls.count)
        events += [calls.mix(x, inner, 7), calls.put(1, parent, at=align)]
        calls.queue.finish()
        inner.release()
        events += [_through_maps(calls, x), _called_back(calls, x)]
    return events


def _sub_rectangles(work: HostWork, n: int) -> list[Any]:
    """The same rectangles from one sub-buffer to another, which x and the result are."""
    with _Calls(work, n) as calls:
        return _rectangles(calls, work.buffers["x"], work.buffers["out"])


def _through_maps(calls: _Calls, x: Any) -> Any:
    seen, _ = cl.enqueue_map_buffer(calls.queue, x, cl.map_flags.READ, 0, (calls.count,), _WORD)
    values = seen ^ np.uint32(MASK)
    seen.base.release(calls.queue)
    pinned = calls.buffer(flags=cl.mem_flags.ALLOC_HOST_PTR)
    written, _ = cl.enqueue_map_buffer(calls.queue, pinned, cl.map_flags.WRITE, 0, (calls.count,), _WORD)
    written[:] = values
    written.base.release(calls.queue)
    return calls.put(2, pinned)


def _called_back(calls: _Calls, x: Any) -> Any:
    mixed, called = calls.buffer(), threading.Event()
    ended = calls.mix(x, mixed, 11)
    ended.set_callback(cl.command_execution_status.COMPLETE, lambda _status: called.set())
    ended.wait()
    if not called.wait(_CALLBACK_S):
        raise DeviceError(f"The callback of a complete event did not come within {_CALLBACK_S:g} s.")
    return calls.put(3, mixed)


def _user_events(work: HostWork, n: int) -> list[Any]:
    """A kernel that waits for the host's own event, another one behind it, and arguments set anew between the two."""
    with _Calls(work, n) as calls:
        first, second = calls.buffer(), calls.buffer()
        start = cl.UserEvent(calls.context)
        try:
            begun = calls.mix(work.buffers["x"], first, 11, wait_for=[start])
            ended = calls.mix(first, second, 13, wait_for=[begun])
            calls.queue.flush()
            time.sleep(_A_WHILE_S)
            too_early = ended.command_execution_status == cl.command_execution_status.COMPLETE
        finally:
            start.set_status(cl.command_execution_status.COMPLETE)
        ended.wait()
        if too_early:
            raise DeviceError("A kernel was complete before the user event that it waits for. Wait lists are ignored.")
        return [begun, ended, calls.put(0, second)]


def _out_of_order(work: HostWork, n: int) -> list[Any]:
    """Two kernels that no order binds, a third behind both, and a chain in place, in a queue that keeps no order."""
    x, kinds = work.buffers["x"], cl.command_queue_properties
    both: Any = kinds.OUT_OF_ORDER_EXEC_MODE_ENABLE | kinds.PROFILING_ENABLE
    with _Calls(work, n) as calls:
        free = cl.CommandQueue(
            calls.context,
            calls.queue.device,
            properties=both,
        )
        try:
            one, other, chain = calls.buffer(), calls.buffer(), calls.buffer()
            events = [calls.mix(x, one, 17, free), calls.mix(x, other, 19, free)]
            events.append(calls.add(one, other, one, free, events[:2]))
            last = calls.mix(x, chain, 0, free)
            for salt in range(1, CHAIN):
                last = calls.mix(chain, chain, salt, free, [last])
            events.append(last)
            cl.enqueue_barrier(free)
            free.finish()
        finally:
            free.finish()
        return [*events, calls.put(0, one), calls.put(1, chain)]


def _fills(work: HostWork, n: int) -> list[Any]:
    """Each pattern into all of a buffer, and 16 bytes of x into its middle."""
    nbytes = 4 * n * n
    with _Calls(work, n) as calls:
        events = []
        for part, pattern in enumerate(PATTERNS):
            padded = calls.buffer(up(nbytes, 16))
            events += [cl.enqueue_fill_buffer(calls.queue, padded, pattern, 0, up(nbytes, 16)), calls.put(part, padded)]
        bordered = calls.buffer()
        events += [
            calls.mix(work.buffers["x"], bordered, 23),
            cl.enqueue_fill_buffer(calls.queue, bordered, PATTERNS[2], 4 * (n * n // 2), 4),
            calls.put(len(PATTERNS), bordered),
        ]
    return events


def _shared(work: HostWork, n: int) -> list[Any]:
    """Coarse-grained shared memory: written by the host through a map, mixed by a kernel, read by the host."""
    with _Calls(work, n) as calls:
        x = np.empty(calls.count, dtype=np.uint32)
        cl.enqueue_copy(calls.queue, x, work.buffers["x"], is_blocking=True)
        given, made = (cl.SVM(cl.csvm_empty(calls.context, (calls.count,), _WORD)) for _ in range(2))
        # Other words first, by the device: memory of an earlier launch may hold those that the host has to bring.
        events = [calls.mix(work.buffers["x"], given, 31)]
        with given.map_rw(calls.queue) as view:
            view[:] = x
        with made.map_rw(calls.queue) as view:
            view[:] = _STALE
        events.append(calls.mix(given, made, 29))
        with made.map_ro(calls.queue) as view:
            result = np.array(view)
        cl.enqueue_copy(calls.queue, work.buffers["out"], result, is_blocking=True)
        return events


DRIVES: dict[str, Callable[[HostWork, int], list[Any]]] = {
    "queue": _buffers,
    "queue_sub_rectangles": _sub_rectangles,
    "queue_user_events": _user_events,
    "queue_out_of_order": _out_of_order,
    "queue_fill": _fills,
    "queue_svm": _shared,
}
