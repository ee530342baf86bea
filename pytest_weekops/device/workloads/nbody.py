"""All pairs of bodies: the acceleration of each by all of them, with softened gravity."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, Shape
from pytest_weekops.device.workloads.parts import up

_WIDTH, _GROUP = 4, 64  # of nbody.cl, and items per group
_BODIES = 2  # per n: 4 n * n pairs, so that a launch is no shorter than that of the others
_MOST = 32_000  # nbody.cl takes 2 n iterations and some; llvmpipe stops at 65,535
_SOFTENING = np.float32(0.01)  # epsilon**2
_AT_ONCE = 1 << 21  # pairs of the reference
_SAMPLES = 64


class Nbody:
    """The accelerations (bodies x 3) of 2 n bodies in a cube of edge 2, of mass 1 together or about that."""

    unit: Unit = "GFLOPS"

    def launch(self, shape: Shape) -> Launch:
        """``nbody(bodies, out, count, softening)``, one item per four bodies."""
        if shape.n > _MOST:
            raise DeviceError(
                f"nbody at n = {shape.n} has more than {_BODIES * _MOST} bodies. Some drivers stop a loop that long "
                "halfway. Give a smaller size."
            )
        count = _BODIES * shape.n
        return Launch(
            kernel="nbody",
            arguments=("bodies", "out", np.int32(count), _SOFTENING),
            inputs={"bodies": Buffer((count, 4))},
            output="out",
            output_shape=(count, 3),
            global_size=(up(-(-count // _WIDTH), _GROUP),),
            local_size=(_GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Places uniform in [-1, 1), masses uniform from a half to one and a half over their number."""
        count = _BODIES * shape.n
        bodies = np.random.default_rng([seed, session]).random((count, 4), dtype=np.float32)
        bodies[:, :3] = 2.0 * bodies[:, :3] - 1.0
        bodies[:, 3] = (bodies[:, 3] + 0.5) / count
        return {"bodies": bodies}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """All pairs in float64, some rows at a time."""
        bodies = inputs["bodies"].astype(np.float64)
        step = max(1, _AT_ONCE // len(bodies))
        parts = (_accelerations(bodies[first : first + step], bodies) for first in range(0, len(bodies), step))
        return np.concatenate(list(parts))

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """4 u times the largest sum of |term| over the bodies, of 64 accelerations or more from end to end; u = 2**-24.

        An rsqrt of 2 ulp (OpenCL C 1.2, section 7.4), 4 u, in the third power, the differences, squares and products: a
        term is off by at most 22 u of itself or so, and each sum of terms with it: less than six of these units. The
        sums add up to (256 + count / 256) u of it at most (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
        edition, section 4.2) and, since their roundings are random, about the root of that.
        """
        bodies = inputs["bodies"].astype(np.float64)
        step = max(1, len(bodies) // _SAMPLES)
        return 4.0 * UNIT_ROUNDOFF * float(_sums_of_terms(bodies[::step], bodies).max())

    def flops(self, shape: Shape) -> float:
        """20 per pair, as the field counts it."""
        return 20.0 * (_BODIES * shape.n) ** 2

    def bytes_moved(self, shape: Shape) -> float:
        """Each body read and each acceleration written once."""
        return 28.0 * _BODIES * shape.n


def _accelerations(of: Array, by: Array) -> Array:
    """The accelerations (of, 3) of some bodies by all of them, as products of matrices, which float64 can afford."""
    mine, places = of[:, :3], by[:, :3]
    distance = np.square(mine).sum(axis=1)[:, None] + np.square(places).sum(axis=1) - 2.0 * (mine @ places.T)
    distance += float(_SOFTENING)
    scale = by[:, 3] / (distance * np.sqrt(distance))
    return np.asarray(scale @ places - scale.sum(axis=1)[:, None] * mine)


def _sums_of_terms(of: Array, by: Array) -> Array:
    """The sums of |term| over all bodies, of each of some bodies and each axis (of, 3)."""
    away = np.abs(by[None, :, :3] - of[:, None, :3])
    distance = np.square(away).sum(axis=2) + float(_SOFTENING)
    return np.asarray(np.einsum("ij,ijd->id", by[:, 3] / (distance * np.sqrt(distance)), away))
