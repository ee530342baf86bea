"""Transpose: out = in^T, exactly."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements, up

_TILE, _LINES = 32, 8  # of transpose.cl


class Transpose:
    """Out of n x n elements is the transposed in."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``transpose(in, out, n)``, one group of 32 x 8 items per tile of 32 x 32."""
        n = shape.n
        elements("transpose", shape)
        columns, lines = up(n, _TILE), up(n, _TILE) // _TILE * _LINES
        return Launch(
            kernel="transpose",
            arguments=("in", "out", np.int32(n)),
            inputs={"in": Buffer((n, n))},
            output="out",
            output_shape=(n, n),
            global_size=(columns, lines),
            local_size=(_TILE, _LINES),
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

    def flops(self, shape: Shape) -> float:
        """N x n copies, which the unit does not count; there is no arithmetic."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """One read and one write per element."""
        return 8.0 * shape.n**2
