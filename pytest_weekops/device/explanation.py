"""A bad line in words: row, column, value, what is right, its size against the bound, and the bits that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.guard.abft import UNIT_ROUNDOFF, differing_bits
from pytest_weekops.core.guard.evidence import Lines

EXPLAINED_LINES = 8

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Caught:
    """A bad line, explained: ``real`` is false where every element is within its bound, so that the alarm was false."""

    real: bool
    text: str


@dataclass(frozen=True)
class Product:
    """What a launch should have computed: alpha A B, A m x k, B k x n; and the bounds of its rows (m), columns (n)."""

    a: F32
    b: F32
    alpha: float
    row_bounds: F64
    column_bounds: F64 | None = None

    def unit(self, row: int, column: int) -> float:
        """One rounding unit of an element: u |alpha| k rms(A_i) rms(B), or rms(A) rms(B_j), whichever is larger."""
        by_row = _rms(self.a[row]) * _rms(self.b)
        by_column = _rms(self.a) * _rms(self.b[:, column]) if self.column_bounds is not None else 0.0
        return UNIT_ROUNDOFF * abs(self.alpha) * float(self.a.shape[1]) * max(by_row, by_column)


def explain(product: Product, result: F32, lines: Lines, again: Callable[[], Lines], *, bound_units: float) -> Caught:
    """What a check found on these lines of a result (m x n); ``again`` relaunches and checks the same lines."""
    real, places = _worst(product, result, lines, bound_units)
    repeated = again()
    bad = len(repeated.rows) + len(repeated.columns)
    repeats = (
        f"a relaunch gave the same {_kind(lines)}: deterministic"
        if repeated == lines
        else f"a relaunch gave {bad} bad {_kind(lines)}: transient"
        if not bad
        else f"a relaunch gave other bad {_kind(lines)} ({bad}): not deterministic"
    )
    found = [f"{len(lines.rows)} bad rows, the first {lines.rows[0]}"] if lines.rows else []
    found += [f"{len(lines.columns)} bad columns, the first {lines.columns[0]}"] if lines.columns else []
    return Caught(real=real, text=f"{' and '.join(found) or 'no bad row was named'}; {places}; {repeats}")


def _kind(lines: Lines) -> str:
    return "rows and columns" if lines.rows and lines.columns else "columns" if lines.columns else "rows"


class _Element(NamedTuple):
    """An element that is off by ``size``; sorts by it. ``bound`` is that of the line on which it was found."""

    size: float
    row: int
    column: int
    value: float
    right: float
    bound: float


def _worst(product: Product, result: F32, lines: Lines, bound_units: float) -> tuple[bool, str]:
    """Whether an element of these lines is beyond its bound, and the worst one in words."""
    found = [*_on_rows(product, result, lines.rows[:EXPLAINED_LINES])]
    found += _on_columns(product, result, lines.columns[:EXPLAINED_LINES])
    if not found:
        return True, "the rows could not be told"
    worst = max(found, key=lambda element: element.size)
    bits = ", ".join(map(str, differing_bits(worst.value, worst.right))) or "none"
    text = (
        f"row {worst.row}, column {worst.column}: {worst.value!r} where {worst.right!r} is right, off by "
        f"{worst.size:.3g}, {worst.size / worst.bound:.3g} thresholds of {worst.bound:.3g}, bits {bits}"
    )
    return not worst.size <= bound_units * product.unit(worst.row, worst.column), text


def _on_rows(product: Product, result: F32, rows: Sequence[int]) -> Iterator[_Element]:
    if not rows:
        return
    exact = product.alpha * (product.a[list(rows)].astype(np.float64) @ product.b.astype(np.float64))
    for place, row in enumerate(rows):
        error = _errors(result[row], exact[place])
        j = int(np.argmax(error))
        bound = float(product.row_bounds[row])
        yield _Element(float(error[j]), row, j, float(result[row, j]), float(exact[place, j]), bound)


def _on_columns(product: Product, result: F32, columns: Sequence[int]) -> Iterator[_Element]:
    if not columns or product.column_bounds is None:
        return
    exact = product.alpha * (product.a.astype(np.float64) @ product.b[:, list(columns)].astype(np.float64))
    for place, column in enumerate(columns):
        error = _errors(result[:, column], exact[:, place])
        i = int(np.argmax(error))
        bound = float(product.column_bounds[column])
        yield _Element(float(error[i]), i, column, float(result[i, column]), float(exact[i, place]), bound)


def _errors(found: F32, exact: F64) -> F64:
    error = np.abs(found.astype(np.float64) - exact)
    error[~np.isfinite(error)] = np.inf
    return np.asarray(error)


def _rms(values: F32) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
