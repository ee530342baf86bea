"""What an operation is to the harness: inputs, reference, error scale, flops, bytes; GEMM and triad as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.measurement.problem import gemm_addend, gemm_inputs, triad_inputs
from pytest_weekops.core.units import Unit
from pytest_weekops.device.verify import Comparison

UNIT_ROUNDOFF = 2.0**-24  # float32, round to nearest (IEEE 754-2019)

_TRIAD_GROUP = 64  # work-items per group
_TRIAD_WIDTH = 8  # elements per work-item, WIDTH of triad.cl
ZEROS_FROM = 8  # edges from which on an input can spare two elements
_MOST_ELEMENTS = 2**31 - 1024  # triad.cl counts in int, the last group beyond the arrays included

Array = NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """Sizes and scalars of one problem; operations of one size use the edge ``n``, and triad its s as ``alpha``."""

    m: int
    n: int
    k: int
    alpha: float = 1.0
    beta: float = 0.0


class Operation(Protocol):
    """One operation under test. All arrays are C-ordered. ``unit`` is what its throughput is judged in."""

    unit: Unit

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Inputs by name, the same bytes in every process."""

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The result in float64."""

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """The size of one expected rounding unit of the result: max |error| is reported in multiples of it.

        0 says that the result is exact, and no policy's bound lets a difference through then.
        """

    def flops(self, shape: Shape) -> float:
        """Floating point operations of one launch."""

    def bytes_moved(self, shape: Shape) -> float:
        """Bytes that one launch must at least move."""


@runtime_checkable
class Rolled(Operation, Protocol):
    """An operation whose result is rolled by a row and a column where its inputs are: GEMM and triad."""

    def rolled(self, shape: Shape, inputs: dict[str, Array]) -> dict[str, Array]:
        """Inputs whose result is that of ``inputs``, rolled by one row and one column."""


@runtime_checkable
class LaunchedOperation(Operation, Protocol):
    """An operation that describes its own launch: all but GEMM, whose layouts have a launcher of their own."""

    def launch(self, shape: Shape) -> Launch:
        """Kernels, arguments, buffers and NDRanges."""


@runtime_checkable
class LaunchedAsBuilt(LaunchedOperation, Protocol):
    """An operation with another launch where its kernel is built for another kind of device.

    :meth:`launch` describes the one that needs the most memory, for who does not know the device yet.
    """

    def launch_as(self, shape: Shape, defines: Mapping[str, int]) -> Launch:
        """The launch of a kernel that was built with these ``-D`` values."""


@dataclass(frozen=True)
class HostWork:
    """What host calls work with: the queue, in order and profiling, kernels by name, and buffers by name in use now."""

    queue: Any
    kernels: Mapping[str, Any]
    buffers: Mapping[str, Any]


@runtime_checkable
class HostDriven(LaunchedOperation, Protocol):
    """An operation whose launch is a row of host calls and not kernels one behind the other."""

    def drive(self, work: HostWork, shape: Shape) -> Sequence[Any]:
        """One launch; its events in order. Raises ``DeviceError`` where a call did not keep its word."""


@runtime_checkable
class Judging(Operation, Protocol):
    """An operation that compares by itself, since one error unit for every element would not do."""

    def compare(
        self, inputs: dict[str, Array], reference: Array, result: Array, *, flushes_subnormals: bool
    ) -> Comparison:
        """The result of a launch on ``inputs``; its error in units of :meth:`error_unit`, and why it is wrong."""


def as_matrix(array: Array) -> Array:
    """Any array as rows and columns: one dimension becomes one row, more become rows of the first."""
    return array.reshape(1, -1) if array.ndim == 1 else array.reshape(array.shape[0], -1)


def plant_zeros(*arrays: Array) -> None:
    """Zeros of both signs into matrices, which no random float is: kernels may give NaN for them."""
    for array in arrays:
        array[0, 0] = 0.0
        array[-1, -1] = -0.0


def rms(values: Array) -> float:
    """The root of the mean square of all elements; 0 of none."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if values.size else 0.0


class Gemm:
    """C = alpha A B + beta C."""

    unit: Unit = "GFLOPS"

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """A (m x k), B (k x n) and, where beta is not 0, C (m x n)."""
        a, b = gemm_inputs(m=shape.m, n=shape.n, k=shape.k, seed=seed, session=session)
        if shape.k >= ZEROS_FROM:
            plant_zeros(a, b)
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
        unit = abs(shape.alpha) * shape.k * rms(inputs["A"]) * rms(inputs["B"])
        if shape.beta != 0.0:
            unit += abs(shape.beta) * rms(inputs["C"])
        return UNIT_ROUNDOFF * unit

    def flops(self, shape: Shape) -> float:
        """2 m n k."""
        return 2.0 * shape.m * shape.n * shape.k

    def bytes_moved(self, shape: Shape) -> float:
        """A, B and C once each."""
        return 4.0 * (shape.m * shape.k + shape.k * shape.n + shape.m * shape.n)

    def rolled(self, shape: Shape, inputs: dict[str, Array]) -> dict[str, Array]:  # noqa: ARG002 - the protocol's
        """A by a row, B by a column, C by both."""
        shifts: dict[str, tuple[int, int]] = {"A": (1, 0), "B": (0, 1), "C": (1, 1)}
        return {name: np.roll(array, shifts[name], (0, 1)) for name, array in inputs.items()}


class Triad:
    """a = b + s c over n x n elements, with s = alpha (McCalpin's STREAM triad)."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``triad(b, c, a, count, s)``, one item per eight elements, in whole work-groups."""
        count = shape.n * shape.n
        if count > _MOST_ELEMENTS:
            raise DeviceError(f"triad at n = {shape.n} has more elements than an int counts. Give a smaller size.")
        items = -(-count // _TRIAD_WIDTH)
        whole = -(-items // _TRIAD_GROUP) * _TRIAD_GROUP
        square = (shape.n, shape.n)
        return Launch(
            kernel="triad",
            arguments=("b", "c", "a", np.int32(count), np.float32(shape.alpha)),
            inputs={"b": Buffer(square), "c": Buffer(square)},
            output="a",
            output_shape=square,
            global_size=(whole,),
            local_size=(_TRIAD_GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """B and c (n x n each)."""
        b, c = triad_inputs(n=shape.n, seed=seed, session=session)
        if shape.n >= ZEROS_FROM:
            plant_zeros(b, c)
        return {"b": b, "c": c}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """B + s c in float64; the kernel gets s as float32, so it is rounded here too."""
        b, c = inputs["b"].astype(np.float64), inputs["c"].astype(np.float64)
        return np.asarray(b + float(np.float32(shape.alpha)) * c)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """U (rms(b) + |s| rms(c)), u = 2**-24."""
        return UNIT_ROUNDOFF * (rms(inputs["b"]) + abs(shape.alpha) * rms(inputs["c"]))

    def flops(self, shape: Shape) -> float:
        """2 n**2."""
        return 2.0 * shape.n**2

    def bytes_moved(self, shape: Shape) -> float:
        """Two reads and one write per element; a cache that first reads what is written moves a third more."""
        return 12.0 * shape.n**2

    def rolled(self, shape: Shape, inputs: dict[str, Array]) -> dict[str, Array]:  # noqa: ARG002 - the protocol's
        """Both by a row and a column."""
        return {name: np.roll(array, (1, 1), (0, 1)) for name, array in inputs.items()}
