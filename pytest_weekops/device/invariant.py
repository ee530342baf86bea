"""What a right result of an operation satisfies whatever kernel made it, as data: the guard of a workload checks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.guard.abft import sign_vector
from pytest_weekops.core.guard.invariants import odd_weights
from pytest_weekops.device.operation import Array, Operation, Shape

STRETCH = 128  # floats that are summed up together: the fewer, the smaller a fault that shows
LONG_ROW = 2048  # words that are
_MOST_PARTS = 32_768  # of the hash of a sorted result: one work-item adds them up, and llvmpipe allows twice as many

F64 = NDArray[np.float64]
U32 = NDArray[np.uint32]


@dataclass(frozen=True)
class Draw:
    """What weights are drawn with: the case's seed and the number of the inputs' set. Kernels know neither."""

    seed: int
    session: int

    def weights(self, count: int) -> U32:
        """Odd numbers (count, uint32)."""
        return odd_weights(count, seed=self.seed, session=self.session)

    def signs(self, count: int) -> NDArray[np.float32]:
        """+1 and -1 (count, float32)."""
        return sign_vector(count, seed=self.seed, session=self.session)


@dataclass(frozen=True)
class Words:
    """Exact: each row of ``count`` words, as many as ``weights``, has this weighted sum modulo 2**32 (rows, uint32)."""

    count: int
    weights: U32
    expected: U32


@dataclass(frozen=True)
class Sums:
    """Bounded: each stretch of ``count`` floats, as many as ``signs``, sums up to about ``expected`` (rows, float64).

    ``unit`` is the error unit of an element, ``rms`` the root of the mean square of each stretch's elements (rows).
    """

    count: int
    signs: NDArray[np.float32]
    expected: F64
    unit: float
    rms: F64


@dataclass(frozen=True)
class Ordered:
    """Exact: ``count`` uint32 in ascending order, whose hash as a multiset is ``expected``."""

    count: int
    expected: int

    @property
    def columns(self) -> int:
        """Words of a row, such that the rows' parts of the hash are few enough for one work-item."""
        return LONG_ROW * (1 + self.count // LONG_ROW // _MOST_PARTS)


Invariant = Words | Sums | Ordered


@runtime_checkable
class Guarded(Operation, Protocol):
    """An operation that says what its result must satisfy, from its inputs, or from the float64 reference."""

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Invariant:
        """What a right result of these inputs satisfies."""


def columns_of(invariant: Invariant) -> int:
    """Elements of a row."""
    if isinstance(invariant, Ordered):
        return invariant.columns
    return (invariant.weights if isinstance(invariant, Words) else invariant.signs).size


def rows_of(invariant: Invariant) -> int:
    """Rows, the last one perhaps a short one."""
    return -(-invariant.count // columns_of(invariant))
