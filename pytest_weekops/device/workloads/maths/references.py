"""What the built-in math functions are, in float64: arguments as float64 that are exact float32, and whole numbers.

Where OpenCL C asks for a correctly rounded result, that result itself, rounded once. Otherwise the value to some
1e-15 of itself, a hundred-millionth of a float's ULP. Edge cases are those of C99, annex F.9, and of OpenCL C 1.2,
section 7.5.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_LARGEST_BELOW_1 = float(np.float32(1.0) - np.float32(2.0**-24))
_QUOTIENT_BITS = 128  # remquo gives the seven lowest bits at least
_NO_INT = 2.0**31  # what the ends of an int are as a float


def rounded(values: Any) -> F64:
    """Rounded to float32, ties to even."""
    return np.asarray(values).astype(np.float32).astype(np.float64)


def each(function: Callable[[float], float]) -> Callable[[F64], F64]:
    """A function of one number over an array."""
    over = np.frompyfunc(function, 1, 1)
    return lambda x: np.asarray(over(x), dtype=np.float64)


def single(operator: Any) -> Callable[[F64, F64], F64]:
    """One rounding in float32, by NumPy, which rounds as IEEE 754 says."""
    return lambda x, y: np.asarray(operator(x.astype(np.float32), y.astype(np.float32)), dtype=np.float64)


def sinpi(x: F64) -> F64:
    """sin(pi x), exact at halves: +0 at whole numbers above 0, -0 below."""
    turn = x - 2.0 * np.rint(x / 2.0)
    half = np.where(np.abs(turn) > 0.5, np.copysign(1.0 - np.abs(turn), turn), turn)
    return np.where(turn == np.rint(turn), np.copysign(0.0, x), np.sin(np.pi * half))


def cospi(x: F64) -> F64:
    """cos(pi x), exact at halves: +0 halfway between whole numbers."""
    turn = np.abs(x - 2.0 * np.rint(x / 2.0))
    steep = (turn > 0.25) & (turn < 0.75)
    flat = np.where(turn > 0.5, -np.cos(np.pi * (1.0 - turn)), np.cos(np.pi * turn))
    return np.where(steep, np.sin(np.pi * (0.5 - turn)), flat)


def tanpi(x: F64) -> F64:
    """tan(pi x): zeros and infinities with the signs that OpenCL C gives them."""
    whole = np.floor(x)
    sign = np.where(np.fmod(whole, 2.0) == 0.0, 1.0, -1.0)
    quotient = np.where(x == whole, np.copysign(0.0, sign * x), sinpi(x) / cospi(x))
    return np.where(np.isinf(x), np.nan, np.where(x - whole == 0.5, sign * np.inf, quotient))


def _gamma(x: float) -> float:
    if x == 0.0:
        return math.copysign(math.inf, x)
    if math.isnan(x) or x == -math.inf or (x < 0.0 and x == math.floor(x)):
        return math.nan
    return math.inf if x > 171.0 else 0.0 if x < -170.0 else math.gamma(x)


tgamma = each(_gamma)
erf = each(math.erf)
erfc = each(math.erfc)


def powr(x: F64, y: F64) -> F64:
    """X to the y as exp(y log(x)): no number for x below 0, nor where that is undefined."""
    undefined = (x < 0) | np.isnan(x) | np.isnan(y) | ((x == 0) & (y == 0)) | (np.isinf(x) & (y == 0))
    undefined |= (x == 1) & np.isinf(y)
    return np.where(undefined, np.nan, np.power(np.abs(x), y))


def pown(x: F64, n: I64) -> F64:
    """X to the n, and 1 for n = 0 whatever x is."""
    return np.asarray(np.power(x, n.astype(np.float64)))


def rootn(x: F64, n: I64) -> F64:
    """The n-th root: negative where n is odd and x is, no number for an even n then, nor for n = 0."""
    odd = n % 2 != 0
    size = np.power(np.abs(x), 1.0 / np.where(n == 0, 1, n))
    return np.where((n == 0) | ((x < 0) & ~odd), np.nan, np.where(odd, np.copysign(size, x), size))


def fma(x: F64, y: F64, z: F64) -> F64:
    """X y + z, rounded once.

    The product is exact in float64, and the sum is rounded to odd: then a second rounding, to float32, does no harm
    (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008).
    """
    product = x * y
    total = product + z
    back = total - product
    lost = (product - (total - back)) + (z - back)
    even = (total.view(np.int64) & 1) == 0
    odd = np.nextafter(total, np.copysign(np.inf, lost))
    return rounded(np.where(even & np.isfinite(total) & (lost != 0), odd, total))


def fract(x: F64) -> F64:
    """X - floor(x), below 1 whatever rounding does, and zeros of x's sign at zeros and infinities."""
    part = np.fmin(rounded(x - np.floor(x)), _LARGEST_BELOW_1)
    part = np.where((x == 0) | np.isinf(x), np.copysign(0.0, x), part)
    return np.where(np.isnan(x), np.nan, part)


def logb(x: F64) -> F64:
    """The exponent of x."""
    exponent = np.frexp(x)[1] - 1.0
    return np.where(np.isnan(x), np.nan, np.where(np.isinf(x), np.inf, np.where(x == 0, -np.inf, exponent)))


def ilogb(x: F64) -> F64:
    """The same as an int, made a float; its ends for zeros and infinities, and NaN where the kernel found its own."""
    return np.clip(logb(x), -_NO_INT, _NO_INT)


def frexp_exponent(x: F64) -> F64:
    """The exponent beside a fraction of 1/2 to 1; 0 for what has none."""
    return np.where(np.isfinite(x), np.frexp(x)[1], 0).astype(np.float64)


def ldexp(x: F64, n: I64) -> F64:
    """X 2**n, rounded once."""
    return rounded(np.ldexp(x, np.clip(n, -2000, 2000).astype(np.int32)))


def round_away(x: F64) -> F64:
    """To the nearest whole number, halves away from 0."""
    return np.trunc(x + np.copysign(0.5, x))


def fdim(x: F64, y: F64) -> F64:
    """X - y where that is above 0, else 0."""
    positive = np.where(x > y, single(np.subtract)(x, y), 0.0)
    return np.where(np.isnan(x) | np.isnan(y), np.nan, positive)


def maxmag(x: F64, y: F64) -> F64:
    """Whichever is larger in size."""
    return np.where(np.abs(x) > np.abs(y), x, np.where(np.abs(y) > np.abs(x), y, np.fmax(x, y)))


def minmag(x: F64, y: F64) -> F64:
    """Whichever is smaller in size."""
    return np.where(np.abs(x) < np.abs(y), x, np.where(np.abs(y) < np.abs(x), y, np.fmin(x, y)))


def _remainder(x: F64, y: F64) -> tuple[F64, F64]:
    """IEEE remainder and the quotient's lowest bits with its sign; each step is exact."""
    size, by = np.abs(x), np.abs(y)
    rest = np.fmod(size, by)
    steps = np.rint((np.fmod(size, _QUOTIENT_BITS * by) - rest) / by)
    up = (2.0 * rest > by) | ((2.0 * rest == by) & (steps % 2 == 1))
    quotient = (steps + up) % _QUOTIENT_BITS
    value = np.copysign(1.0, x) * np.where(up, rest - by, rest)
    value = np.where(rest == 0, np.copysign(0.0, x), value)
    undefined = np.isnan(x) | np.isnan(y) | np.isinf(x) | (y == 0)
    quotient = np.where(undefined | np.isinf(y), 0.0, quotient * np.copysign(1.0, x) * np.copysign(1.0, y))
    return np.where(undefined, np.nan, np.where(np.isinf(y), x, value)), quotient


def remainder(x: F64, y: F64) -> F64:
    """X - n y for the whole number n nearest to x / y, the even one of two."""
    return _remainder(x, y)[0]


def remquo_quotient(x: F64, y: F64) -> F64:
    """The seven lowest bits of that n, with its sign."""
    return _remainder(x, y)[1]


def nextafter(x: F64, y: F64) -> F64:
    """The next float from x towards y."""
    return np.asarray(np.nextafter(x.astype(np.float32), y.astype(np.float32)), dtype=np.float64)


def nextafter_normal(x: F64, y: F64) -> F64:
    """The same among zeros and normal floats alone, as OpenCL-CTS allows where subnormals are flushed."""
    least = 2.0**-126
    start = np.where(np.abs(x) < least, np.copysign(0.0, x), x)
    following = nextafter(start, y)
    return np.where(np.abs(following) >= least, following, np.where(start == 0, np.copysign(least, following), 0.0))
