"""Gather and scatter: a copy from places in no order to places in no order, exactly."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements, up

_GROUP, _WIDTH = 64, 8  # of gather_scatter.cl


class GatherScatter:
    """``out[to[i]] = in[from[i]]`` over n x n elements, from and to being two permutations."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``gather_scatter(in, from, to, out, count)``, one item per eight elements."""
        count, square = elements("gather_scatter", shape), (shape.n, shape.n)
        return Launch(
            kernel="gather_scatter",
            arguments=("in", "from", "to", "out", np.int32(count)),
            inputs={"in": Buffer(square), "from": Buffer((count,), "int32"), "to": Buffer((count,), "int32")},
            output="out",
            output_shape=square,
            global_size=(up(count, _GROUP * _WIDTH) // _WIDTH,),
            local_size=(_GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """In (n x n), N(0, 1) without zeros, so that of two that are equal the bits are; and the two permutations."""
        generator, count = np.random.default_rng([seed, session]), shape.n**2
        values = generator.standard_normal((shape.n, shape.n), dtype=np.float32)
        values[values == 0.0] = 1.0
        places = np.arange(count, dtype=np.int32)
        return {"in": values, "from": generator.permutation(places), "to": generator.permutation(places)}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The same copy on the host."""
        result = np.empty(shape.n**2)
        result[inputs["to"]] = inputs["in"].reshape(-1)[inputs["from"]]
        return result.reshape(shape.n, shape.n)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: nothing is computed, and nothing may be rounded."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """N x n copies, which the unit does not count; there is no arithmetic."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Two indices, one read and one write per element; a cache moves whole lines for the latter two."""
        return 16.0 * shape.n**2
