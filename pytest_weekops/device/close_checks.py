"""Kernels that check others (the guards', and the digest of each launch), launched by themselves on exact buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.guard.invariants import multiset_hash, stretch_sums, word_sums
from pytest_weekops.core.measurement.microscope import CloseLook
from pytest_weekops.device.digest import DIGEST_FILE
from pytest_weekops.device.guard import CHECK_FILE
from pytest_weekops.device.invariant import Ordered, Sums, Words
from pytest_weekops.device.invariant_guard import FILES
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.sampled import SAMPLE_FILE
from pytest_weekops.files.kernel_sources import expand
from pytest_weekops.files.shipped import data_dir

Array = NDArray[Any]
_AS_WRITTEN = "-cl-opt-disable"  # what optimizers make of them, `freeze`, Oclgrind 21.10 cannot follow
_SERIAL = 7
_VECTORS = 2
_WIDEST = 16  # floats of the widest load
_ROW_MULTIPLE = 4  # elements of a guard's row, as its widest load here
_FIRST = 1  # the number of a chain's first check


def check_closely(device: OpenDevice, look: CloseLook) -> str:
    """Launch a check on a good m x n result with one bad element: in words which of its verdicts are wrong, if any.

    Raises pyopencl's errors, and ``KeyError`` for a kernel that is no check.
    """
    launch, file = _CHECKS[look.variant]
    text = expand(data_dir("kernels") / file)
    defined = {name: int(value) for name, _, value in (o.removeprefix("-D").partition("=") for o in look.options)}
    # Unoptimized Oclgrind can follow all but vectors, whose lanes it takes for unwritten; optimized it says it cannot.
    as_written = [_AS_WRITTEN] if defined.get("VW", 1) == 1 else []
    program = cl.Program(device.queue.context, text).build(options=[*look.options, *as_written])
    found, right = launch(device.queue, program, look.m, look.n, defined)
    bad = int(np.sum(found != right))
    return f"Wrong result: {bad} of {right.size} verdicts" if bad else ""


def _result(m: int, n: int) -> tuple[Array, Array, int]:
    """Whole numbers (m x pitch), which every sum of floats gets right; one of them is wrong in the second array."""
    pitch = -(-n // _WIDEST) * _WIDEST
    good = np.zeros((m, pitch), dtype=np.float32)
    good[:, :n] = (np.arange(m * n).reshape(m, n) % 13) - 6
    bad = good.copy()
    bad[m // 2, n // 2] += 3
    return good, bad, pitch


def _signs(count: int, turn: int = 0) -> Array:
    return np.where((np.arange(count) * 7 + turn) % 3 == 0, -1.0, 1.0).astype(np.float32)


def _abft_check(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    good, bad, pitch = _result(m, n)
    w = _signs(n)
    sums = good[:, :n] @ w
    groups = -(-m // defined["ROWS"])
    size = (groups * defined["ITEMS"], defined["ITEMS"])
    given = (bad, w, sums, np.full(m, 0.5, dtype=np.float32), *map(np.int32, (m, n, pitch)))
    alone = _run(queue, program.abft_check, *size, (*given, np.int32(_SERIAL), np.int32(0)), m)
    in_chain = _run(queue, program.abft_check, *size, (*given, np.int32(_FIRST), np.int32(1)), m, chained=True)
    right = np.where(np.arange(m) == m // 2, -_SERIAL, _SERIAL)
    return np.concatenate([alone, in_chain]), np.concatenate([right, _chained(m, m // 2)])


def _abft_sample(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    good, bad, pitch = _result(m, n)
    w, v = ([_signs(count, turn) for turn in range(_VECTORS)] for count in (n, m))
    row_sums = np.concatenate([good[:, :n] @ signs for signs in w])
    column_sums = np.concatenate([signs @ good[:, :n] for signs in v])
    rows = sorted({0, m // 2, m - 1})
    columns = sorted({0, n // 2, n - 1})
    limits = (np.full(count, 0.5, dtype=np.float32) for count in (m, n))
    places = np.array([*rows, *columns], dtype=np.int32)
    arguments = (
        *(bad, np.concatenate(w), np.concatenate(v), row_sums, column_sums, *limits, places),
        *map(np.int32, (len(rows), _VECTORS, m, n, pitch, _SERIAL)),
    )
    count = len(places) * _VECTORS
    found = _run(queue, program.abft_sample, count * defined["ITEMS"], defined["ITEMS"], arguments, count)
    is_bad = [*(row == m // 2 for row in rows), *(column == n // 2 for column in columns)]
    return found, np.repeat(np.where(is_bad, -_SERIAL, _SERIAL), _VECTORS)


def _digest(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    _good, bad, pitch = _result(m, n)
    items, count = defined["ITEMS"], (m - 1) * pitch + n  # a flat array ends in mid-row
    words = bad.ravel()[:count].view(np.uint32)
    arguments = (words, *map(np.int32, (m, n, pitch, count)), np.uint32(_SERIAL))
    groups = -(-m // defined["ROWS"])
    found = _run(queue, program.digest, groups * items, items, arguments, m * items).view(np.uint32)
    place = np.arange(n, dtype=np.uint32)
    right = np.empty((m, items), dtype=np.uint32)
    for row in range(m):
        x = (words[row * pitch : row * pitch + n] ^ (place * np.uint32(0x9E3779B9))) * np.uint32(0x85EBCA6B)
        mixed = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        right[row] = [np.uint32(_SERIAL) + mixed[item::items].sum(dtype=np.uint32) for item in range(items)]
    return found, right.ravel()


def _rows(m: int, n: int) -> tuple[int, int, Array]:
    """Columns, count and words of a flat result in m rows of which the last has n, whole numbers that float holds."""
    columns = -(-n // _ROW_MULTIPLE) * _ROW_MULTIPLE
    count = (m - 1) * columns + n
    return columns, count, (np.arange(count, dtype=np.uint32) * np.uint32(7)) % np.uint32(1009)


def _chained(rows: int, *bad: int) -> Array:
    """The verdicts of a first check, which all but these rows pass."""
    return np.where(np.isin(np.arange(rows), bad), 0, _FIRST).astype(np.int32)


def _abft_words(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    columns, count, words = _rows(m, n)
    weights = np.arange(columns, dtype=np.uint32) * np.uint32(0x9E3779B2) + np.uint32(1)
    expected = word_sums(words, weights)
    words[count // 2] ^= np.uint32(1 << 31)
    arguments = (words, np.int32(columns), np.int32(count), weights, expected, np.int32(_FIRST))
    items, groups = defined["ITEMS"], -(-m // defined["ROWS"])
    found = _run(queue, program.abft_words, groups * items, items, arguments, m, chained=True)
    return found, _chained(m, count // 2 // columns)


def _abft_sums(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    columns, count, words = _rows(m, n)
    values, signs = words.astype(np.float32), _signs(columns)
    sums, _rms = stretch_sums(values.astype(np.float64), signs.astype(np.float64))
    values[count // 2] = np.nan
    bounds = np.full(m, 0.5, dtype=np.float32)
    geometry = (np.int32(columns), np.int32(count))
    arguments = (values, *geometry, signs, sums.astype(np.float32), bounds, np.int32(_FIRST))
    items, groups = defined["ITEMS"], -(-m // defined["ROWS"])
    found = _run(queue, program.abft_sums, groups * items, items, arguments, m, chained=True)
    return found, _chained(m, count // 2 // columns)


def _abft_order(queue: Any, program: Any, m: int, n: int, defined: dict[str, int]) -> tuple[Array, Array]:
    """The order of words that fall once, in the first row, and the hash of them all; then of others."""
    columns, count, words = _rows(m, n)
    words.sort()
    words[0] = 2000  # behind it stands less, where anything does
    items, groups = defined["ITEMS"], -(-m // defined["ROWS"])
    part = np.zeros(m, dtype=np.uint32)
    arguments = (words, np.int32(columns), np.int32(count), np.int32(_FIRST), part)
    ordered = _run(queue, program.abft_order, groups * items, items, arguments, m, chained=True)
    part[:] = [multiset_hash(words[first : first + columns]) for first in range(0, count, columns)]
    kernel, whole = cl.Kernel(program, "abft_total"), multiset_hash(words)
    found = [ordered]
    for hashed in (whole, whole ^ 1):
        summed = (part, np.int32(m), np.uint32(hashed), np.int32(_FIRST))
        found.append(_run(queue, kernel, items, items, summed, m + 1, chained=True)[m:])
    falls = [0] if count > 1 else []
    return np.concatenate(found), np.concatenate([_chained(m, *falls), [_FIRST], [0]])


def _run(
    queue: Any, kernel: Any, size: int, group: int, arguments: tuple[Any, ...], count: int, *, chained: bool = False
) -> Array:
    """Launch on buffers that end with their arrays; the last argument is the output, of so many 32-bit words.

    Nothing is in it before, but where a check is ``chained`` to the one before it, whose number is 0.
    """
    flags = cl.mem_flags
    buffers = [
        cl.Buffer(queue.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=np.ascontiguousarray(value))
        if isinstance(value, np.ndarray)
        else value
        for value in arguments
    ]
    found = np.zeros(count, dtype=np.int32)
    output = cl.Buffer(queue.context, flags.READ_WRITE, found.nbytes)
    if chained:
        cl.enqueue_copy(queue, output, found, is_blocking=True)
    kernel(queue, (size,), (group,), *buffers, output)
    cl.enqueue_copy(queue, found, output, is_blocking=True)
    return found


_CHECKS: dict[str, tuple[Callable[..., tuple[Array, Array]], str]] = {
    "abft_check": (_abft_check, CHECK_FILE),
    "abft_sample": (_abft_sample, SAMPLE_FILE),
    "abft_words": (_abft_words, FILES[Words]),
    "abft_sums": (_abft_sums, FILES[Sums]),
    "abft_order": (_abft_order, FILES[Ordered]),
    "digest": (_digest, DIGEST_FILE),
}
