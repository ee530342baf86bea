"""Transpose: out = in^T, exactly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pytest_weekops.core.guard.invariants import as_words
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Words
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements

_TILE, _WIDTH, _LINES = 64, 8, 8  # of transpose.cl
_CPU_TILE = 256  # TILE of transpose_blocks.clh


class Transpose:
    """Out of n x n elements is the transposed in."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """One group of 8 x 8 items per tile of 64 x 64, as on GPUs."""
        return self._tiled(shape, _TILE, (_TILE // _WIDTH, _LINES))

    def launch_as(self, shape: Shape, defines: Mapping[str, int]) -> Launch:
        """That, or one item per tile of 256 x 256."""
        return self._tiled(shape, _CPU_TILE, (1, 1)) if defines.get("BLOCKS", 0) else self.launch(shape)

    def _tiled(self, shape: Shape, tile: int, group: tuple[int, int]) -> Launch:
        """``transpose(in, out, n)``, one group per tile."""
        n = shape.n
        elements("transpose", shape)
        tiles = -(-n // tile)
        return Launch(
            kernel="transpose",
            arguments=("in", "out", np.int32(n)),
            inputs={"in": Buffer((n, n))},
            output="out",
            output_shape=(n, n),
            global_size=(tiles * group[0], tiles * group[1]),
            local_size=group,
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """In (n x n), N(0, 1) without zeros: of two that are equal, the bits are equal."""
        values = np.random.default_rng([seed, session]).standard_normal((shape.n, shape.n), dtype=np.float32)
        values[values == 0.0] = 1.0
        return {"in": values}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The transposed input."""
        return np.ascontiguousarray(inputs["in"].T, dtype=np.float64)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: nothing is computed, and nothing may be rounded."""
        return 0.0

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Words:  # noqa: ARG002
        """The weighted sum of each row's bits, which is that of a column of in."""
        n, weights = shape.n, draw.weights(shape.n)
        columns = as_words(inputs["in"]).reshape(n, n)
        return Words(n * n, weights, (columns * weights[:, None]).sum(axis=0, dtype=np.uint32))

    def flops(self, shape: Shape) -> float:
        """N x n copies, which the unit does not count; there is no arithmetic."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """One read and one write per element."""
        return 8.0 * shape.n**2
