"""Run queue operations with one call of pyopencl replaced by a faulty one: NAME:FAULT ..., no fault where it is empty.

The device is the first that the environment leads to.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn
from unittest import mock

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.device.operation import HostWork, Shape
from pytest_weekops.device.workloads.queues import steps
from pytest_weekops.device.workloads.queues.operation import QUEUES
from pytest_weekops.files.shipped import data_dir

copy, fill, launch = cl.enqueue_copy, cl.enqueue_fill_buffer, cl.enqueue_nd_range_kernel


def _no_pitch(queue: Any, to: Any, source: Any, **words: Any) -> Any:
    if "src_pitches" in words:
        words["src_pitches"] = (words["region"][0],)
    return copy(queue, to, source, **words)


def _from_the_start(queue: Any, to: Any, source: Any, **words: Any) -> Any:
    if words.get("src_offset"):
        words["src_offset"] = 0
    return copy(queue, to, source, **words)


def _one_byte(queue: Any, buffer: Any, pattern: Any, at: int, size: int) -> Any:
    return fill(queue, buffer, pattern.view(np.uint8)[:1].copy(), at, size)


def _count_down(nth: int, instead: Callable[..., Any]) -> Callable[..., Any]:
    """Kernels as they are, but for the nth, in whose place ``instead`` is called."""
    calls = [0]

    def enqueue(*arguments: Any, **words: Any) -> Any:
        calls[0] += 1
        return (instead if calls[0] == nth else launch)(*arguments, **words)

    return enqueue


def _to_itself(queue: Any, to: Any, source: Any, **words: Any) -> Any:
    if "dst_origin" in words:
        words["dst_origin"] = words["src_origin"]
    return copy(queue, to, source, **words)


def _without_the_last(calls: int) -> Callable[..., Any]:
    """Copies but for the one of this number."""
    seen = [0]

    def enqueue(queue: Any, *arguments: Any, **words: Any) -> Any:
        seen[0] += 1
        return cl.enqueue_marker(queue) if seen[0] == calls else copy(queue, *arguments, **words)

    return enqueue


def _later() -> Callable[..., Any]:
    """The first kernel waits until the second is enqueued, and takes the arguments that it finds then."""
    calls = [0]

    def enqueue(queue: Any, kernel: Any, size: Any, local: Any, **words: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            return cl.enqueue_marker(queue, wait_for=words.get("wait_for"))
        launch(queue, kernel, size, local, **words)
        return launch(queue, kernel, size, local, **words)

    return enqueue


def _nothing(queue: Any, *_arguments: Any, **_words: Any) -> Any:
    return cl.enqueue_marker(queue)


def _early(queue: Any, kernel: Any, size: Any, local: Any, **words: Any) -> Any:
    """The sum of two before the second is there: as if that were empty still."""
    queue.finish()
    kernel.set_arg(1, _EMPTY[0])
    return launch(queue, kernel, size, local)


_EMPTY: list[Any] = []


@contextlib.contextmanager
def _lost(*_arguments: Any) -> Any:
    yield np.empty(10**6, dtype=np.uint32)[: _COUNT[0]]


_COUNT = [0]
FAULTS: dict[str, Callable[[], Any]] = {
    "": contextlib.nullcontext,
    "rectangle": lambda: mock.patch.object(cl, "enqueue_copy", _no_pitch),
    "origin": lambda: mock.patch.object(cl, "enqueue_copy", _to_itself),
    "last": lambda: mock.patch.object(cl, "enqueue_copy", _without_the_last(4)),
    "later": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _later()),
    "sub-buffer": lambda: mock.patch.object(cl, "enqueue_copy", _from_the_start),
    "map": lambda: mock.patch.object(steps, "MASK", 0),
    "callback": lambda: mock.patch.multiple(steps, _CALLBACK_S=0.2, threading=mock.Mock(Event=_Deaf)),
    "wait": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _count_down(1, _nothing)),
    "link": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _count_down(6, _nothing)),
    "early": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _count_down(3, _early)),
    "dropped": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _count_down(2, _nothing)),
    "pattern": lambda: mock.patch.object(cl, "enqueue_fill_buffer", _one_byte),
    "offset": lambda: mock.patch.object(cl, "enqueue_fill_buffer", lambda q, b, p, _at, size: fill(q, b, p, 0, size)),
    "short": lambda: mock.patch.object(
        cl, "enqueue_fill_buffer", lambda q, b, p, at, size: fill(q, b, p, at, max(p.nbytes, size - 16))
    ),
    "unseen": lambda: mock.patch.object(cl.SVM, "map_rw", _lost),
    "stale": lambda: mock.patch.object(cl.SVM, "map_ro", _lost),
    "swapped": lambda: mock.patch.object(cl, "enqueue_nd_range_kernel", _count_down(2, _nothing)),
}


class _Deaf:
    """An event of the host's that nobody hears."""

    def set(self) -> None:
        """Not heard."""

    def wait(self, _seconds: float) -> bool:
        """In vain."""
        return False


def main() -> NoReturn:
    """One line per operation and fault: right, wrong, or what was raised."""
    n = int(sys.argv[1])
    _COUNT[0] = n * n
    device = cl.get_platforms()[0].get_devices()[0]
    context = cl.Context([device])
    queue = cl.CommandQueue(context, properties=cl.command_queue_properties.PROFILING_ENABLE)
    text = (data_dir("kernels") / "queue.cl").read_text(encoding="utf-8")
    kernels = {kernel.function_name: kernel for kernel in cl.Program(context, text).build().all_kernels()}
    # Written: memory that was freed before may hold the very words that have to be missing.
    flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    _EMPTY.append(cl.Buffer(context, flags, hostbuf=np.zeros(n * n, dtype=np.uint32)))
    for word in sys.argv[2:]:
        name, fault = word.split(":")
        operation, shape = QUEUES[name], Shape(n, n, n)
        inputs = operation.inputs(shape, 5, 1)
        expected = operation.reference(shape, inputs)
        x = cl.Buffer(context, cl.mem_flags.COPY_HOST_PTR, hostbuf=inputs["x"])
        poison = np.full(expected.shape, 0x7FC5A5A5, dtype=np.uint32)
        out = cl.Buffer(context, cl.mem_flags.COPY_HOST_PTR, hostbuf=poison)
        result = np.empty_like(poison)
        try:
            with FAULTS[fault]():
                operation.drive(HostWork(queue, kernels, {"x": x, "out": out}), shape)
            copy(queue, result, out)
            print(f"{word}={'right' if np.array_equal(result, expected) else 'wrong'}", flush=True)
        except DeviceError as error:
            print(f"{word}=DeviceError: {error}", flush=True)
    # Not through the interpreter's end, which aborts where a callback that nobody waited for is still on its way.
    os._exit(0)


if __name__ == "__main__":
    main()
