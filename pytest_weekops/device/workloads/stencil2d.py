"""The nine-point stencil: every element from its neighbourhood in a plane with a halo."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Sums
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape
from pytest_weekops.device.workloads.parts import stretches, up

_WIDTH, _RUN = 8, 4  # of stencil2d.cl
_GROUP = 64  # items of a work-group, side by side, so that memory is read in its order
_MOST = 46_338  # whose edge with a halo has a square that an int counts


class Stencil2d:
    """Out (n x n) is the sum of in (n+2 x n+2) under a mask of 3 x 3 weights."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``stencil2d(in, weights, out, n)``, one item per eight columns of four rows."""
        n = shape.n
        if n > _MOST:
            raise DeviceError(f"stencil2d at n = {n} has more elements than an int counts. Give a smaller size.")
        return Launch(
            kernel="stencil2d",
            arguments=("in", "weights", "out", np.int32(n)),
            inputs={"in": Buffer((n + 2, n + 2)), "weights": Buffer((9,))},
            output="out",
            output_shape=(n, n),
            global_size=(up(-(-n // _WIDTH), _GROUP), -(-n // _RUN)),
            local_size=(_GROUP, 1),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """In with its halo, uniform in [-1, 1), and nine weights, N(0, 1)."""
        generator = np.random.default_rng([seed, session])
        weights = generator.standard_normal(9, dtype=np.float32)
        plane = generator.random((shape.n + 2, shape.n + 2), dtype=np.float32)
        return {"in": 2.0 * plane - 1.0, "weights": weights}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The sum of nine shifted planes, in float64."""
        n, plane = shape.n, inputs["in"].astype(np.float64)
        result = np.zeros((n, n))
        for place, weight in enumerate(inputs["weights"].tolist()):
            a, b = divmod(place, 3)
            result += weight * plane[a : a + n, b : b + n]
        return result

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """U sum |weights|, u = 2**-24.

        No element of in is larger than 1, so a sum of nine products is off by at most nine of these units, in any
        order (Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1).
        """
        return UNIT_ROUNDOFF * float(np.abs(inputs["weights"]).sum(dtype=np.float64))

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Sums:
        """Signed sums of stretches, from the reference: from the inputs they would take as long."""
        return stretches(reference, self.error_unit(shape, inputs), draw)

    def flops(self, shape: Shape) -> float:
        """Nine products and eight sums per element."""
        return 17.0 * shape.n**2

    def bytes_moved(self, shape: Shape) -> float:
        """Each element of in read once, each of out written once."""
        return 4.0 * (shape.n + 2) ** 2 + 4.0 * shape.n**2
