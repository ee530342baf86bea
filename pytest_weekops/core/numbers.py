"""Numbers from plain data that somebody else wrote: a number, or None for anything that is none."""

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


def as_whole(value: object) -> int | None:
    """A whole number, 412.0 included, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None
