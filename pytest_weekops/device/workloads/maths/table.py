"""The functions, in groups that are built apart: what each takes, and its limit in ULP.

Limits are those of OpenCL C 1.2, table 7.1, full profile (0: correctly rounded). Left out are ``half_`` and
``native_`` ones, whose error is loose or the implementation's own, ``mad``, ``lgamma`` and ``lgamma_r``, whose results
may be anything.

``STRICT`` has what OpenCL-CTS does not ask, error and gamma functions and the signs of some zeros (section 7.5.1), and
``ldexp`` and ``rootn`` down to subnormals, where few arguments show a fault. Drivers that are right otherwise
fail there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_weekops.device.workloads.maths import references as of

Reference = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """One function, or one result of one that has two: the kernel ``m_NAME_`` of math.cl writes a row of them.

    ``takes`` names its arguments: ``x``, ``y``, ``z``, floats, and ``n``, a whole number. ``signs``: the sign of a
    result of 0 is stated, too. ``flushed`` is one more right result where a device flushes subnormals.
    """

    name: str
    limit: float
    right: Reference
    takes: str = "x"
    signs: bool = True
    flushed: Reference | None = None


TRIG = (
    Function("sin", 4, np.sin),
    Function("cos", 4, np.cos),
    Function("tan", 5, np.tan),
    Function("sinpi", 4, of.sinpi, signs=False),
    Function("cospi", 4, of.cospi, signs=False),
    Function("tanpi", 6, of.tanpi, signs=False),
    Function("asin", 4, np.arcsin),
    Function("acos", 4, np.arccos),
    Function("atan", 5, np.arctan),
    Function("asinpi", 5, lambda x: np.arcsin(x) / np.pi),
    Function("acospi", 5, lambda x: np.arccos(x) / np.pi),
    Function("atanpi", 5, lambda x: np.arctan(x) / np.pi),
    Function("atan2", 6, np.arctan2, "xy"),
    Function("atan2pi", 6, lambda x, y: np.arctan2(x, y) / np.pi, "xy"),
)
EXP = (
    Function("exp", 3, np.exp),
    Function("exp2", 3, np.exp2),
    Function("exp10", 3, lambda x: np.power(10.0, x)),
    Function("expm1", 3, np.expm1),
    Function("log", 3, np.log),
    Function("log2", 3, np.log2),
    Function("log10", 3, np.log10),
    Function("log1p", 2, np.log1p),
    Function("sinh", 4, np.sinh),
    Function("cosh", 4, np.cosh),
    Function("tanh", 5, np.tanh),
    Function("asinh", 4, np.arcsinh),
    Function("acosh", 4, np.arccosh),
    Function("atanh", 5, np.arctanh),
)
POWER = (
    Function("sqrt", 3, np.sqrt),
    Function("rsqrt", 2, lambda x: 1.0 / np.sqrt(x)),
    Function("cbrt", 2, np.cbrt),
    Function("hypot", 4, np.hypot, "xy"),
    Function("pow", 16, np.power, "xy"),
    Function("powr", 16, of.powr, "xy"),
    Function("pown", 16, of.pown, "xn"),
    Function("reciprocal", 2.5, lambda x: 1.0 / x),
    Function("divide", 2.5, np.divide, "xy"),
)
EXACT = (
    Function("add", 0, of.single(np.add), "xy"),
    Function("subtract", 0, of.single(np.subtract), "xy"),
    Function("multiply", 0, of.single(np.multiply), "xy"),
    Function("fma", 0, of.fma, "xyz"),
    Function("ceil", 0, np.ceil),
    Function("floor", 0, np.floor),
    Function("rint", 0, np.rint),
    Function("round", 0, of.round_away),
    Function("trunc", 0, np.trunc),
    Function("fabs", 0, np.abs),
    Function("copysign", 0, np.copysign, "xy"),
    Function("fdim", 0, of.fdim, "xy"),
    Function("fmax", 0, np.fmax, "xy", signs=False),
    Function("fmin", 0, np.fmin, "xy", signs=False),
    Function("maxmag", 0, of.maxmag, "xy", signs=False),
    Function("minmag", 0, of.minmag, "xy", signs=False),
    Function("fmod", 0, np.fmod, "xy"),
    Function("remainder", 0, of.remainder, "xy"),
    Function("nextafter", 0, of.nextafter, "xy", signs=False, flushed=of.nextafter_normal),
    Function("logb", 0, of.logb, signs=False),
    Function("ilogb", 0, of.ilogb, signs=False),
    Function("nan", 0, lambda x: np.full_like(x, np.nan)),
)
PAIRS = (
    Function("sincos", 4, np.sin),
    Function("sincos_cosine", 4, np.cos),
    Function("fract", 0, of.fract, signs=False),
    Function("fract_floor", 0, np.floor),
    Function("modf", 0, lambda x: np.modf(x)[0]),
    Function("modf_whole", 0, np.trunc),
    Function("frexp", 0, lambda x: np.frexp(x)[0]),
    Function("frexp_exponent", 0, of.frexp_exponent, signs=False),
    Function("remquo", 0, of.remainder, "xy"),
    Function("remquo_quotient", 0, of.remquo_quotient, "xy", signs=False),
)
STRICT = (
    Function("erf", 16, of.erf),
    Function("erfc", 16, of.erfc),
    Function("tgamma", 16, of.tgamma, signs=False),
    Function("rootn", 16, of.rootn, "xn"),
    Function("ldexp", 0, of.ldexp, "xn"),
    Function("sinpi_zero", 4, of.sinpi),
    Function("cospi_zero", 4, of.cospi),
    Function("tanpi_zero", 6, of.tanpi),
    Function("fract_zero", 0, of.fract),
)
GROUPS: dict[str, tuple[Function, ...]] = {
    "math_trig": TRIG,
    "math_exp": EXP,
    "math_power": POWER,
    "math_exact": EXACT,
    "math_pairs": PAIRS,
    "math_strict": STRICT,
}
