"""Student's t: the quantile that small samples are judged by, in pure Python so that a verdict can be replayed."""

from __future__ import annotations

import functools
import math

_STEPS = 400
_TINY = 1e-300


def student_tail(t: float, degrees: float) -> float:
    """The probability that Student's t with so many degrees of freedom exceeds ``t``, for ``t`` of 0 or more.

    Half the regularised incomplete beta function at ``degrees / (degrees + t * t)`` (Abramowitz and Stegun 26.7.1).
    """
    return 0.5 * _incomplete_beta(degrees / (degrees + t * t), degrees / 2.0, 0.5)


@functools.lru_cache(maxsize=4096)
def student_quantile(tail: float, degrees: float) -> float:
    """The ``t`` that is exceeded with probability ``tail``, above 0 and at most a half; infinite for less than 1e-12.

    ``degrees`` is above 0 and need not be whole.
    """
    if tail < 1e-12:
        return math.inf
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > tail and high < 1e100:
        high *= 2.0
    while high - low > 1e-12 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if student_tail(middle, degrees) > tail else (low, middle)
    return high


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
