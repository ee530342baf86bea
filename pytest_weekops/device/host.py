"""The host worker's two services, on numpy alone: float64 references and the anchor."""

from __future__ import annotations

import statistics
import time

import numpy as np

from pytest_weekops.device.operation import OPERATIONS, Shape
from pytest_weekops.worker.protocol import Anchored, AnchorRequest, Referenced, ReferenceRequest

_ANCHOR_SEED = 20240101
_LEAST_CALLS = 5
_anchor_data: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}


def reference(request: ReferenceRequest) -> Referenced:
    """Write the float64 reference as ``.npy``."""
    operation = OPERATIONS[request.operation]
    shape = Shape(m=request.m, n=request.n, k=request.k, alpha=request.alpha, beta=request.beta)
    result = operation.reference(shape, operation.inputs(shape, request.seed, request.session))
    np.save(request.path, result)
    return Referenced(path=request.path)


def anchor(request: AnchorRequest) -> Anchored:
    """Median milliseconds of a fixed SGEMM over at least ``min_ms`` and five calls."""
    if request.size not in _anchor_data:
        generator = np.random.default_rng(_ANCHOR_SEED)
        a, b = (generator.standard_normal((request.size, request.size), dtype=np.float32) for _ in range(2))
        _anchor_data[request.size] = (a, b, np.empty_like(a))
        np.matmul(*_anchor_data[request.size][:2], out=_anchor_data[request.size][2])
    a, b, out = _anchor_data[request.size]
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < _LEAST_CALLS or (time.perf_counter() - began) * 1e3 < request.min_ms:
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append((time.perf_counter() - start) * 1e3)
    return Anchored(median_ms=statistics.median(times), calls=len(times))
