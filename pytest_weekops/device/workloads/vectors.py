"""Vectors of each width, loaded from where nothing aligns them and stored, exactly: the words themselves, moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pytest_weekops.device.operation import Array
from pytest_weekops.device.workloads.exact import Arguments, ExactWords

_SIZE_PER_ITEM, _LEAST_ITEMS = 64, 96  # of n * n one more, and at n = 1 so many
_BEYOND = 31  # words behind the first of the widest vector


def count_of(n: int) -> int:
    """Words at a size, each of which begins a vector but for the last ones."""
    return _LEAST_ITEMS + n * n // _SIZE_PER_ITEM


def _drawn(n: int, seed: int, session: int) -> dict[str, Array]:
    """X, uint32: any bits that are a normal number as a float, since a float may be loaded as it is computed with."""
    bits = np.random.default_rng([seed, session]).integers(0, 2**32, count_of(n), dtype=np.uint32)
    exponent = bits & np.uint32(0x7F800000)
    return {"x": np.where((exponent == 0) | (exponent == 0x7F800000), bits ^ np.uint32(0x40000000), bits)}


class _Vectors(ExactWords):
    """Rows of whole vectors: ``right`` gives (items x words) each."""

    def __init__(self, name: str, results: int, right: Callable[[Array], Sequence[Array]], *, words: int) -> None:
        super().__init__(name, results, right, Arguments("x", "uint32", count_of, _drawn), words=words)

    def _words(self, row: Array) -> Array:
        return row.reshape(-1)


class _Places:
    """What each item of a launch over ``x`` loads, as rows of ``width`` words."""

    def __init__(self, x: Array, width: int) -> None:
        self.item, self._x, self._width = np.arange(x.size), x, width
        self.at = self.item % (x.size - _BEYOND)
        self.any: Array = self.words(self.at)
        self.aligned: Array = self.words(width * (self.item % (x.size // width)))

    def words(self, first: Array) -> Array:
        """So many from each of these places on."""
        return np.asarray(self._x[first[:, None] + np.arange(self._width)])

    def parts(self, dtype: str) -> Array:
        """Smaller numbers, from the second one of each place on."""
        smaller = self._x.view(dtype)
        each = 4 // smaller.itemsize
        found = smaller[(each * self.at + 1)[:, None] + np.arange(each * self._width)]
        return np.ascontiguousarray(found).view(np.uint32)

    def turned(self) -> Array:
        """The aligned vector of an item, turned by its number."""
        place = (self.item[:, None] + np.arange(self._width)) % self._width
        return np.take_along_axis(self.aligned, place, axis=1)

    def beside(self) -> Array:
        """What the item beside loads; beyond the last one all load what the last one does."""
        return np.asarray(self.any[np.minimum(self.item ^ 1, self.item.size - 1)])

    def common(self) -> list[Array]:
        """The rows of either kernel: loads, a turn, a sum, half of one vector beside half of another."""
        parts = np.hstack([self.aligned[:, self._width // 2 :], self.any[:, 1::2]])
        total = 3 * self.any + self.aligned
        return [self.any, self.aligned, self.any, self.turned(), self.beside(), total, parts]


def _narrow(x: Array) -> list[Array]:
    """The rows of ``vectors_``."""
    of = _Places(x, 8)
    longs = of.words(of.at & ~1)
    pairs_turned, halves_turned = [6, 7, 4, 5, 2, 3, 0, 1], [4, 5, 6, 7, 0, 1, 2, 3]
    return [
        *of.common(),
        of.any,
        of.any,
        of.any[:, pairs_turned],
        *[of.parts("uint8")] * 2,
        *[of.parts("uint16")] * 2,
        longs,
        longs[:, halves_turned],
        np.maximum(of.any, of.aligned),
    ]


def _wide(x: Array) -> list[Array]:
    """The rows of ``vectors_wide_``."""
    of = _Places(x, 16)
    longs = of.at & ~1
    lower, upper = of.words(longs), of.words(longs + 16)
    return [*of.common(), lower, lower, upper, of.any]


IN_VECTORS = {
    "vectors": _Vectors("vectors", 17, _narrow, words=8),
    "vectors_wide": _Vectors("vectors_wide", 11, _wide, words=16),
}
