"""One group of functions over the same arguments, a row of results each; every one is held against its own limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.verify import Comparison
from pytest_weekops.device.workloads.maths.arguments import arguments, count_of
from pytest_weekops.device.workloads.maths.table import Function, Reference
from pytest_weekops.device.workloads.maths.ulp import LEAST_NORMAL, LEAST_ULP, errors, shares
from pytest_weekops.device.workloads.parts import counted, elements, steps_of, up

_GROUP = 64  # of math.cl
_BUFFERS = {"x": "float32", "y": "float32", "z": "float32", "n": "int32"}
_NAMED = 4  # functions that a finding names


class MathFunctions:
    """Rows of results, a function each, over arguments of all kinds (:mod:`.arguments`)."""

    unit: Unit = "GB/s"

    def __init__(self, name: str, functions: Sequence[Function]) -> None:
        self.name, self.functions = name, tuple(functions)

    def launch(self, shape: Shape) -> Launch:
        """``m_NAME_(x, y, z, n, out, count, first)`` per function, one item per argument."""
        elements(self.name, shape)
        count, rows = count_of(shape.n), len(self.functions)
        counted(self.name, shape, count * rows)
        steps = [
            Step(
                f"m_{function.name}_",
                ("x", "y", "z", "n", "out", np.int32(count), np.int32(row * count)),
                (up(count, _GROUP),),
                (_GROUP,),
            )
            for row, function in enumerate(self.functions)
        ]
        return steps_of(
            steps,
            inputs={name: Buffer((count,), dtype) for name, dtype in _BUFFERS.items()},
            output="out",
            output_shape=(rows, count),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X, y and z, float32, and n, int32."""
        return arguments(shape.n, seed, session)

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """A row per function (functions x arguments), in float64, NaN and infinities where they are right."""
        return np.stack([right(function, inputs) for function in self.functions])

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """1: :meth:`compare` gives errors in shares of each function's limit."""
        return 1.0

    def compare(
        self, inputs: dict[str, Array], reference: Array, result: Array, *, flushes_subnormals: bool
    ) -> Comparison:
        """The worst error of all, in shares of its function's limit; above 1 it says which, in words.

        Where a device flushes subnormals, so may each operand and each result be (OpenCL C 1.2, section 7.5.3).
        """
        wrong: list[tuple[Function, Array]] = []
        worst, place = -1.0, (0, 0)
        for row, function in enumerate(self.functions):
            share = self._shares(function, inputs, reference[row], result[row], flushes=flushes_subnormals)
            column = int(np.argmax(share))
            if share[column] > 1.0:
                wrong.append((function, share))
            if share[column] > worst:
                worst, place = float(share[column]), (row, column)
        value, expected = float(result[place]), float(reference[place])
        said = _finding(wrong, place, value, expected, inputs) if wrong else ""
        return Comparison(worst, 0, *place, value, expected, said)

    def _shares(
        self, function: Function, inputs: dict[str, Array], reference: Array, row: Array, *, flushes: bool
    ) -> Array:
        values = row.astype(np.float64)
        share = _share(function, values, reference)
        suspects = np.flatnonzero(share > 1.0)
        if flushes and suspects.size:
            few = {name: array[suspects] for name, array in inputs.items()}
            share[suspects] = _flushed(function, few, values[suspects], reference[suspects], share[suspects])
        return share

    def flops(self, shape: Shape) -> float:
        """One per result, which the unit does not count."""
        return float(len(self.functions) * count_of(shape.n))

    def bytes_moved(self, shape: Shape) -> float:
        """Each function's arguments, and its result."""
        return 4.0 * count_of(shape.n) * sum(len(function.takes) + 1 for function in self.functions)


def right(function: Function, inputs: dict[str, Array], by: Reference | None = None) -> Array:
    """What is right for these arguments, in float64, ``by`` another reference than the function's own."""
    taken = (inputs[name].astype(np.int64 if name == "n" else np.float64) for name in function.takes)
    with np.errstate(all="ignore"):
        return np.asarray((by or function.right)(*taken), dtype=np.float64)


def _share(function: Function, values: Array, reference: Array) -> Array:
    with np.errstate(all="ignore"):
        return shares(errors(values, reference, signs=function.signs), function.limit)


def _flushed(function: Function, inputs: dict[str, Array], values: Array, reference: Array, share: Array) -> Array:
    """The least share under any of what a device may make of subnormal operands and results."""
    flushed = (
        LEAST_NORMAL + max(function.limit, 1.0) * LEAST_ULP
    )  # what a right result below the least normal stands for
    best = np.where((values == 0) & (np.abs(reference) < flushed), 0.0, share)
    if function.flushed is not None:
        best = np.minimum(best, _share(function, values, right(function, inputs, function.flushed)))
    for other in _with_zeros(function, inputs):
        expected = right(function, other)
        under = _share(function, values, expected)
        under = np.where((values == 0) & (np.abs(expected) < flushed), 0.0, under)
        best = np.minimum(best, under)
    return best


def _with_zeros(function: Function, inputs: dict[str, Array]) -> Iterator[dict[str, Array]]:
    """The arguments with zeros of either sign for subnormals in each choice of operands."""
    names = [name for name in function.takes if name != "n"]
    for number in range(1, len(names) + 1):
        for chosen in combinations(names, number):
            for signs in range(2**number):
                other = dict(inputs)
                for bit, name in enumerate(chosen):
                    zero = np.float32(-0.0 if signs >> bit & 1 else 0.0)
                    other[name] = np.where(np.abs(inputs[name]) < LEAST_NORMAL, zero, inputs[name])
                yield other


def _finding(
    wrong: Sequence[tuple[Function, Array]],
    place: tuple[int, int],
    value: float,
    expected: float,
    inputs: dict[str, Array],
) -> str:
    """Function, arguments, what came and what is right, in ULP; how many more, and of which other functions."""
    function, share = max(wrong, key=lambda pair: float(pair[1].max()))
    column = place[1]
    given = ", ".join(f"{name} = {inputs[name][column]!s}" for name in function.takes)
    off = float(share[column]) * function.limit if function.limit else float(share[column]) - 1.0
    some = f"{np.count_nonzero(share > 1.0)} of {share.size} arguments"
    said = (
        f"{function.name}({given}) is {np.float32(value)!s} where {np.float32(expected)!s} is right: {off:.3g} ULP, "
        f"{function.limit:g} are allowed; wrong for {some}"
    )
    others = [other.name for other, _ in wrong if other is not function]
    if not others:
        return said
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return f"{said}; wrong are {', '.join(others[:_NAMED])}{more}, too"
