"""Bandwidth of global memory: copied, strided and gathered words, and the shipped triad."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pyopencl as cl

from pytest_weekops.device.launcher import make_launcher
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape, Triad
from pytest_weekops.device.peak.probe import (
    GROUP,
    Bench,
    Taken,
    Words,
    WrongResult,
    read_words,
    refuse_difference,
    stretch,
)
from pytest_weekops.files.kernel_sources import load_sources

FILE = "peak_memory.cl"
PITCH = 16  # PITCH of peak_memory.cl
_SCALE = 3.0  # of the triad, STREAM's
_ROUNDINGS = 2.01  # of |b| + |s c|, in units: two, and what a rounded product may add to the second


def pattern(words: int) -> Words:
    """Words of which no two neighbours are alike (Knuth's multiplicative hash of their place)."""
    return np.arange(words, dtype=np.uint32) * np.uint32(2654435761)


class Moved:
    """Words moved from one array to another: ``source`` in the order in which they arrive, before the key."""

    def __init__(self, bench: Bench, order: str, width: int = 1) -> None:
        count = bench.words()
        self.how = {"copy": f"{width} words per item", "strided": "64 bytes apart"}.get(order, "a random permutation")
        self.amount = (12.0 if order == "gather" else 8.0) * count
        self._queue, self._order = bench.queue, order
        self._kernel = bench.kernel(FILE, f"peak_{order}", (f"-DWIDTH={width}",))
        words = pattern(count)
        self._a, self._b = bench.upload(words), bench.poisoned(count)
        self._range: tuple[int, ...] = (count // width,)
        self._more: tuple[object, ...] = ()
        if order == "strided":
            self._range = (count // PITCH, PITCH)
            words = np.ascontiguousarray(words.reshape(-1, PITCH).T).ravel()
        elif order == "gather":
            index = np.random.default_rng(count).permutation(count).astype(np.uint32)
            self._more = (bench.upload(index),)
            words = words[index]
        self._source = words

    def launch(self, key: int) -> None:
        """All words once."""
        self._kernel.set_args(self._a, self._b, np.uint32(key), *self._more)
        cl.enqueue_nd_range_kernel(self._queue, self._kernel, self._range, (GROUP, 1)[: len(self._range)])

    def check(self, key: int, *, whole: bool) -> None:
        """Every word, or a stretch of them."""
        part = slice(0, len(self._source)) if whole else stretch(key, len(self._source))
        there = read_words(self._queue, self._b, part)
        refuse_difference(there, self._source[part] ^ np.uint32(key), part.start, self._order)


class Triads:
    """The shipped triad through its own launcher; even keys take one set of inputs, odd ones the other."""

    def __init__(self, bench: Bench) -> None:
        n = math.isqrt(bench.words()) // 8 * 8
        self._shape = Shape(m=n, n=n, k=n, alpha=_SCALE)
        operation = Triad()
        self.amount, self.how = operation.bytes_moved(self._shape), f"arrays of {n} x {n}"
        source = load_sources((str(bench.kernel_dir),))["triad"]
        self._launcher = make_launcher(bench.queue, bench.device.programs, source, self._shape, operation)
        first = operation.inputs(self._shape, 1, 1)
        self._inputs = (first, operation.rolled(self._shape, first))
        for slot, inputs in enumerate(self._inputs):
            self._launcher.upload(inputs, slot)
        self._launcher.poison()
        self._queue = bench.queue

    def launch(self, key: int) -> None:
        """One triad."""
        self._launcher.use(key % 2)
        self._launcher.enqueue()

    def check(self, key: int, *, whole: bool) -> None:
        """Every element, or a row, against float64 within the two roundings that an element has."""
        n = self._shape.n
        if not whole:
            there = np.empty((1, n), dtype=np.float32)
            row = stretch(key, n * n).start // n
            cl.enqueue_copy(self._queue, there, self._launcher.output, src_offset=4 * row * n, is_blocking=True)
            self._compare(there, key % 2, row)
            return
        everything = self._launcher.read()
        for row in range(0, n, 256):
            self._compare(everything[row : row + 256], key % 2, row)

    def _compare(self, there: Array, slot: int, row: int) -> None:
        part = slice(row, row + len(there))
        b = self._inputs[slot]["b"][part].astype(np.float64)
        product = _SCALE * self._inputs[slot]["c"][part].astype(np.float64)
        bound = _ROUNDINGS * UNIT_ROUNDOFF * (np.abs(b) + np.abs(product))
        bad = ~(np.abs(there - (b + product)) <= bound)  # NaN is within no bound
        if bad.any():
            at, column = (int(place) for place in np.argwhere(bad)[0])
            raise WrongResult(
                f"triad: {int(bad.sum())} of {bad.size} elements are wrong, the first at row {row + at}, column "
                f"{column}: {float(there[at, column])!r} instead of {float(b[at, column] + product[at, column])!r}"
            )

    def release(self) -> None:
        """Free the buffers."""
        self._launcher.release()


def _copy(bench: Bench) -> Taken:
    def shape(width: int) -> Callable[[], Moved]:
        return lambda: Moved(bench, "copy", width)

    return bench.best([shape(width) for width in bench.amounts.widths])


def _triad(bench: Bench) -> Taken:
    triads = Triads(bench)
    try:
        return bench.take(triads, bench.amounts.repeats)
    finally:
        triads.release()


MEASURES: Mapping[str, Callable[[Bench], Taken]] = {
    "memory_copy": _copy,
    "memory_triad": _triad,
    "memory_strided": lambda bench: bench.take(Moved(bench, "strided"), bench.amounts.repeats),
    "memory_gather": lambda bench: bench.take(Moved(bench, "gather"), bench.amounts.repeats),
}
