"""The algebra of the workloads' guards: what a right result sums to row by row, exactly or within a bound. Pure.

Numpy is imported where it is used.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.guard.abft import SUM_SD, UNIT_ROUNDOFF, squares_rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    U32 = NDArray[np.uint32]

# The workloads that bring one, and what each launch of them is held to.
GUARDED: dict[str, str] = {
    "reduce": "the sum, within the bound of its own roundings",
    "scan": "weighted sums of the prefix sums, exact",
    "sort": "the order, and a hash of all keys whatever their order, exact",
    "histogram": "a weighted total of the bins, exact",
    "transpose": "weighted sums of the rows' bits, exact",
    "stencil2d": "signed sums of stretches, within a bound",
    "stencil3d": "signed sums of stretches, within a bound",
    "spmv": "signed sums of stretches, within a bound",
    "fft": "signed sums of stretches of each transform, within a bound",
}
_WEIGHTS = 5


def odd_weights(count: int, *, seed: int, session: int) -> U32:
    """Random odd numbers (count, uint32), the same in every process.

    An odd number has an inverse modulo 2**32: a weighted sum in which one word changed is never what it was.
    """
    import numpy as np

    drawn = np.random.default_rng([seed, session, _WEIGHTS]).integers(0, 2**32, count, dtype=np.uint32)
    return np.asarray(drawn | np.uint32(1))


def word_sums(words: U32, weights: U32) -> U32:
    """Sum over j of weights[j] * words[i, j] modulo 2**32, for each row of flat words; the last row may be short."""
    import numpy as np

    columns, rows = weights.size, -(-words.size // weights.size)
    whole = words.size // columns
    sums = np.empty(rows, dtype=np.uint32)
    sums[:whole] = (words[: whole * columns].reshape(whole, columns) * weights).sum(axis=1, dtype=np.uint32)
    if rows > whole:
        rest = words[whole * columns :]
        sums[whole] = (rest * weights[: rest.size]).sum(dtype=np.uint32)
    return sums


def scan_sums(x: NDArray[np.int32], weights: U32) -> U32:
    """:func:`word_sums` of the inclusive prefix sums of flat ``x``, from ``x`` and without them.

    A row's prefix sums are what stands before it plus its own: W p + sum over j of x[j] (w[j] + w[j+1] + ...), with W
    the sum of the row's weights and p that of all numbers before it, all of it modulo 2**32.
    """
    import numpy as np

    numbers, columns = x.view(np.uint32), weights.size
    tails = np.cumsum(weights[::-1], dtype=np.uint32)[::-1]
    rows = -(-numbers.size // columns)
    totals = np.add.reduceat(numbers, np.arange(0, numbers.size, columns), dtype=np.uint32)
    before = np.concatenate([np.zeros(1, np.uint32), np.cumsum(totals, dtype=np.uint32)[:-1]])
    sums = word_sums(numbers, tails)
    full = np.full(rows, tails[0], dtype=np.uint32)
    short = rows * columns - numbers.size
    if short:  # the last row lacks these weights in every tail
        missing = tails[columns - short : columns - short + 1]
        full[-1:] -= missing
        sums[-1:] -= missing * totals[-1:]
    return np.asarray(sums + full * before)


def mixed(words: U32) -> U32:
    """Each word by a bijection of 32 bits (MurmurHash3's finalizer, Appleby): one that changed never adds the same."""
    import numpy as np

    x = words ^ (words >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return np.asarray(x ^ (x >> np.uint32(16)))


def multiset_hash(words: U32) -> int:
    """One number of all words, whatever their order: the sum of :func:`mixed` modulo 2**32."""
    import numpy as np

    return int(mixed(words).sum(dtype=np.uint32))


def stretch_sums(values: F64, signs: F64) -> tuple[F64, F64]:
    """Signed sums of stretches of flat values, as long as there are signs, and each stretch's root of mean squares."""
    import numpy as np

    columns, rows = signs.size, -(-values.size // signs.size)
    padded = np.zeros(rows * columns, dtype=np.float64)
    padded[: values.size] = values
    table = padded.reshape(rows, columns)
    return np.asarray(table @ signs), np.asarray(np.sqrt(np.mean(np.square(table), axis=1)))


def stretch_bounds(
    rms: F64, columns: int, *, unit: float, bound_units: float, z: float, lanes: int = 0, items: int = 1
) -> F64:
    """Largest residual of the signed sum of a stretch: z hypot(bound_units * unit * sqrt(columns), the check's own).

    No element of a right result is off by more than ``bound_units`` error units, or the element-wise comparison calls
    it wrong. Against random signs that the kernel knows nothing of, such errors e sum up to more than
    z sqrt(sum of e**2) with a probability of at most 2 exp(-z**2 / 2) (Hoeffding 1963, theorem 2), whatever they are:
    2.5e-14 at z = 8. One element has no sign to cancel by, and z = 1 is its whole bound. The check itself adds up in
    ``lanes`` partial sums, whose roundings are those of a random walk, as in the guard of GEMM.
    """
    import numpy as np

    if columns == 1:
        return np.full(rms.shape, bound_units * unit)
    launch = bound_units * unit * math.sqrt(columns)
    own = SUM_SD * UNIT_ROUNDOFF * math.sqrt(squares_rounded(columns, lanes, items)) if lanes else 0.0
    return np.asarray(z * np.hypot(launch, own * rms))


def as_words(values: NDArray[Any]) -> U32:
    """The bits of float32, int32 or uint32 numbers as they lie in memory, flat."""
    import numpy as np

    return np.ascontiguousarray(values).view(np.uint32).reshape(-1)
