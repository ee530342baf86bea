"""The host worker's services, on numpy alone: float64 references, what an operation says of itself, the anchor."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.kernel_operation import SizeNeeds
from pytest_weekops.core.measurement.launch import count
from pytest_weekops.device import quanta
from pytest_weekops.device.known_operations import find_operation
from pytest_weekops.device.operation import LaunchedOperation, Shape
from pytest_weekops.worker.protocol import (
    Anchored,
    AnchorRequest,
    Described,
    DescribeRequest,
    Quanta,
    QuantaRequest,
    Referenced,
    ReferenceRequest,
)

_ANCHOR_SEED = 20240101
_SMALL = 3  # odd, so that what works at even sizes only shows before anything is measured
_LEAST_CALLS = 5
_anchor_data: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}


HostRequest = ReferenceRequest | DescribeRequest | AnchorRequest | QuantaRequest


def answer(request: HostRequest) -> Referenced | Described | Anchored | Quanta:
    """The reply to one of the host worker's requests. Raises ``InputError`` where an operation cannot be used."""
    if isinstance(request, AnchorRequest):
        return anchor(request)
    if isinstance(request, QuantaRequest):
        return quanta.answer(request)
    return describe(request) if isinstance(request, DescribeRequest) else reference(request)


def reference(request: ReferenceRequest) -> Referenced:
    """Write the float64 reference as ``.npy``."""
    operation = find_operation(request.operation, request.operation_file)
    shape = Shape(m=request.m, n=request.n, k=request.k, alpha=request.alpha, beta=request.beta)
    result = operation.reference(shape, operation.inputs(shape, request.seed, request.session))
    np.save(request.path, result)
    return Referenced(path=request.path)


def describe(request: DescribeRequest) -> Described:
    """What an operation is at each size; data, reference and error unit are asked for at a small size only."""
    operation = find_operation(request.operation, request.operation_file)
    if not isinstance(operation, LaunchedOperation):
        raise DeviceError(f"Operation {request.operation} describes no launch. Only GEMM has launchers of its own.")
    shape = Shape(m=_SMALL, n=_SMALL, k=_SMALL)
    inputs = operation.inputs(shape, _ANCHOR_SEED, 1)
    operation.reference(shape, inputs)
    operation.error_unit(shape, inputs)
    return Described(unit=operation.unit, needs=tuple(_needs(operation, size) for size in request.sizes))


def _needs(operation: LaunchedOperation, size: int) -> SizeNeeds:
    shape = Shape(m=size, n=size, k=size)
    operation.flops(shape)
    operation.bytes_moved(shape)
    launch = operation.launch(shape)
    buffers = launch.buffer_bytes
    inputs = sum(buffer.nbytes for buffer in launch.inputs.values())
    return SizeNeeds(
        size=size,
        largest=max(buffers.values()),
        total=sum(buffers.values()) + inputs,  # launches take two sets of inputs in turn
        reference=2 * 8 * count(launch.output_shape),
    )


def anchor(request: AnchorRequest) -> Anchored:
    """Median milliseconds of a fixed SGEMM over at least ``min_ms`` and five calls."""
    if request.size not in _anchor_data:
        generator = np.random.default_rng(_ANCHOR_SEED)
        a, b = (generator.standard_normal((request.size, request.size), dtype=np.float32) for _ in range(2))
        _anchor_data[request.size] = (a, b, np.empty_like(a))
        np.matmul(*_anchor_data[request.size][:2], out=_anchor_data[request.size][2])
        pin_threads()
    a, b, out = _anchor_data[request.size]
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < _LEAST_CALLS or (time.perf_counter() - began) * 1e3 < request.min_ms:
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append((time.perf_counter() - start) * 1e3)
    return Anchored(median_ms=statistics.median(times), calls=len(times))


def pin_threads() -> None:
    """Give each thread of this process a CPU of its own, as far as they go round; where that cannot be, leave them.

    Two threads that are woken on one CPU make the anchor longer than the host is slow. Anchors of 1.6 times the usual
    length stay with pinned threads: those are the host's.
    """
    try:
        cpus = sorted(os.sched_getaffinity(0))
        threads = sorted((int(task.name) for task in Path("/proc/self/task").iterdir()), key=lambda t: t != os.getpid())
        for thread, cpu in zip(threads, cpus, strict=False):
            os.sched_setaffinity(thread, {cpu})
    except (OSError, AttributeError, ValueError):  # no /proc, a thread that has ended, a system without affinities
        return
