"""The sum of n x n floats: local memory, barriers and a tree, one kernel again and again until one number is left."""

from __future__ import annotations

import math

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Sums
from pytest_weekops.device.operation import UNIT_ROUNDOFF, ZEROS_FROM, Array, Shape, plant_zeros, rms
from pytest_weekops.device.workloads.parts import elements, steps_of

GROUP = 64  # ITEMS of reduce.cl
SPAN = GROUP * 32 * 8  # elements of a work-group: STEPS vectors of WIDTH per item
_DEPTH = 32 + 8 + 1 + 6  # additions on an element's way through one pass: vectors, their lanes, the rest, the tree
_MEAN = 4.0  # of all elements, times n: four times what the sum of n x n random ones strays


class Reduce:
    """One float32, the sum of x (n x n).

    The elements have a mean of 4 / n beside their N(0, 1): their sum is about 4 n, and by no chance next to 0, where
    a bound in rounding units would be as large as the result.
    """

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """``reduce(x, out, count)``, each pass leaving one number per work-group, the last one a single number."""
        left = elements("reduce", shape)
        scratch: dict[str, int] = {}
        steps: list[Step] = []
        source = "x"
        while True:
            groups = -(-left // SPAN)
            out = "sum" if groups == 1 else f"parts{len(steps) + 1}"
            steps.append(Step("reduce", (source, out, np.int32(left)), (groups * GROUP,), (GROUP,)))
            if groups == 1:
                break
            scratch[out] = 4 * groups
            source, left = out, groups
        return steps_of(
            steps, inputs={"x": Buffer((shape.n, shape.n))}, output="sum", output_shape=(1,), scratch=scratch
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (n x n), N(4 / n, 1), with zeros of both signs in it.

        The first and the last element are 1, so that a sum without one of them is off by more than rounding.
        """
        x = np.random.default_rng([seed, session]).standard_normal((shape.n, shape.n), dtype=np.float32)
        x += np.float32(_MEAN / shape.n)
        if shape.n >= ZEROS_FROM:
            plant_zeros(x[1:-1, 1:-1])
        x.flat[[0, -1]] = 1.0
        return {"x": x}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The sum in float64 (1 x 1)."""
        return np.array([[inputs["x"].sum(dtype=np.float64)]])

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:
        """U sqrt(N d rms(x)**2 + 2 s**2), u = 2**-24, N elements, d additions on an element's way, s the sum.

        Each addition rounds its result v by at most u |v|. Taken as independent of each other, as Higham and Mary do
        (SIAM J. Sci. Comput. 41, 2019), they add up to u sqrt(sum of v**2). A node of the tree over e elements has
        v**2 = e rms(x)**2 by its random part, and every element is in d of them at most: N d rms(x)**2 in all. Their
        common mean gives the root s, the nodes below it half and quarters of it: less than 2 s**2 in all.
        """
        x = inputs["x"]
        depth = _DEPTH * len(self.launch(shape).steps)
        total = float(x.sum(dtype=np.float64))
        return UNIT_ROUNDOFF * math.sqrt(x.size * depth * rms(x) ** 2 + 2.0 * total**2)

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Sums:  # noqa: ARG002
        """The sum of x in float64: there is nothing to sum up on the device but one number."""
        total = np.array([inputs["x"].sum(dtype=np.float64)])
        return Sums(1, np.ones(1, dtype=np.float32), total, self.error_unit(shape, inputs), np.abs(total))

    def flops(self, shape: Shape) -> float:
        """One addition per element but the first; 1 of a single element, which is copied."""
        return float(max(shape.n**2 - 1, 1))

    def bytes_moved(self, shape: Shape) -> float:
        """Each element once; the numbers between the passes are a thousandth of that."""
        return 4.0 * shape.n**2
