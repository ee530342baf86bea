"""Numbers from plain data that somebody else wrote: a number, or None for anything that is none.

A number is an ``int`` or a ``float``. A bool is none, though Python counts with it: a file that says ``true`` where a
limit belongs says nothing. Text is none, whatever it spells.
"""

from __future__ import annotations

import math


def as_number(value: object) -> float | None:
    """A number as a float (NaN and infinities included), or None for anything that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def as_finite(value: object) -> float | None:
    """A finite number as a float, or None for NaN, infinities, whole numbers beyond a float's, and what is no number.

    NaN lies within no bound and beyond none either, and an infinite limit limits nothing: who compares asks here.
    """
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def two_digits(percent: float) -> str:
    """A percentage in two significant digits, and all of it as 100: not as 1e+02."""
    return f"{percent:.2g}" if percent < 99.5 else "100"


def finite_from(text: str) -> float | None:
    """The finite number that somebody typed, or None for any other text."""
    try:
        return as_finite(float(text))
    except ValueError:
        return None


def as_whole(value: object) -> int | None:
    """A whole number, 412.0 included, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None
