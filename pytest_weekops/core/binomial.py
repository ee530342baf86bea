"""What a count of so many out of so many says of the share behind it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable


def clopper_pearson(found: int, tried: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial share (Clopper and Pearson 1934); (0, 1) for no trials."""
    if tried <= 0:
        return 0.0, 1.0
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if found == 0 else _bisect(lambda p: _at_least(found, tried, p) > tail)
    high = 1.0 if found == tried else _bisect(lambda p: _at_least(found + 1, tried, p) > 1.0 - tail)
    return low, high


def is_beyond(found: int, tried: int, limit: float) -> bool:
    """Whether the share is certainly above a limit: by its exact lower bound, at a one-sided error of 1 %.

    One of three is not beyond 0.08, and neither is two of three; three of three is.
    """
    return clopper_pearson(found, tried, confidence=0.98)[0] > limit


def _bisect(beyond: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return (low + high) / 2.0


def _at_least(found: int, tried: int, p: float) -> float:
    """P(X >= found) for X binomial(tried, p), summed over the shorter tail in logarithms."""
    if p <= 0.0 or p >= 1.0:
        return float(found <= 0 or p >= 1.0)
    whole = math.lgamma(tried + 1)

    def term(k: int) -> float:
        ways = whole - math.lgamma(k + 1) - math.lgamma(tried - k + 1)
        return math.exp(ways + k * math.log(p) + (tried - k) * math.log1p(-p))

    if found > tried / 2:
        return min(1.0, math.fsum(term(k) for k in range(found, tried + 1)))
    return max(0.0, 1.0 - math.fsum(term(k) for k in range(found)))
