"""Inclusive prefix sums of n x n whole numbers: many passes, barriers, and sums of sums in place."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.guard.invariants import scan_sums
from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import LONG_ROW, Draw, Words
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements, steps_of

GROUP = 64  # ITEMS of scan_blocks.clh
BLOCK = GROUP * 32  # elements of a work-group: STRETCH per item
_LARGEST = 4096  # of the numbers: sums of 2**31 of them stray by 1.1e8, and an int holds 2.1e9


def scan_steps(source: str, out: str, count: int) -> tuple[list[Step], dict[str, int]]:
    """The kernels of scan_blocks.clh that leave the prefix sums of ``source`` in ``out``, and their scratch by name.

    ``out`` may be the source itself. The buffers of sums are named after it.
    """
    blocks = -(-count // BLOCK)
    ndrange = (blocks * GROUP,), (GROUP,)
    if blocks == 1:
        return [Step("scan", (source, source, out, np.int32(count), np.int32(1)), *ndrange)], {}
    sums = f"{out}+"
    deeper, scratch = scan_steps(sums, sums, blocks)
    steps = [
        Step("totals", (source, sums, np.int32(count)), *ndrange),
        *deeper,
        Step("scan", (source, sums, out, np.int32(count), np.int32(0)), *ndrange),
    ]
    return steps, {sums: 4 * blocks, **scratch}


class Scan:
    """Out[i] = x[0] + ... + x[i] over n x n int32, exactly."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """Sums of blocks, their prefix sums as deep as it takes, and every block by them."""
        steps, scratch = scan_steps("x", "out", elements("scan", shape))
        square = (shape.n, shape.n)
        return steps_of(
            steps,
            inputs={"x": Buffer(square, "int32")},
            output="out",
            output_shape=square,
            output_dtype="int32",
            scratch=scratch,
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (n x n), whole numbers from -4096 to 4095."""
        generator = np.random.default_rng([seed, session])
        return {"x": generator.integers(-_LARGEST, _LARGEST, (shape.n, shape.n), dtype=np.int32)}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The sums (n x n), exact."""
        sums = np.cumsum(inputs["x"], dtype=np.int64)
        return sums.astype(np.float64).reshape(shape.n, shape.n)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Words:  # noqa: ARG002
        """Weighted sums of the prefix sums, from x and without them."""
        x = inputs["x"].reshape(-1)
        weights = draw.weights(min(LONG_ROW, x.size))
        return Words(x.size, weights, scan_sums(x, weights))

    def flops(self, shape: Shape) -> float:
        """One addition per element."""
        return float(shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Each element read once and written once; the kernels read it twice."""
        return 8.0 * shape.n**2
