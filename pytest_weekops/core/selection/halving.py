"""Successive halving over tuning candidates: who goes on to the next round. Pure.

Each round costs every survivor the same, and only the best share goes on, so that most of the time is spent on the
few that may win (Jamieson and Talwalkar 2016).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

KEPT_SHARE = 1 / 3
HOPELESS = 4.0  # a candidate slower than the default by this factor at the first shape gets no round


def survivors(ratios: Mapping[int, Sequence[float]], *, share: float = KEPT_SHARE) -> list[int]:
    """The best share of the candidates (at least one) by the geometric mean of their ratios, best first.

    A ratio is default time / candidate time within a round. Candidates without a ratio, or with one that is no
    positive finite number, do not go on.
    """
    means = {
        number: statistics.fmean(math.log(ratio) for ratio in found)
        for number, found in ratios.items()
        if found and all(math.isfinite(ratio) and ratio > 0 for ratio in found)
    }
    ordered = sorted(means, key=lambda number: (-means[number], number))
    return ordered[: max(1, math.ceil(share * len(ordered)))] if ordered else []


def interleaved(numbers: Sequence[int], *, turn: int) -> list[int]:
    """The order of one round: rotated by the round's number and turned around every other time."""
    if not numbers:
        return []
    place = turn % len(numbers)
    order = [*numbers[place:], *numbers[:place]]
    return order[::-1] if turn % 2 else order
