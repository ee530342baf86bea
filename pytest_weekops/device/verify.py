"""Comparing a result with its float64 reference: every element, in blocks, and never a NaN let through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.errors import InputError

_BLOCK_ELEMENTS = 1 << 20  # keeps the float64 temporaries in the cache and small


@dataclass(frozen=True)
class Comparison:
    """Largest absolute error, how many elements are not finite, and where the worst one is.

    ``said`` is why the result is wrong, in words, where the operation judges it by itself.
    """

    max_abs_error: float
    nonfinite: int
    row: int
    column: int
    value: float
    expected: float
    said: str = ""


def compare(result: NDArray[Any], reference: NDArray[np.float64]) -> Comparison:
    """Compare (m x n) float32, int32 or uint32 with (m x n) float64. A non-finite element makes the error infinite.

    All three are exact in float64, so that whole numbers which differ have an error of 1 at least.
    """
    if result.shape != reference.shape or result.size == 0:
        return Comparison(math.inf, int(result.size), 0, 0, math.nan, math.nan)
    rows = max(1, _BLOCK_ELEMENTS // result.shape[1])
    worst, nonfinite, place = -1.0, 0, (0, 0)
    for first in range(0, result.shape[0], rows):
        error = np.abs(result[first : first + rows] - reference[first : first + rows])
        bad = ~np.isfinite(error)
        count = int(np.count_nonzero(bad))
        if count:
            nonfinite += count
            error[bad] = np.inf
        index = int(np.argmax(error))
        largest = float(error.flat[index])
        if largest > worst:
            worst = largest
            place = (first + index // result.shape[1], index % result.shape[1])
    row, column = place
    return Comparison(worst, nonfinite, row, column, float(result[row, column]), float(reference[row, column]))


def scaled_error(max_abs_error: float, unit: float) -> float:
    """An error in error units. A unit of 0 says that the result is exact: any error is beyond every bound then."""
    if unit > 0:
        return max_abs_error / unit
    return 0.0 if max_abs_error == 0 else math.inf


def refuse_wide_bound(unit: float, bound: float | None, reference: NDArray[np.float64], operation: str) -> None:
    """Refuse an error bound as large as the result itself: within it, zeros would pass. Raises ``InputError``.

    A reference of nothing but zeros has no size; there any error above the bound still counts.
    """
    largest = max(abs(float(reference.max())), abs(float(reference.min())))
    if bound is not None and largest > 0 and not unit * bound < largest:
        raise InputError(
            f"Operation {operation}: {bound:g} error units of {unit:.3g} are no less than the largest element of the "
            f"reference, {largest:.3g}. Within such a bound zeros would pass for a result. Make error_unit one "
            "rounding of the result."
        )
