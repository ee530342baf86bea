"""Operations whose every result is one number and no other: rows of words over arguments, the same for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import counted, elements, up

_GROUP = 64  # of double.cl, whole.cl, convert.cl and vectors.cl


@dataclass(frozen=True)
class Arguments:
    """What a row of results is of: arrays of these names and this type, ``count_of(n)`` elements each.

    ``draw`` gives them from n, seed and session.
    """

    names: Sequence[str]
    dtype: str
    count_of: Callable[[int], int]
    draw: Callable[[int, int, int], dict[str, Array]]


class ExactWords:
    """A row of ``words`` words of 32 bits to each of ``results`` results, exactly.

    ``right`` gives the rows from the arguments in their order, each as whole numbers whose lower bits are the result.
    """

    unit: Unit = "GB/s"

    def __init__(
        self, name: str, results: int, right: Callable[..., Sequence[Array]], arguments: Arguments, *, words: int = 1
    ) -> None:
        self.name, self.results, self.words = name, results, words
        self._right, self._arguments = right, arguments

    def launch(self, shape: Shape) -> Launch:
        """``NAME_(arguments, out, count)``, one item per element."""
        count, given = self._arguments.count_of(shape.n), self._arguments
        elements(self.name, shape)
        counted(self.name, shape, self.words * self.results * count)
        return Launch(
            kernel=f"{self.name}_",
            arguments=(*given.names, "out", np.int32(count)),
            inputs={name: Buffer((count,), given.dtype) for name in given.names},
            output="out",
            output_shape=(self.results, self.words * count),
            output_dtype="uint32",
            global_size=(up(count, _GROUP),),
            local_size=(_GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """The arguments by name."""
        return self._arguments.draw(shape.n, seed, session)

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The words of each result, the lower one first (results x words count)."""
        rows = self._right(*(inputs[name] for name in self._arguments.names))
        return np.stack([self._words(row) for row in rows]).astype(np.float64)

    def _words(self, row: Array) -> Array:
        parts = [np.asarray(row >> 32 * word & 0xFFFFFFFF, dtype=np.int64) for word in range(self.words)]
        return np.stack(parts, axis=-1).reshape(-1)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: each result is one number and no other."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """One per result."""
        return float(self.results * self._arguments.count_of(shape.n))

    def bytes_moved(self, shape: Shape) -> float:
        """The arguments read, and the results written."""
        given = self._arguments
        read = np.dtype(given.dtype).itemsize * len(given.names)
        return float(read + 4 * self.words * self.results) * given.count_of(shape.n)
