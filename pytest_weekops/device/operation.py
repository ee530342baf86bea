"""What an operation is to the harness: inputs, reference, error scale, flops, bytes. GEMM and triad are shipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.problem import gemm_addend, gemm_inputs, triad_inputs

UNIT_ROUNDOFF = 2.0**-24  # float32, round to nearest (IEEE 754-2019)

Array = NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """Sizes and scalars of one problem; operations of one size use ``n`` alone."""

    m: int
    n: int
    k: int
    alpha: float = 1.0
    beta: float = 0.0


class Operation(Protocol):
    """One operation under test. All arrays are C-ordered."""

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Inputs by name, the same bytes in every process."""

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The result in float64."""

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """The size of one expected rounding unit of the result: max |error| is reported in multiples of it."""

    def flops(self, shape: Shape) -> float:
        """Floating point operations of one launch."""

    def bytes_moved(self, shape: Shape) -> float:
        """Bytes that one launch must at least move."""


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


class Gemm:
    """C = alpha A B + beta C."""

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """A (m x k), B (k x n) and, where beta is not 0, C (m x n)."""
        a, b = gemm_inputs(m=shape.m, n=shape.n, k=shape.k, seed=seed, session=session)
        arrays: dict[str, Array] = {"A": a, "B": b}
        if shape.beta != 0.0:
            arrays["C"] = gemm_addend(m=shape.m, n=shape.n, seed=seed, session=session)
        return arrays

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """Alpha A B + beta C in float64."""
        result = inputs["A"].astype(np.float64) @ inputs["B"].astype(np.float64)
        # The kernels get alpha and beta as float32, so the reference rounds them the same way.
        result *= float(np.float32(shape.alpha))
        if shape.beta != 0.0:
            result += float(np.float32(shape.beta)) * inputs["C"].astype(np.float64)
        return np.asarray(result)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """U (|alpha| k rms(A) rms(B) + |beta| rms(C)), u = 2**-24."""
        unit = abs(shape.alpha) * shape.k * _rms(inputs["A"]) * _rms(inputs["B"])
        if shape.beta != 0.0:
            unit += abs(shape.beta) * _rms(inputs["C"])
        return UNIT_ROUNDOFF * unit

    def flops(self, shape: Shape) -> float:
        """2 m n k."""
        return 2.0 * shape.m * shape.n * shape.k

    def bytes_moved(self, shape: Shape) -> float:
        """A, B and C once each."""
        return 4.0 * (shape.m * shape.k + shape.k * shape.n + shape.m * shape.n)


class Triad:
    """a = b + s c, with s = alpha; n elements (McCalpin's STREAM triad)."""

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """B and c (n each)."""
        b, c = triad_inputs(n=shape.n, seed=seed, session=session)
        return {"b": b, "c": c}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """B + s c in float64, as a 1 x n matrix."""
        b, c = inputs["b"].astype(np.float64), inputs["c"].astype(np.float64)
        return np.asarray(b + float(np.float32(shape.alpha)) * c).reshape(1, -1)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """U (rms(b) + |s| rms(c))."""
        return UNIT_ROUNDOFF * (_rms(inputs["b"]) + abs(shape.alpha) * _rms(inputs["c"]))

    def flops(self, shape: Shape) -> float:
        """2 n."""
        return 2.0 * shape.n

    def bytes_moved(self, shape: Shape) -> float:
        """Two reads and one write per element."""
        return 12.0 * shape.n


OPERATIONS: dict[str, Operation] = {"gemm": Gemm(), "triad": Triad()}
