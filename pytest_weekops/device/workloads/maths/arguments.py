"""Arguments of all kinds: each special one with each, then strata of random ones around where functions are hard."""

from __future__ import annotations

import numpy as np

from pytest_weekops.device.operation import Array

_SMALLEST, _LARGEST_SUBNORMAL = 2.0**-149, 2.0**-126 - 2.0**-149
_POSITIVE = (
    0.0, _SMALLEST, _LARGEST_SUBNORMAL, 2.0**-126, 2.0**-25, 0.5, 1.0 - 2.0**-24, 1.0, 1.0 + 2.0**-23, 1.5, np.pi / 2,
    2.0, 2.5, 3.0, np.pi, 10.0, 88.75, 2.0**23 + 1.0, 2.0**24, 2.0**31, 2.0**127 * (2.0 - 2.0**-23), np.inf,
)  # fmt: skip
SPECIAL = np.array([*_POSITIVE, *(-value for value in _POSITIVE), np.nan], dtype=np.float32)
_WHOLE = np.array([0, 1, 2, 3, -1, -2, -3, 126, 127, 128, -126, -149, -150, 2**31 - 1, -(2**31)], dtype=np.int32)
GRID = len(SPECIAL) ** 2
_RANDOM = 512  # random ones of the smallest size
_PER = 16  # of n * n, one more


def count_of(n: int) -> int:
    """Arguments of each function at a size."""
    return GRID + _RANDOM + n * n // _PER


def arguments(n: int, seed: int, session: int) -> dict[str, Array]:
    """X, y and z, float32, and n, int32: :func:`count_of` of each."""
    generator = np.random.default_rng([seed, session])
    count = count_of(n) - GRID
    drawn = [_strata(generator, count, turn) for turn in range(3)]
    place = np.arange(GRID)
    fixed = (SPECIAL[place // len(SPECIAL)], SPECIAL[place % len(SPECIAL)], SPECIAL[(7 * place + 3) % len(SPECIAL)])
    x, y, z = (np.concatenate(pair) for pair in zip(fixed, drawn, strict=True))
    whole = np.concatenate([_WHOLE[(place + place // len(SPECIAL)) % len(_WHOLE)], _wholes(generator, count)])
    return {"x": x, "y": y, "z": z, "n": whole}


def _strata(generator: np.random.Generator, count: int, turn: int) -> Array:
    """Eight kinds in turn, beginning with another one in each of x, y and z from block to block."""
    sign = generator.choice(np.array([-1.0, 1.0]), count)
    size = generator.random(count)
    kinds = (
        _any_bits(generator, count),
        sign * np.ldexp(size, -126),  # subnormal
        sign * size,  # where arcus functions are defined
        4.0 * sign * size,
        sign * np.exp2(60.0 * size - 30.0),
        np.rint(20.0 * sign * size) * 0.5 + sign * np.float32(2.0**-20) * generator.integers(0, 2, count),
        1.0 + sign * np.exp2(-1.0 - 22.0 * size),  # around 1
        100.0 * sign * size,  # where exponentials end
    )
    place = np.arange(count)
    kind = (place + turn * (1 + place // len(kinds))) % len(kinds)
    return np.choose(kind, [np.asarray(values, dtype=np.float32) for values in kinds])


def _any_bits(generator: np.random.Generator, count: int) -> Array:
    """Any float at all; a NaN is a quiet one, since C says nothing of others."""
    values = generator.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
    return np.where(np.isnan(values), np.float32(np.nan), values)


def _wholes(generator: np.random.Generator, count: int) -> Array:
    """Small ones mostly, of both signs."""
    small = generator.integers(-20, 21, count, dtype=np.int32)
    large = generator.integers(-300, 301, count, dtype=np.int32)
    return np.where(np.arange(count) % 4 == 0, large, small)
