"""How much a policy's T5 guard checks, in numbers of which more is stricter. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pytest_weekops.core.numbers import as_finite

SAMPLING = ("row_samples", "col_samples", "residual_scale", "residual_margin", "residual_floor")


def strengths(guard: Mapping[str, Any]) -> dict[str, float]:
    """Each of the keys that make a guard a sampled one, as a number that grows with what the guard sees.

    Without ``row_samples`` and ``col_samples`` every row is checked, which no number of sampled lines reaches, and the
    ``residual_*`` keys mean nothing. Thresholds are negative: the wider one sees less. What is no number sees nothing.
    """
    lines = guard.get("row_samples"), guard.get("col_samples")
    if lines == (None, None):
        return dict.fromkeys(SAMPLING, math.inf)
    scale = guard.get("residual_scale")
    widths = (guard.get("z") if scale is None else scale, guard.get("residual_margin"), guard.get("residual_floor"))
    counts = (_number(line, -math.inf) for line in lines)
    return dict(zip(SAMPLING, (*counts, *(-_number(width, math.inf) for width in widths)), strict=True))


def _number(value: Any, unreadable: float) -> float:
    number = 0.0 if value is None else as_finite(value)
    return unreadable if number is None else number
