"""Counts of n x n keys in 256 bins: local and global atomics, and a bin that many fall into at once."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Words
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements

BINS = 256  # of histogram.cl, as the next two
GROUP = 64
SPAN = GROUP * 64  # keys of a work-group


class Histogram:
    """Bins[b] = how many of n x n uint32 keys have b as their uppermost eight bits, exactly."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``histogram(x, bins, count)`` on bins that are filled with 0 before."""
        count = elements("histogram", shape)
        return Launch(
            kernel="histogram",
            arguments=("x", "bins", np.int32(count)),
            inputs={"x": Buffer((shape.n, shape.n), "uint32")},
            output="bins",
            output_shape=(BINS,),
            output_dtype="uint32",
            global_size=(-(-count // SPAN) * GROUP,),
            local_size=(GROUP,),
            zeroed=("bins",),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (n x n): three of four keys are any number, the fourth lies in one bin that changes with the data."""
        generator = np.random.default_rng([seed, session])
        x = generator.integers(0, 2**32, (shape.n, shape.n), dtype=np.uint32)
        crowd = generator.random((shape.n, shape.n), dtype=np.float32) < 0.25
        x[crowd] = (x[crowd] & np.uint32(2**24 - 1)) | (x.flat[0] & np.uint32(0xFF000000))
        return {"x": x}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The counts (1 x 256), exact."""
        counts = np.bincount((inputs["x"] >> np.uint32(24)).ravel(), minlength=BINS)
        return counts.astype(np.float64).reshape(1, BINS)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Words:  # noqa: ARG002
        """Each key weighs what its bin does, and so do all of them: a key in another bin changes that."""
        weights = draw.weights(BINS)
        total = weights[inputs["x"].reshape(-1) >> np.uint32(24)].sum(dtype=np.uint32)
        return Words(BINS, weights, np.array([total], dtype=np.uint32))

    def flops(self, shape: Shape) -> float:
        """One addition per key, of whole numbers."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Each key once; the bins stay in a cache."""
        return 4.0 * shape.n**2
