"""Student's t: the quantile that small samples are judged by, in pure Python so that a verdict can be replayed."""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

_NORMAL = NormalDist()
_MOST_DEGREES = 1000  # beyond, Student's distribution is the normal one
_LEAST_TAIL = 1e-12  # what is rarer is not told from never: half the distribution is rounded to 1e-16
_STEPS = 400
_TINY = 1e-300


@functools.lru_cache(maxsize=4096)
def student_quantile(level: float, degrees: float | None) -> float:
    """Upper quantile: exceeded with probability ``level``; infinite for one below 1e-12.

    ``degrees`` is above 0 and need not be whole; None for the normal distribution. Raises ``ValueError`` for a level
    that is not one-sided, above 0 and below a half.
    """
    if not 0 < level < 0.5:
        raise ValueError(f"a one-sided level lies between 0 and a half, not at {level}")
    if level < _LEAST_TAIL:
        return math.inf
    normal = -_NORMAL.inv_cdf(level)
    if degrees is None or degrees > _MOST_DEGREES:
        return normal
    low, high = 0.0, normal
    while student_tail(high, degrees) > level:
        low, high = high, 2.0 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2.0
        low, high = (middle, high) if student_tail(middle, degrees) > level else (low, middle)
    return high


def student_tail(t: float, degrees: float) -> float:
    """The probability that Student's t exceeds ``t``, for ``t`` of 0 or more.

    In closed form for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4); for others half the
    regularised incomplete beta function at ``degrees / (degrees + t * t)`` (26.7.1).
    """
    if degrees != int(degrees):
        return 0.5 * _incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5)
    whole = int(degrees)
    angle = math.atan(t / math.sqrt(whole))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, 0.0) if whole % 2 else (1.0, 0.0)
    for factor in range(2 if whole % 2 else 1, whole, 2):
        total += term
        term *= cosine * cosine * factor / (factor + 1)
    if whole % 2:
        return 0.5 - (angle + sine * total) / math.pi
    return (1.0 - sine * total) / 2.0


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction (Press et al., section 6.4)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    found, m = d, 0
    while abs(c * d - 1.0) > 1e-15 and m < _STEPS:
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            found *= d * c
    return found


def _away(value: float) -> float:
    """Never 0, which the fraction would divide by."""
    return value if abs(value) > _TINY else _TINY
