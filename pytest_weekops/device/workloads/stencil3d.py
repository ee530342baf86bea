"""The seven-point stencil: every element from itself and its six neighbours in a cube with a halo."""

from __future__ import annotations

import math

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Sums
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape
from pytest_weekops.device.workloads.parts import stretches, up

_WIDTH, _RUN = 8, 4  # of stencil3d.cl
_GROUP = (32, 8)  # items of a work-group, along a row and over rows
_MOST = 1288  # whose edge with a halo has a cube that an int counts
# where the centre and the six neighbours lie in the cube with its halo: planes, rows, columns
_PLACES = ((1, 1, 1), (1, 1, 0), (1, 1, 2), (1, 0, 1), (1, 2, 1), (0, 1, 1), (2, 1, 1))


def cube_edge(n: int) -> int:
    """The edge of the cube that has about n * n elements."""
    return max(1, round(math.pow(n, 2.0 / 3.0)))


class Stencil3d:
    """Out (c x c x c) is the sum of seven weighted elements of in (c+2 x c+2 x c+2), c**3 being about n * n."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``stencil3d(in, weights, out, c)``, one item per eight columns of one row of four planes."""
        c = cube_edge(shape.n)
        if c > _MOST:
            raise DeviceError(f"stencil3d at n = {shape.n} has more elements than an int counts. Give a smaller size.")
        return Launch(
            kernel="stencil3d",
            arguments=("in", "weights", "out", np.int32(c)),
            inputs={"in": Buffer((c + 2, c + 2, c + 2)), "weights": Buffer((7,))},
            output="out",
            output_shape=(c, c, c),
            global_size=(up(-(-c // _WIDTH), _GROUP[0]), up(c, _GROUP[1]), -(-c // _RUN)),
            local_size=(*_GROUP, 1),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """In with its halo, uniform in [-1, 1), and seven weights, N(0, 1)."""
        generator, edge = np.random.default_rng([seed, session]), cube_edge(shape.n) + 2
        weights = generator.standard_normal(7, dtype=np.float32)
        cube = generator.random((edge, edge, edge), dtype=np.float32)
        return {"in": 2.0 * cube - 1.0, "weights": weights}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The sum of seven shifted cubes, in float64, its planes as rows."""
        c, cube = cube_edge(shape.n), inputs["in"].astype(np.float64)
        result = np.zeros((c, c, c))
        for (z, y, x), weight in zip(_PLACES, inputs["weights"].tolist(), strict=True):
            result += weight * cube[z : z + c, y : y + c, x : x + c]
        return result.reshape(c, c * c)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """U sum |weights|, u = 2**-24.

        No element of in is larger than 1, so a sum of seven products is off by at most seven of these units, in any
        order (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1).
        """
        return UNIT_ROUNDOFF * float(np.abs(inputs["weights"]).sum(dtype=np.float64))

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Sums:
        """Signed sums of stretches, from the reference: from the inputs they would take as long."""
        return stretches(reference, self.error_unit(shape, inputs), draw)

    def flops(self, shape: Shape) -> float:
        """Seven products and six sums per element."""
        return 13.0 * cube_edge(shape.n) ** 3

    def bytes_moved(self, shape: Shape) -> float:
        """Each element of in read once, each of out written once."""
        c = cube_edge(shape.n)
        return 4.0 * (c + 2) ** 3 + 4.0 * c**3
