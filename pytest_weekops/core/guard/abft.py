"""The algebra of the T5 guard: sign vectors, reference sums and thresholds. Pure; numpy is imported where it is used.

For C = A B and a vector w, C w = A (B w). The right side is known in float64 before the launch and does not depend on
the kernel under test (Huang and Abraham 1984); a random +-1 vector lets no fault in a row cancel but by chance.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import DeviceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

UNIT_ROUNDOFF = 2.0**-24  # float32, round to nearest (IEEE 754-2019)
ELEMENT_SD = 0.36  # sd of an element's error in units of u k scale(A) scale(B): 0.30 measured, a fifth more allowed
SUM_SD = 0.42  # sd of one rounding in units of u times what is rounded, over the mantissas of a random walk
Z = 8.0  # a Gaussian residual exceeds 8 sd with probability 1e-15, over the rows of a launch about 2e-12
_SIGNS, _COLUMN_SIGNS = 7, 3
_ROWS_AT_ONCE = 256


def sign_vector(n: int, *, seed: int, session: int, projection: int = 0, columns: bool = False) -> F32:
    """A random vector of +1 and -1 (n, float32), the same in every process; other ones to sum ``columns`` with."""
    import numpy as np

    generator = np.random.default_rng([seed, session, _COLUMN_SIGNS if columns else _SIGNS, projection])
    return (2 * generator.integers(0, 2, n, dtype=np.int8) - 1).astype(np.float32)


def reference_sums(a: F32, b: F32, w: F32) -> F64:
    """A (B w) in float64 (m)."""
    import numpy as np

    bw = np.empty(b.shape[0], dtype=np.float64)
    for first in range(0, b.shape[0], _ROWS_AT_ONCE):
        bw[first : first + _ROWS_AT_ONCE] = b[first : first + _ROWS_AT_ONCE].astype(np.float64) @ w.astype(np.float64)
    sums = np.empty(a.shape[0], dtype=np.float64)
    for first in range(0, a.shape[0], _ROWS_AT_ONCE):
        sums[first : first + _ROWS_AT_ONCE] = a[first : first + _ROWS_AT_ONCE].astype(np.float64) @ bw
    return sums


def column_sums(a: F32, b: F32, v: F32) -> F64:
    """(v^T A) B in float64 (n): what the columns of A B sum to with v."""
    return reference_sums(b.T, a.T, v)


def residual_sd(a: F32, b: F32, *, lanes: int = 0, items: int = 1) -> F64:
    """Standard deviation of a good row's residual (m), from the inputs alone: the launch's roundings and the check's.

    The launch's are 0.36 u k sqrt(n) rms(A_i) rms(B). The check adds a row's n elements up in ``lanes`` partial sums
    (4 per work-item and vector element), and what no whole step of them takes in one more per work-item (``items``);
    its share matters where k is small beside n / lanes. With 0 lanes the sums are exact, as on the host.
    """
    import numpy as np

    k, n = b.shape
    scale_a = np.sqrt(np.mean(np.square(a, dtype=np.float64), axis=1))
    scale_b = math.sqrt(float(np.mean(np.square(b, dtype=np.float64))))
    launch = ELEMENT_SD * k * math.sqrt(n)
    check = SUM_SD * math.sqrt(k * squares_rounded(n, lanes, items)) if lanes else 0.0
    return np.asarray(UNIT_ROUNDOFF * math.hypot(launch, check) * scale_b * scale_a)


def squares_rounded(n: int, lanes: int, items: int) -> float:
    """Expected sum of the squares of all partial sums that are rounded, in squares of an element of the row.

    A partial sum is a random walk: j elements have a square of j, and adding up L of them rounds about L**2 / 2. Adding
    the partial sums up rounds n on each level; the reference and the last sum are rounded too.
    """
    whole = n // lanes * lanes
    return whole**2 / (2 * lanes) + (n - whole) ** 2 / (2 * items) + n * (math.log2(lanes) + 2)


def thresholds(a: F32, b: F32, *, z: float = Z, lanes: int = 0, items: int = 1) -> F64:
    """Largest residual a row may have (m) at full coverage: z standard deviations of a good row's."""
    return z * residual_sd(a, b, lanes=lanes, items=items)


def sampled_thresholds(sd: F64, *, scale: float, margin: float, floor: float) -> F64:
    """Largest residual a sampled line may have: max(floor, scale * sd + margin), floor and margin in units of C.

    The older guard took the largest residual of the kernel's first output where ``sd`` stands: a kernel that was wrong
    from the start made its own threshold. ``sd`` comes from the inputs (:func:`residual_sd`).
    """
    import numpy as np

    return np.asarray(np.maximum(floor, scale * sd + margin))


def usable(bounds: F64) -> F64:
    """The bounds, each a number above 0 and below infinity as float32. Raises ``DeviceError`` where one is not."""
    import numpy as np

    with np.errstate(over="ignore"):  # infinity is what is looked for
        narrow = bounds.astype(np.float32)
    bad = np.flatnonzero(~(np.isfinite(narrow) & (narrow > 0)))
    if bad.size:
        raise DeviceError(
            f"The guard's threshold of line {int(bad[0])} is {float(bounds[bad[0]])!r}. It tells no right result from "
            "a wrong one. Check the inputs' scale, or the policy's residual_scale, residual_margin and residual_floor."
        )
    return bounds


def draw_lines(
    count: int, samples: int, *, seed: int, draw: int, launch: int, columns: bool = False
) -> tuple[int, ...]:
    """Which of ``count`` rows (or columns) the check of a launch looks at, in order: ``samples`` different ones.

    A function of its arguments alone: the case's seed, its snapshot as ``draw``, the launch's number in it. Floyd's
    algorithm (Bentley and Floyd 1987) on ``random()``, whose series Python promises to keep. Setting up one of NumPy's
    generators takes ten times as long, and this is part of every check.
    """
    source = random.Random(f"{seed} {draw} {launch} {int(columns)}")  # noqa: S311 - to be drawn again, not secret
    chosen: set[int] = set()
    for last in range(count - min(samples, count), count):
        line = int(source.random() * (last + 1))
        chosen.add(last if line in chosen else line)
    return tuple(sorted(chosen))


def differing_bits(value: float, expected: float) -> tuple[int, ...]:
    """Numbers (31 is the sign, 30 to 23 the exponent) of the bits in which two floats differ as float32."""
    import numpy as np

    pair = np.array([value, expected], dtype=np.float32).view(np.uint32)
    changed = int(pair[0] ^ pair[1])
    return tuple(bit for bit in range(31, -1, -1) if changed >> bit & 1)
