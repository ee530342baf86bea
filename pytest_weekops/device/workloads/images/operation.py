"""Reading an image at n x n places by each address mode, nearest or linear; and, where all is exact, writing one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import UNIT_ROUNDOFF, Array, HostWork, Shape
from pytest_weekops.device.workloads.images.sampler import GROUP, MODES, read
from pytest_weekops.device.workloads.parts import elements, steps_of, up

_LARGEST = 8192  # texels along an edge, which every device of the full profile has
_FINE = 32  # parts of a texel: places are odd multiples, off all edges, and a fraction of eight bits holds them


class Images:
    """Results of four floats at n x n places for each of the modes; without ``linear`` a written image beside them."""

    unit: Unit = "GB/s"

    def __init__(self, name: str, *, linear: bool) -> None:
        self.name, self.linear = name, linear
        self.parts = len(MODES) + (not linear)

    def launch(self, shape: Shape) -> Launch:
        """Buffers, and kernels by name; :meth:`drive` makes images of the inputs and sets arguments."""
        count = elements(self.name, shape)
        if shape.n > _LARGEST:
            raise DeviceError(f"{self.name} at n = {shape.n} is wider than images have to be. Give a smaller size.")
        arguments = ("x", "x", "at0", "out", np.int32(count), np.int32(0))  # drive puts images in place of x
        return steps_of(
            [
                Step("read_places", arguments, (up(count, GROUP),), (GROUP,)),
                Step("write_texels", ("x", "out", np.int32(shape.n), np.int32(count)), (up(count, GROUP),), (GROUP,)),
            ],
            inputs={
                "x": Buffer((shape.n, 4 * shape.n)),
                **{f"at{normalized:d}": Buffer((count, 2)) for normalized in (False, True)},
            },
            output="out",
            output_shape=(self.parts * shape.n, 4 * shape.n),
        )

    def drive(self, work: HostWork, shape: Shape) -> Sequence[Any]:
        """Images, samplers, kernels; their events in order."""
        from pytest_weekops.device.workloads.images.steps import drive  # the host worker has no OpenCL

        return drive(work, shape.n, linear=self.linear)

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X, an image (n x n x 4) of values from -1 to 1 without 0, and places from two images before it to two behind.

        ``at0`` are places in texels, ``at1`` the same over the size.
        """
        generator, n = np.random.default_rng([seed, session]), shape.n
        x = generator.uniform(0.1, 1.0, (n, 4 * n)) * generator.choice(np.array([-1.0, 1.0]), (n, 4 * n))
        places = (2 * generator.integers(-2 * n * _FINE // 2, 3 * n * _FINE // 2, (n * n, 2)) + 1) / _FINE
        return {
            "x": x.astype(np.float32),
            "at0": places.astype(np.float32),
            "at1": (places / n).astype(np.float32),
        }

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The parts one below the other (parts n x 4 n)."""
        n = shape.n
        image, places = inputs["x"].astype(np.float64).reshape(n, n, 4), inputs["at0"].astype(np.float64)
        parts = [read(image, places[:, 0], places[:, 1], mode, linear=self.linear) for mode, _ in MODES]
        if not self.linear:
            parts.append(image[:, :, ::-1])
        return np.concatenate([np.asarray(part).reshape(n, 4 * n) for part in parts])

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0 of the nearest texel: none of the places is next to an edge. Linear: u (1 + 4 n), u = 2**-24.

        A place up to 3 n from 0, made a float over n and multiplied by it again, is off by 3 n u twice at most, and
        the result by that times the difference of two texels, at most 2, along each axis: 24 n u. The blend of four
        has some ten roundings. Both are less than six such units. OpenCL C 1.2 gives the formulas (section 8.2) and no
        precision of a linear filter; a fraction of eight bits, as hardware has, is exact for these places.
        """
        return UNIT_ROUNDOFF * (1.0 + 4.0 * shape.n) if self.linear else 0.0

    def flops(self, shape: Shape) -> float:
        """One per number of the result, which the unit does not count."""
        return 4.0 * self.parts * shape.n**2

    def bytes_moved(self, shape: Shape) -> float:
        """A place, a texel and a result each."""
        return 40.0 * self.parts * shape.n**2


IMAGES = {"image2d": Images("image2d", linear=False), "image2d_linear": Images("image2d_linear", linear=True)}
