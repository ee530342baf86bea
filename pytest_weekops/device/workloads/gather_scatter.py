"""Gather and scatter: a copy from places in no order to places in no order, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements, up

_GROUP, _WIDTH = 64, 8  # of gather_scatter.cl
_HALF = 32  # bits


class GatherScatter:
    """``out[to[i]] = in[from[i]]`` over n x n elements, from and to being two permutations.

    ``wide`` indices have 64 bits, and the place in their upper half. In the lower one stands another place, so that a
    driver that loses the upper half, or takes one for the other, copies to where nobody else looks for it.
    """

    unit: Unit = "GB/s"

    def __init__(self, name: str = "gather_scatter", *, wide: bool = False) -> None:
        self.name, self.wide = name, wide

    def launch(self, shape: Shape) -> Launch:
        """``gather_scatter(in, from, to, out, count)``, one item per eight elements."""
        count, square = elements(self.name, shape), (shape.n, shape.n)
        indices = Buffer((count,), "int64" if self.wide else "int32")
        return Launch(
            kernel="gather_scatter",
            arguments=("in", "from", "to", "out", np.int32(count)),
            inputs={"in": Buffer(square), "from": indices, "to": indices},
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
        drawn = [generator.permutation(places) for _ in range(4 if self.wide else 2)]
        if self.wide:
            drawn = [drawn[k].astype(np.int64) << _HALF | drawn[k + 2] for k in range(2)]
        return {"in": values, "from": drawn[0], "to": drawn[1]}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The same copy on the host."""
        result = np.empty(shape.n**2)
        result[self._places(inputs["to"])] = inputs["in"].reshape(-1)[self._places(inputs["from"])]
        return result.reshape(shape.n, shape.n)

    def _places(self, indices: Array) -> NDArray[np.int64]:
        """The elements that indices name (n * n)."""
        return indices.astype(np.int64) >> (_HALF if self.wide else 0)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: nothing is computed, and nothing may be rounded."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """N x n copies, which the unit does not count; there is no arithmetic."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Two indices, one read and one write per element; a cache moves whole lines for the latter two."""
        return (24.0 if self.wide else 16.0) * shape.n**2
