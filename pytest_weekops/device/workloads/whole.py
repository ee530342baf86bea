"""The built-in functions of whole numbers, exactly: one result each, which the host has by wider arithmetic."""

from __future__ import annotations

import numpy as np

from pytest_weekops.device.operation import Array
from pytest_weekops.device.workloads.exact import Arguments, ExactWords

_SIZE_PER_TRIPLE, _LEAST_DRAWN = 16, 64  # of n * n one more, and at n = 1 so many
SPECIAL = np.array(
    [0, 1, 2, 31, 32, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFF, 0x800000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF],
    dtype=np.uint32,
)
_GRID = SPECIAL.size**2


def count_of(n: int) -> int:
    """Triples of words at a size: all pairs of the special ones, and drawn ones."""
    return _GRID + _LEAST_DRAWN + n * n // _SIZE_PER_TRIPLE


def triples(n: int, seed: int, session: int) -> dict[str, Array]:
    """X, y and z, uint32, :func:`count_of` of each: special ones, then small numbers, floats halfway, any bits."""
    generator, more = np.random.default_rng([seed, session]), count_of(n) - _GRID
    any_bits = generator.integers(0, 2**32, (3, more), dtype=np.uint32)
    small = generator.integers(-40, 41, (3, more), dtype=np.int32).view(np.uint32)
    ties = (0.5 * generator.integers(-600, 601, (3, more))).astype(np.float32).view(np.uint32)
    kind = np.arange(more) % 4
    drawn = np.where(kind == 0, small, np.where(kind == 1, ties, any_bits))
    place = np.arange(_GRID)
    fixed = (place // SPECIAL.size, place % SPECIAL.size, (7 * place + 3) % SPECIAL.size)
    return {name: np.concatenate([SPECIAL[at], row]) for name, at, row in zip("xyz", fixed, drawn, strict=True)}


TRIPLES = Arguments("xyz", "uint32", count_of, triples)


def signed(values: Array, bits: int) -> Array:
    """The lowest bits of whole numbers as two's complement."""
    half = 1 << bits - 1
    return np.asarray((values & (1 << bits) - 1 ^ half) - half)


def saturated(values: Array, bits: int, *, is_signed: bool) -> Array:
    """The nearest number of so many bits."""
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    return np.asarray(np.clip(values, least, most))


def _bits(values: Array) -> Array:
    """A row of 64 bits for each, the highest first."""
    return np.unpackbits(values.astype(np.uint64).astype(">u8").view(np.uint8)).reshape(-1, 64)


def _ones(values: Array) -> Array:
    return np.asarray(_bits(values).sum(axis=1, dtype=np.int64))


def _zeros_before(values: Array, bits: int) -> Array:
    rows = _bits(values)
    return np.where(rows.any(axis=1), rows.argmax(axis=1), 64) - (64 - bits)


def _rotated(values: Array, by: Array, bits: int) -> Array:
    by, mask = by % bits, (1 << bits) - 1
    return np.asarray((values << by | values >> bits - by) & mask)


def _of_32(x: Array, y: Array, z: Array) -> list[Array]:
    """The rows of ``whole_``."""
    u, v, w = (each.astype(np.int64) for each in (x, y, z))
    p, q, r = (signed(each, 32) for each in (u, v, w))
    by = np.where((q == 0) | ((p == -(2**31)) & (q == -1)), 3, q)
    quotient = np.sign(p) * np.sign(by) * (np.abs(p) // np.abs(by))  # towards zero, as C has it
    short = [signed(each, 16) for each in (u, v, w)]
    return [
        np.abs(p),
        np.abs(p - q),
        np.abs(u - v),
        saturated(p + q, 32, is_signed=True),
        saturated(u + v, 32, is_signed=False),
        saturated(p - q, 32, is_signed=True),
        saturated(u - v, 32, is_signed=False),
        p + q >> 1,
        u + v >> 1,
        p + q + 1 >> 1,
        u + v + 1 >> 1,
        _zeros_before(u, 32),
        _ones(u),
        p * q >> 32,
        _product(u, v) >> 32,
        (p * q >> 32) + r,
        _rotated(u, v, 32),
        signed(u, 24) * signed(v, 24),
        (u & 0xFFFFFF) * (v & 0xFFFFFF) + w,
        np.clip(p, np.minimum(q, r), np.maximum(q, r)),
        np.minimum(u, v),
        np.maximum(u, v),
        quotient,
        p - by * quotient,
        u // (v | 1),
        u % (v | 1),
        p << (v & 31),
        p >> (v & 31),
        (u & 0xFFFF) << 16 | v & 0xFFFF,
        (u & 0xFF) << 8 | v & 0xFF,
        saturated(signed(u, 8) + signed(v, 8), 8, is_signed=True),
        saturated((u & 0xFF) - (v & 0xFF), 8, is_signed=False),
        saturated(short[0] * short[1] + short[2], 16, is_signed=True),
        _rotated(u & 0xFFFF, v & 0xFFFF, 16),
    ]


def _saturated_sums(x: Array, y: Array, z: Array) -> list[Array]:
    """The rows of ``whole_mad_sat_``."""
    u, v, w = (each.astype(np.int64) for each in (x, y, z))
    p, q, r = (signed(each, 32) for each in (u, v, w))
    return [saturated(p * q + r, 32, is_signed=True), saturated(_product(u, v) + w, 32, is_signed=False)]


def _product(u: Array, v: Array) -> Array:
    """Of two words without a sign: 64 bits and no sign, which int64 does not hold."""
    return np.asarray(u.astype(object) * v.astype(object))


def _of_64(x: Array, y: Array, z: Array) -> list[Array]:
    """The rows of ``whole_long_``, in whole numbers of Python."""
    low, mid, high = (each.astype(object) for each in (z, y, x))
    u, v = high << 32 | mid, mid << 32 | low
    p, q = signed(u, 64), signed(v, 64)
    return [
        np.abs(p - q),
        saturated(p + q, 64, is_signed=True),
        saturated(u - v, 64, is_signed=False),
        p + q + 1 >> 1,
        _zeros_before(u, 64),
        _ones(v),
        p * q >> 64,
        u * v >> 64,
        _rotated(u, v, 64),
        p >> (v & 63),
    ]


IN_WHOLE = {
    "whole": ExactWords("whole", 34, _of_32, TRIPLES),
    "whole_mad_sat": ExactWords("whole_mad_sat", 2, _saturated_sums, TRIPLES),
    "whole_long": ExactWords("whole_long", 10, _of_64, TRIPLES, words=2),
}
