"""Bandwidth of local memory: what an item's reads come to, by the shape that is fastest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pytest_weekops.device.peak.digested import Digested
from pytest_weekops.device.peak.probe import GROUP, Bench, Taken, Words

FILE = "peak_local.cl"
TILE = 128  # TILE of peak_local.cl
_ROUNDS = 17  # odd: an even number times a sum would hide some of its bits
_ACCUMULATORS = 8


class LocalReads(Digested):
    """``_ROUNDS`` times ``TILE`` vectors of ``width`` words, read by each item."""

    what = "local memory"

    def __init__(self, bench: Bench, width: int) -> None:
        kernel = bench.kernel(FILE, "peak_local", (f"-DWIDTH={width}",))
        per_item = 4.0 * width * _ROUNDS * TILE
        super().__init__(bench, kernel, width, per_item, f"{width} words per read")

    def arguments(self, key: int) -> tuple[Any, ...]:
        """The key, the rounds, and the reads of a round."""
        return np.uint32(key), np.int32(_ROUNDS), np.int32(TILE)

    def digests(self, key: np.uint32) -> Words:
        """By the kernel's own arithmetic, modulo 2**32: four groups of items, which differ by their number."""
        places = np.arange(TILE + GROUP, dtype=np.uint32) * np.uint32(2654435761)
        lanes = np.arange(self._width, dtype=np.uint32)
        groups = np.arange(4, dtype=np.uint32)[:, None, None]
        tile = places[None, :, None] + lanes + key + groups  # group x place x lane
        # t15 - (t14 - (t13 - ...)): an even number of reads a round, so that each round adds the same once more.
        sums = [np.zeros((4, GROUP, self._width), dtype=np.uint32) for _ in range(_ACCUMULATORS)]
        for at in range(TILE):
            sums[at % _ACCUMULATORS] = tile[:, at : at + GROUP] - sums[at % _ACCUMULATORS]
        sums = [each * np.uint32(_ROUNDS) for each in sums]
        mixed = sums[0]
        for each in sums[1:]:
            mixed = mixed * np.uint32(31) + each
        return mixed.reshape(4 * GROUP, self._width)


def _fits(bench: Bench, width: int) -> bool:
    return (TILE + GROUP) * 4 * width <= int(bench.device.identity.local_mem_bytes)


def _read(bench: Bench) -> Taken:
    def shape(width: int) -> Callable[[], LocalReads]:
        return lambda: LocalReads(bench, width)

    return bench.best([shape(width) for width in bench.amounts.widths if width == 1 or _fits(bench, width)])


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {"local_read": _read}
