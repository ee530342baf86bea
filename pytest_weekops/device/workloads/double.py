"""Arithmetic in double precision, to the last bit: what IEEE 754 rounds in one way only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.device.operation import Array
from pytest_weekops.device.workloads.exact import Arguments, ExactWords

F64 = NDArray[np.float64]

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


def pairs(n: int, seed: int, session: int) -> dict[str, Array]:
    """X and y: special ones; then numbers that cancel in turn with any bits at all."""
    generator, more = np.random.default_rng([seed, session]), count_of(n) - len(SPECIAL) ** 2
    special = np.array(SPECIAL)
    any_bits = generator.integers(0, 2**64, (2, more), dtype=np.uint64).view(np.float64)
    near = generator.standard_normal(more)
    cancelling = np.stack([near, -near * (1.0 + 2.0**-40 * generator.standard_normal(more))])
    drawn = np.where(np.arange(more) % 2 == 0, any_bits, cancelling)
    return {
        "x": np.concatenate([np.repeat(special, special.size), drawn[0]]),
        "y": np.concatenate([np.tile(special, special.size), drawn[1]]),
    }


def _bits(rows: Sequence[F64]) -> list[Array]:
    """The bits of each number, any NaN as the same one; subnormals may not be flushed.

    All results are correctly rounded by IEEE 754 and by OpenCL C 1.2 (table 7.2, whose ``sqrt`` and ``fma`` are), so
    that there is one right result, and the host has it.
    """
    return [np.where(np.isnan(row), np.uint64(_NAN), row.view(np.uint64)) for row in rows]


def _rounded(x: F64, y: F64) -> list[Array]:
    """The results of ``double_`` for each pair, by the host's own arithmetic."""
    a, b = _scaled(x), _scaled(y)
    with np.errstate(all="ignore"):
        rows = [
            x + y,
            x - y,
            x * y,
            x / y,
            np.sqrt(x),
            a.astype(np.float32).astype(np.float64),
            np.trunc(a * 2.0**40),
            np.rint(b * 2.0**20),
        ]
    return _bits(rows)


def _fused(x: F64, y: F64) -> list[Array]:
    """The result of ``double_fma_``: what the product of the scaled numbers lost."""
    return _bits([_lost_in(_scaled(x), _scaled(y))])


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


PAIRS = Arguments("xy", "float64", count_of, pairs)
IN_DOUBLE = {
    "double": ExactWords("double", 8, _rounded, PAIRS, words=2),
    "double_fma": ExactWords("double_fma", 1, _fused, PAIRS, words=2),
}
