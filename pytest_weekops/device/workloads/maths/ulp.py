"""Errors in ULP, as OpenCL C defines them (1.2, section 7.4), infinities, NaN and flushed subnormals included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

LEAST_NORMAL = 2.0**-126
_LEAST_ULP_EXPONENT = -149
LEAST_ULP = 2.0**_LEAST_ULP_EXPONENT
_BEYOND = 2.0**128  # what an infinity is in a place where the right result is finite


def ulp_of(values: F64) -> F64:
    """The distance of the two floats around each finite value, or from one to its nearest neighbour."""
    mantissa, exponent = np.frexp(values)
    exponent = np.where(np.abs(mantissa) == 0.5, exponent - 1, exponent) - 24
    return np.ldexp(1.0, np.where(values == 0, _LEAST_ULP_EXPONENT, np.maximum(exponent, _LEAST_ULP_EXPONENT)))


def errors(result: F64, right: F64, *, signs: bool) -> F64:
    """|result - right| in ULP of what is right: 0 where both are NaN, or the same infinity, infinite where one is.

    ``signs``: a zero of the wrong sign is infinitely wrong, too.
    """
    finite = np.isfinite(right)
    safe = np.where(finite, right, 1.0)
    shown = np.where(np.isinf(result), np.copysign(_BEYOND, result), result)
    off = np.abs(shown - safe) / ulp_of(safe)
    # What rounds to an infinity may be one, however far beyond 2**128 it is.
    off = np.where(np.isinf(result) & (np.abs(safe) >= _BEYOND) & (np.sign(result) == np.sign(safe)), 0.0, off)
    same = (result == right) | (np.isnan(result) & np.isnan(right))
    off = np.where(finite & ~np.isnan(result), off, np.where(same, 0.0, np.inf))
    if signs:
        off = np.where((result == 0) & (right == 0) & (np.signbit(result) != np.signbit(right)), np.inf, off)
    return np.asarray(off)


def shares(off: F64, limit: float) -> F64:
    """Errors in shares of their limit: right up to 1. With a limit of 0, right are those without any error."""
    return off / limit if limit else np.where(off == 0, 0.0, 1.0 + off)
