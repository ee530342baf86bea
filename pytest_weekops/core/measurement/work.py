"""What a launch of a shipped operation does at a size: the formulas of ``device/``, by which a record can be held.

Memory traffic is what has to be moved at least once, as the operations count it. Sizes are edges: n * n elements or so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

Work = tuple[float, float]  # operations, bytes

_PASSES = 8  # of the sort, four bits of a word at a time
_LONGEST_ROW, _SHORTEST_ROW, _EVEN_ROW = 4096, 6, 16  # elements of a row of the sparse matrix


def _fft(n: int) -> Work:
    length = 1 << min(n.bit_length() - 1, 8)
    batch = max(1, round(n * n / length))
    return batch * length * max(1.0, 5.0 * math.log2(length)), 16.0 * batch * length


def _stencil3d(n: int) -> Work:
    edge = max(1, round(math.pow(n, 2.0 / 3.0)))
    return 13.0 * edge**3, 4.0 * (edge + 2) ** 3 + 4.0 * edge**3


_ARGUMENTS, _SIZE_PER_ARGUMENT = 2537, 16  # of each math function at n = 1, and n * n of one more
# Functions of a group, and their arguments and results together.
_MATHS = {
    "math_trig": (14, 30),
    "math_exp": (14, 28),
    "math_power": (9, 23),
    "math_exact": (22, 58),
    "math_pairs": (10, 22),
    "math_strict": (9, 20),
}
# Results of n * n elements.
_QUEUES = {
    "queue": 4,
    "queue_sub_rectangles": 1,
    "queue_user_events": 1,
    "queue_out_of_order": 2,
    "queue_fill": 6,
    "queue_svm": 1,
}
_IMAGES = {"image2d": 7, "image2d_linear": 6}


def _math(n: int, functions: int, numbers: int) -> Work:
    count = _ARGUMENTS + n * n // _SIZE_PER_ARGUMENT
    return float(functions * count), 4.0 * numbers * count


class _Exact(NamedTuple):
    """An operation of exact results: of an item, words of each result, words read for it; how many items there are."""

    results: int
    words: int
    read: int
    least: int
    size_per: int


_EXACT = {  # of doubles, of triples of words, and of vectors over one array
    "double": _Exact(8, words=2, read=4, least=400, size_per=16),
    "double_fma": _Exact(1, words=2, read=4, least=400, size_per=16),
    "whole": _Exact(34, words=1, read=3, least=320, size_per=16),
    "whole_mad_sat": _Exact(2, words=1, read=3, least=320, size_per=16),
    "whole_long": _Exact(10, words=2, read=3, least=320, size_per=16),
    "convert": _Exact(29, words=1, read=3, least=320, size_per=16),
    "convert_half": _Exact(5, words=1, read=3, least=320, size_per=16),
    "vectors": _Exact(17, words=8, read=1, least=96, size_per=64),
    "vectors_wide": _Exact(11, words=16, read=1, least=96, size_per=64),
}


def _exact(n: int, of: _Exact) -> Work:
    count = of.least + n * n // of.size_per
    return float(of.results * count), 4.0 * (of.read + of.words * of.results) * count


_PEAK_BLOCK, _PEAK_GROUP = 1024, 64  # words of an array of level 0, and work-items, are multiples of these
_PEAK_STEPS, _PEAK_PER_ITEM = 8 * 512, 128  # steps of a chain, and of the n * n so many to a work-item


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _moved(n: int, nbytes: float) -> Work:
    count = _up(n * n, _PEAK_BLOCK)
    return float(count), nbytes * count


def _chained(n: int, width: int, chains: int) -> Work:
    items = _up(-(-n * n // _PEAK_PER_ITEM), _PEAK_GROUP)
    return 2.0 * _PEAK_STEPS * width * chains * items, 4.0 * width * items


def _in_parts(n: int, parts: int, each: Work) -> Work:
    return each[0] * parts * n**2, each[1] * parts * n**2


_BY_NAME: dict[str, Callable[[int], Work]] = {
    "gemm": lambda n: (2.0 * n**3, 12.0 * n**2),
    "triad": lambda n: (2.0 * n**2, 12.0 * n**2),
    "memory_copy": partial(_moved, nbytes=8.0),
    "memory_strided": partial(_moved, nbytes=8.0),
    "memory_gather": partial(_moved, nbytes=12.0),
    "arithmetic_float": partial(_chained, width=8, chains=8),
    "arithmetic_float_dependent": partial(_chained, width=1, chains=1),
    "reduce": lambda n: (float(max(n**2 - 1, 1)), 4.0 * n**2),
    "scan": lambda n: (float(n**2), 8.0 * n**2),
    "sort": lambda n: (float(_PASSES * n**2), 8.0 * n**2),
    "sort_pairs": lambda n: (float(_PASSES * n**2), 16.0 * n**2),
    "histogram": lambda n: (float(n**2), 4.0 * n**2),
    "transpose": lambda n: (float(n**2), 8.0 * n**2),
    "stencil2d": lambda n: (17.0 * n**2, 4.0 * (n + 2) ** 2 + 4.0 * n**2),
    "stencil3d": _stencil3d,
    "fft": _fft,
    "nbody": lambda n: (20.0 * (2 * n) ** 2, 56.0 * n),
    "gather_scatter": lambda n: (float(n**2), 16.0 * n**2),
    "gather_scatter_long": lambda n: (float(n**2), 24.0 * n**2),
    **{name: partial(_exact, of=exact) for name, exact in _EXACT.items()},
    **{name: partial(_math, functions=count, numbers=numbers) for name, (count, numbers) in _MATHS.items()},
    **{name: partial(_in_parts, parts=parts, each=(1.0, 8.0)) for name, parts in _QUEUES.items()},
    **{name: partial(_in_parts, parts=parts, each=(4.0, 40.0)) for name, parts in _IMAGES.items()},
}


def work_of(operation: str, n: int, flops: float) -> Work | None:
    """Operations and bytes of a launch that states ``flops``; None of an operation that is not known here.

    All but ``spmv`` follow from the size alone. Its rows have lengths that are quantiles, drawn in ``device/`` by
    numpy: here their sum is known to a few percent, and the bytes follow from it. Raises ``OverflowError`` for a size
    that no float holds.
    """
    if operation == "spmv":
        return _spmv(n, flops)
    formula = _BY_NAME.get(operation)
    return None if formula is None else formula(n)


def _spmv(n: int, flops: float) -> Work:
    rows = max(1, n * n // _EVEN_ROW)
    even = (rows + 1) // 2
    longest = min(_LONGEST_ROW, rows)
    share = min(1.0, (_SHORTEST_ROW / longest) ** 1.5)  # of the rows that are cut to the longest
    mean = longest * share + 3 * _SHORTEST_ROW * (1.0 - math.cbrt(share)) - 0.5  # lengths are rounded down
    about = even * min(_EVEN_ROW, rows) + (rows - even) * max(0.0, mean) * 10.0 / 11.0  # each eleventh is empty
    stated = flops / 2.0
    elements = stated if abs(stated - about) <= 3.0 + about * min(0.06, 10.0 / n) else about
    return 2.0 * elements, 8.0 * elements + 12.0 * rows + 4.0
