"""References of the workloads against their definitions, element by element, at sizes small enough for that."""

from __future__ import annotations

import cmath
import itertools
import math
import struct
from fractions import Fraction

import numpy as np
import pytest

from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads import WORKLOADS
from pytest_weekops.device.workloads.double import SPECIAL, count_of
from pytest_weekops.device.workloads.fft import batch_of
from pytest_weekops.device.workloads.spmv import row_lengths
from pytest_weekops.device.workloads.stencil3d import cube_edge

EDGES = (1, 2, 3, 7, 12)


def asked(name: str, n: int) -> tuple[dict[str, Array], Array, float]:
    """Inputs, reference and error unit of a workload at a size."""
    shape = Shape(n, n, n)
    inputs = WORKLOADS[name].inputs(shape, 11, 1)
    return inputs, WORKLOADS[name].reference(shape, inputs), WORKLOADS[name].error_unit(shape, inputs)


@pytest.mark.parametrize("n", EDGES)
def test_transpose(n: int) -> None:
    """Rows are columns; exact, and no zero among the values, whose sign a comparison would not see."""
    inputs, reference, unit = asked("transpose", n)
    assert [list(column) for column in zip(*inputs["in"].tolist(), strict=True)] == reference.tolist()
    assert unit == 0.0
    assert np.count_nonzero(inputs["in"]) == n * n


@pytest.mark.parametrize("n", EDGES)
def test_gather_scatter(n: int) -> None:
    """One copy after the other; exact, and without zeros."""
    inputs, reference, unit = asked("gather_scatter", n)
    flat, right = inputs["in"].reshape(-1), [math.nan] * (n * n)
    for source, target in zip(inputs["from"], inputs["to"], strict=True):
        right[target] = float(flat[source])
    assert reference.reshape(-1).tolist() == right
    assert unit == 0.0
    assert np.count_nonzero(flat) == n * n


@pytest.mark.parametrize("n", EDGES)
def test_gather_scatter_by_long_indices(n: int) -> None:
    """The same by the upper halves; the lower ones are other permutations, and lead to another result."""
    inputs, reference, _ = asked("gather_scatter_long", n)
    flat, right, wrong = inputs["in"].reshape(-1), [math.nan] * (n * n), [math.nan] * (n * n)
    for source, target in zip(inputs["from"].tolist(), inputs["to"].tolist(), strict=True):
        right[target // 2**32] = float(flat[source // 2**32])
        wrong[target % 2**32] = float(flat[source % 2**32])
    assert reference.reshape(-1).tolist() == right
    assert n < 3 or wrong != right


@pytest.mark.parametrize("n", EDGES)
def test_sort_pairs(n: int) -> None:
    """Python's sort is stable; values go with their keys."""
    inputs, reference, unit = asked("sort_pairs", n)
    words = inputs["x"].reshape(-1).tolist()
    pairs = sorted(zip(words[: n * n], words[n * n :], strict=True), key=lambda pair: pair[0])
    assert reference.reshape(-1).tolist() == [float(word) for half in zip(*pairs, strict=True) for word in half]
    assert unit == 0.0


def test_a_sort_that_is_not_stable_is_another_one() -> None:
    """Among equal keys are different values, far from their order."""
    inputs, reference, _ = asked("sort_pairs", 61)
    keys, values = np.split(inputs["x"].reshape(-1), 2)
    by_both = np.lexsort((values, keys))
    assert np.array_equal(keys[by_both], reference.reshape(-1)[: keys.size])
    assert np.count_nonzero(values[by_both] != reference.reshape(-1)[keys.size :]) > keys.size // 4


def test_double() -> None:
    """Python's own doubles; what a product lost in fractions."""
    n = 150
    inputs, reference, unit = asked("double", n)
    assert unit == 0.0
    rows = np.concatenate([doubles(reference), doubles(asked("double_fma", n)[1])])
    pairs = list(zip(inputs["x"].tolist(), inputs["y"].tolist(), strict=True))
    assert len(pairs) == count_of(n) > len(SPECIAL) ** 2 + n * n // 16
    for (x, y), results in zip(pairs, rows.T.tolist(), strict=True):
        a, b = (math.copysign(math.frexp(v)[0] * 2 or 1.0, v) if usual(v) else None for v in (x, y))
        same(results[:3], [x + y, x - y, x * y])
        if y:
            same(results[3:4], [x / y])
        same(results[4:5], [math.sqrt(x) if x >= 0 else x if x == 0 else math.nan])
        if a is not None and b is not None:
            lost = float(Fraction(a) * Fraction(b) - Fraction(a * b))
            same(results[5:], [float(np.float32(a)), float(int(a * 2**40)), float(round(b * 2**20)), lost])


def doubles(reference: Array) -> Array:
    """Of the two words of each result (results x 2 pairs) the number (results x pairs)."""
    words = reference.astype(np.uint64).reshape(len(reference), -1, 2)
    return (words[..., 0] | words[..., 1] << np.uint64(32)).view(np.float64)


def usual(value: float) -> bool:
    """Whether sign and fraction are those that frexp tells: of no subnormal, infinity or NaN."""
    return value == 0.0 or 2.0**-1022 <= abs(value) < math.inf


def same(found: list[float], right: list[float]) -> None:
    """The same bits, any NaN being the same."""
    assert [struct.pack("<d", v) if v == v else None for v in found] == [
        struct.pack("<d", v) if v == v else None for v in right
    ]


@pytest.mark.parametrize("n", EDGES)
def test_stencil2d(n: int) -> None:
    """Nine products per element."""
    inputs, reference, _ = asked("stencil2d", n)
    plane, weights = inputs["in"].tolist(), inputs["weights"].tolist()
    for i in range(n):
        for j in range(n):
            products = [weights[3 * a + b] * plane[i + a][j + b] for a in range(3) for b in range(3)]
            assert reference[i, j] == pytest.approx(math.fsum(products), abs=1e-14)


@pytest.mark.parametrize("n", EDGES)
def test_stencil3d(n: int) -> None:
    """Seven products per element, the cube's planes as rows."""
    inputs, reference, _ = asked("stencil3d", n)
    cube, weights, c = inputs["in"].tolist(), inputs["weights"].tolist(), cube_edge(n)
    around = [(0, 0, 0), (0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0)]
    for z in range(c):
        for y in range(c):
            for x in range(c):
                terms = (
                    weight * cube[z + 1 + dz][y + 1 + dy][x + 1 + dx]
                    for weight, (dz, dy, dx) in zip(weights, around, strict=True)
                )
                assert reference[z, y * c + x] == pytest.approx(math.fsum(terms), abs=1e-14)


def test_a_cube_has_about_as_many_elements_as_the_plane() -> None:
    """Its edge is the nearest to n to the power of two thirds."""
    assert [cube_edge(n) for n in (1, 8, 27, 1000, 2048)] == [1, 4, 9, 100, 161]


@pytest.mark.parametrize("n", [*EDGES, 40])
def test_spmv(n: int) -> None:
    """Row by row; no row's sum of |a x| exceeds 1, which is what its one error unit rests on."""
    inputs, reference, unit = asked("spmv", n)
    starts, columns, x = inputs["starts"].tolist(), inputs["columns"].tolist(), inputs["x"].tolist()
    values = inputs["values"].tolist()
    for row, (first, end) in enumerate(itertools.pairwise(starts)):
        products = [values[at] * x[columns[at]] for at in range(first, end)]
        assert reference[0, row] == pytest.approx(math.fsum(products), abs=1e-15)
        assert math.fsum(map(abs, products)) <= 1.0 + 1e-6
    assert unit == 2.0**-24


def test_rows_are_of_two_kinds() -> None:
    """Half of them even, of the others some empty, most short, one near the longest; n * n elements or about that."""
    lengths = row_lengths(1024)
    even, others = np.split(lengths, 2)
    assert set(even) == {16}
    assert np.count_nonzero(others == 0) == -(-others.size // 11)
    assert np.median(others) < 10
    assert 2000 < others.max() <= 4096
    assert lengths.sum() == pytest.approx(1024**2, rel=0.1)


@pytest.mark.parametrize("n", EDGES)
def test_fft(n: int) -> None:
    """The sum that defines it."""
    inputs, reference, _ = asked("fft", n)
    batch, length = batch_of(n)
    for row in range(batch):
        parts = inputs["in"][row].tolist()
        numbers = [complex(re, im) for re, im in zip(parts[::2], parts[1::2], strict=True)]
        for k in range(length):
            right = sum(v * cmath.exp(-2j * math.pi * i * k / length) for i, v in enumerate(numbers))
            assert complex(*reference[row, 2 * k : 2 * k + 2]) == pytest.approx(right, abs=1e-12)


def test_batches_have_about_n_by_n_numbers() -> None:
    """Of the largest power of two that fits in n, 256 at most."""
    assert [batch_of(n) for n in (1, 2, 3, 17, 1024, 2048)] == [
        (1, 1),
        (2, 2),
        (4, 2),
        (18, 16),
        (4096, 256),
        (16384, 256),
    ]


@pytest.mark.parametrize("n", EDGES)
def test_nbody(n: int) -> None:
    """Pair by pair; the error unit is four roundings of the largest sum of |term|, of which all are looked at here."""
    inputs, reference, unit = asked("nbody", n)
    bodies, epsilon, largest = inputs["bodies"].T[: 2 * n].tolist(), float(np.float32(0.01)), 0.0
    for row, mine in enumerate(bodies):
        for axis in range(3):
            terms = [
                m * (place[axis] - mine[axis]) / (math.dist(place, mine[:3]) ** 2 + epsilon) ** 1.5
                for *place, m in bodies
            ]
            assert reference[row, axis] == pytest.approx(math.fsum(terms), abs=1e-12)
            largest = max(largest, math.fsum(map(abs, terms)))
    assert unit == pytest.approx(4 * 2.0**-24 * largest)
