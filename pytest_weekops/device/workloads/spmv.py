"""Sparse matrix times vector: rows of two kinds in one matrix, even ones and ones whose lengths follow a power law."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Sums
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape
from pytest_weekops.device.workloads.parts import stretches, up

_GROUP = 64
_EVEN = 16  # elements of each even row, and about the mean of the others
_LONGEST = 4096  # elements of a row; spmv.cl counts on no more than 65,534
_EXPONENT = 1.5  # of the power law; the less, the longer its tail
_SHORTEST = 6
_MOST = 40_000  # whose square, and a little more, an int counts


def row_lengths(n: int) -> Array:
    """Elements of each row (int64), n * n in all or about that: first the even rows, then the power law's.

    The latter are the quantiles of a Pareto distribution, so that the number of all elements follows from n alone; each
    eleventh of them is empty.
    """
    rows = max(1, n * n // _EVEN)
    even = (rows + 1) // 2
    quantiles = (np.arange(rows - even) + 0.5) / max(1, rows - even)
    lengths = np.minimum(_SHORTEST * (1.0 - quantiles) ** (-1.0 / _EXPONENT), min(_LONGEST, rows)).astype(np.int64)
    lengths[::11] = 0
    return np.concatenate([np.full(even, min(_EVEN, rows), dtype=np.int64), lengths])


class Spmv:
    """``y = A x`` with A in compressed rows of float32, rows x rows, rows being about n * n / 16."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """One item per row, as on GPUs."""
        return self._rows(shape, 1, _GROUP)

    def launch_as(self, shape: Shape, defines: Mapping[str, int]) -> Launch:
        """As many rows per item as the kernel was built for."""
        each = defines.get("ROWS", 1)
        return self._rows(shape, each, 1 if each > 1 else _GROUP)

    def _rows(self, shape: Shape, each: int, group: int) -> Launch:
        """``spmv(starts, columns, values, x, y, rows)``, an item for ``each`` rows."""
        if shape.n > _MOST:
            raise DeviceError(f"spmv at n = {shape.n} has more elements than an int counts. Give a smaller size.")
        lengths = row_lengths(shape.n)
        rows, elements = lengths.size, int(lengths.sum())
        return Launch(
            kernel="spmv",
            arguments=("starts", "columns", "values", "x", "y", np.int32(rows)),
            inputs={
                "starts": Buffer((rows + 1,), "int32"),
                "columns": Buffer((elements,), "int32"),
                "values": Buffer((elements,)),
                "x": Buffer((rows,)),
            },
            output="y",
            output_shape=(rows,),
            global_size=(up(-(-rows // each), group),),
            local_size=(group,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Rows in random order, columns as drawn, x uniform in [-1, 1), values too, over their row's length."""
        generator = np.random.default_rng([seed, session])
        lengths = generator.permutation(row_lengths(shape.n))
        rows, elements = lengths.size, int(lengths.sum())
        starts = np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(lengths, out=starts[1:])
        values = 2.0 * generator.random(elements, dtype=np.float32) - 1.0
        values /= np.repeat(lengths, lengths).astype(np.float32)
        return {
            "starts": starts,
            "columns": generator.integers(0, rows, elements, dtype=np.int32),
            "values": values,
            "x": 2.0 * generator.random(rows, dtype=np.float32) - 1.0,
        }

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The sum of each row in float64, all rows as one row."""
        lengths = np.diff(inputs["starts"])
        products = inputs["values"].astype(np.float64) * inputs["x"][inputs["columns"]]
        row_of = np.repeat(np.arange(lengths.size), lengths)
        return np.bincount(row_of, weights=products, minlength=lengths.size).reshape(1, -1)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """U, 2**-24: one bound for all rows, each of which has sum |a x| <= 1 whatever its length l.

        Each addition rounds its partial sum (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition,
        section 4.2), the j-th one at most j / l: (l + 1) u / 2 in all, and u for the products, 9.5 u for the even rows.
        A long row's roundings are random and of partial sums that are about the square root of j over l or less: the
        root of the sum of their squares is u or less.
        """
        return UNIT_ROUNDOFF

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Sums:
        """Signed sums of stretches, from the reference: from the inputs they would take as long."""
        return stretches(reference, self.error_unit(shape, inputs), draw)

    def flops(self, shape: Shape) -> float:
        """A product and a sum per element."""
        return 2.0 * float(row_lengths(shape.n).sum())

    def bytes_moved(self, shape: Shape) -> float:
        """Each value, column, row start and element of x and y once; a cache that x does not fit in moves more."""
        lengths = row_lengths(shape.n)
        return 8.0 * float(lengths.sum()) + 12.0 * lengths.size + 4.0
