"""Arithmetic in double precision, to the last bit: what IEEE 754 rounds in one way only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import counted, elements, up

F64 = NDArray[np.float64]

_GROUP = 64  # of double.cl
_LEAST_PAIRS, _SIZE_PER_PAIR = 400, 16  # at n = 1, some of them drawn; and n * n of one more
_SIGN_AND_FRACTION, _EXPONENT_OF_ONE, _NAN = 0x800FFFFFFFFFFFFF, 0x3FF0000000000000, 0x7FF8000000000000
_SPLIT = float(2**27 + 1)
_LEAST, _TINY = 2.0**-1074, 2.0**-1022
SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 3.0, 0.1, 1.0 + 2.0**-52, 1.0 - 2.0**-53, 2.0**53, -(2.0**63)),
    *(_LEAST, -_LEAST, _TINY - _LEAST, _TINY, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan")),
)


def count_of(n: int) -> int:
    """Pairs of arguments at a size: all pairs of the special ones, and drawn ones."""
    return _LEAST_PAIRS + n * n // _SIZE_PER_PAIR


class Double:
    """Results of n * n / 16 pairs of doubles and of all pairs of special ones, each as two words, exactly.

    All of them are correctly rounded by IEEE 754 and by OpenCL C 1.2 (table 7.2, whose ``sqrt`` and ``fma`` are), so
    that there is one right result, and the host has it. Any NaN is the same one; subnormals may not be flushed.
    """

    unit: Unit = "GB/s"

    def __init__(self, name: str, results: int, right: Callable[[F64, F64], Sequence[F64]]) -> None:
        self.name, self.results, self._right = name, results, right

    def launch(self, shape: Shape) -> Launch:
        """``NAME_(x, y, out, count)``, one item per pair."""
        count = count_of(shape.n)
        elements(self.name, shape)
        counted(self.name, shape, 2 * self.results * count)
        return Launch(
            kernel=f"{self.name}_",
            arguments=("x", "y", "out", np.int32(count)),
            inputs={name: Buffer((count,), "float64") for name in ("x", "y")},
            output="out",
            output_shape=(self.results, 2 * count),
            output_dtype="uint32",
            global_size=(up(count, _GROUP),),
            local_size=(_GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X and y: special ones; then numbers that cancel in turn with any bits at all."""
        generator, more = np.random.default_rng([seed, session]), count_of(shape.n) - len(SPECIAL) ** 2
        special = np.array(SPECIAL)
        any_bits = generator.integers(0, 2**64, (2, more), dtype=np.uint64).view(np.float64)
        near = generator.standard_normal(more)
        cancelling = np.stack([near, -near * (1.0 + 2.0**-40 * generator.standard_normal(more))])
        drawn = np.where(np.arange(more) % 2 == 0, any_bits, cancelling)
        return {
            "x": np.concatenate([np.repeat(special, special.size), drawn[0]]),
            "y": np.concatenate([np.tile(special, special.size), drawn[1]]),
        }

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The two words of each result, the lower one first (results x 2 pairs)."""
        rows = np.stack(self._right(inputs["x"], inputs["y"]))
        bits = np.where(np.isnan(rows), np.uint64(_NAN), rows.view(np.uint64))
        words = np.stack([bits & np.uint64(0xFFFFFFFF), bits >> np.uint64(32)], axis=-1)
        return words.reshape(self.results, -1).astype(np.float64)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: each result is one number and no other."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """One per result."""
        return float(self.results * count_of(shape.n))

    def bytes_moved(self, shape: Shape) -> float:
        """Two numbers read, and the results written."""
        return 8.0 * (2 + self.results) * count_of(shape.n)


def _rounded(x: F64, y: F64) -> list[F64]:
    """The results of ``double_`` for each pair, by the host's own arithmetic."""
    a, b = _scaled(x), _scaled(y)
    with np.errstate(all="ignore"):
        return [
            x + y,
            x - y,
            x * y,
            x / y,
            np.sqrt(x),
            a.astype(np.float32).astype(np.float64),
            np.trunc(a * 2.0**40),
            np.rint(b * 2.0**20),
        ]


def _fused(x: F64, y: F64) -> list[F64]:
    """The result of ``double_fma_``: what the product of the scaled numbers lost."""
    return [_lost_in(_scaled(x), _scaled(y))]


def _scaled(x: F64) -> F64:
    """Sign and fraction of each number, in [1, 2)."""
    return (x.view(np.uint64) & np.uint64(_SIGN_AND_FRACTION) | np.uint64(_EXPONENT_OF_ONE)).view(np.float64)


def _lost_in(a: F64, b: F64) -> F64:
    """``a b`` less the product as it was rounded: ``fma(a, b, -(a b))``, exact (Dekker 1971)."""
    product = a * b
    high_a, high_b = (_SPLIT * each - (_SPLIT * each - each) for each in (a, b))
    low_a, low_b = a - high_a, b - high_b
    lost = low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)
    return np.asarray(lost + 0.0)  # what is lost of nothing is 0 without a sign


IN_DOUBLE = {"double": Double("double", 8, _rounded), "double_fma": Double("double_fma", 1, _fused)}
