"""Conversions with each rounding and saturation, halves in memory, and choices between words, exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pytest_weekops.device.operation import Array
from pytest_weekops.device.workloads.exact import ExactWords
from pytest_weekops.device.workloads.whole import TRIPLES, saturated, signed

Rounding = Callable[[Array], Array]
_ROUNDINGS: tuple[Rounding, ...] = (np.rint, np.trunc, np.ceil, np.floor)  # rte, rtz, rtp, rtn
_RTE, _RTZ, _RTP, _RTN = _ROUNDINGS
_LEAST_FLOAT, _FLOAT_BITS = -126, 24  # exponent of the least normal number, and bits of a significand
_LEAST_HALF, _HALF_BITS, _LARGEST_HALF = -14, 11, 65504.0
_NAN = 0x7FC00000


def number(bits: Array) -> Array:
    """The float64 of a float's bits as the kernels take it: zero for a subnormal, infinite for what is no number."""
    exponent = bits & np.uint32(0x7F800000)
    odd = (exponent == 0) | (exponent == 0x7F800000)
    return np.where(odd, bits & np.uint32(0xFF800000), bits).astype(np.uint32).view(np.float32).astype(np.float64)


def _rounded(values: Array, rounding: Rounding, significand: int, least_exponent: int) -> Array:
    """Float64 values rounded to a significand of so many bits, of fewer below the least normal number."""
    _fraction, exponent = np.frexp(values)
    place = np.maximum(exponent - 1, least_exponent) - (significand - 1)
    return np.asarray(np.ldexp(rounding(np.ldexp(values, -place)), place))


def _float_bits(values: Array, rounding: Rounding) -> Array:
    """The bits of the float that whole numbers of 32 bits are rounded to."""
    rounded = _rounded(values.astype(np.float64), rounding, _FLOAT_BITS, _LEAST_FLOAT)
    return rounded.astype(np.float32).view(np.uint32).astype(np.int64)


def _half_bits(values: Array, rounding: Rounding) -> Array:
    """The bits of the half that float64 values are rounded to; beyond the largest, that or infinity."""
    finite = np.where(np.isfinite(values), values, 0.0)
    rounded = _rounded(finite, rounding, _HALF_BITS, _LEAST_HALF)
    up = np.inf if rounding in (_RTE, _RTP) else _LARGEST_HALF
    down = -np.inf if rounding in (_RTE, _RTN) else -_LARGEST_HALF
    rounded = np.where(np.abs(rounded) > _LARGEST_HALF, np.where(values > 0, up, down), rounded)
    rounded = np.where(np.isfinite(values), rounded, values)
    rounded = np.copysign(rounded, values)  # of a zero, too
    return rounded.astype(np.float16).view(np.uint16).astype(np.int64)


def _to_whole(values: Array, rounding: Rounding, bits: int, *, is_signed: bool) -> Array:
    """Float64 values as the nearest number of so many bits."""
    within = np.clip(values, -(2.0**40), 2.0**40)  # infinities, too
    return saturated(rounding(within).astype(np.int64), bits, is_signed=is_signed)


def _converted(x: Array, y: Array, z: Array) -> list[Array]:
    """The rows of ``convert_``."""
    u, v, w = (each.astype(np.int64) for each in (x, y, z))
    p, q, r = (signed(each, 32) for each in (u, v, w))
    f = number(x)
    wide = p * 2**32 + v
    two, four = [u, v, w, (~u & 0xFFFFFFFF)], [u, v, w, u ^ v]
    return [
        *(_to_whole(f, rounding, 32, is_signed=True) for rounding in _ROUNDINGS),
        _to_whole(f, _RTZ, 32, is_signed=False),
        _to_whole(f, _RTE, 16, is_signed=True),
        _to_whole(f, _RTP, 16, is_signed=False),
        _to_whole(f, _RTN, 8, is_signed=True),
        _to_whole(f, _RTE, 8, is_signed=False),
        *(_float_bits(p, rounding) for rounding in _ROUNDINGS),
        _float_bits(u, _RTE),
        _float_bits(u, _RTZ),
        saturated(p, 8, is_signed=True),
        saturated(p, 8, is_signed=False),
        saturated(p, 16, is_signed=True),
        saturated(u, 16, is_signed=False),
        saturated(u, 32, is_signed=True),
        saturated(p, 32, is_signed=False),
        saturated(wide, 32, is_signed=True),
        np.where(w != 0, v, u),
        np.where(r < 0, v, u),
        u & ~w | v & w,
        2 * ((p < 0) | (q < 0) | (r < 0)).astype(np.int64) + ((p < 0) & (q < 0)).astype(np.int64),
        np.choose(w & 3, four),
        np.choose(u & 3, two),
        (u & 0xFF) << 24 | (u >> 8 & 0xFF) << 16 | (u >> 16 & 0xFF) << 8 | u >> 24,
    ]


def _halves(x: Array, y: Array, z: Array) -> list[Array]:
    """The rows of ``convert_half_``."""
    exponent = np.uint32(102) + (y & np.uint32(63)) % np.uint32(43)
    f = number(np.where(y & np.uint32(64), x, x & np.uint32(0x807FFFFF) | exponent << np.uint32(23)).astype(np.uint32))
    bits = (z & np.uint32(0xFFFF)).astype(np.uint16)
    loaded = bits.view(np.float16).astype(np.float32)
    words = np.where(np.isnan(loaded), np.uint32(_NAN), loaded.view(np.uint32)).astype(np.int64)
    return [*(_half_bits(f, rounding) for rounding in _ROUNDINGS), words]


IN_CONVERT = {
    "convert": ExactWords("convert", 29, _converted, TRIPLES),
    "convert_half": ExactWords("convert_half", 5, _halves, TRIPLES),
}
