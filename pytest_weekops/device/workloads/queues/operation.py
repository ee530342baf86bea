"""Operations whose launch is a row of host calls; each part of the result shows one of them, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, HostWork, Shape
from pytest_weekops.device.workloads.parts import elements, steps_of, up
from pytest_weekops.device.workloads.queues.patterns import CHAIN, FACTOR, GROUP, MASK, PATTERNS


def mixed(values: Array, salt: int) -> Array:
    """What ``mix_in`` makes of values."""
    return np.asarray(values * FACTOR + np.uint32(salt), dtype=np.uint32)


class HostCalls:
    """N x n uint32 through host calls: ``parts`` results of that size, which ``expected`` knows of x."""

    unit: Unit = "GB/s"

    def __init__(
        self,
        name: str,
        parts: int,
        expected: Callable[[Array], Sequence[Array]],
    ) -> None:
        self.name, self.parts, self._expected = name, parts, expected

    def launch(self, shape: Shape) -> Launch:
        """Buffers, and the two kernels with arguments of their kinds; :meth:`drive` does what is done with them."""
        count = elements(self.name, shape)
        size = (up(count, GROUP),)
        return steps_of(
            [
                Step("mix_in", ("x", "out", np.int32(count), np.uint32(1)), size, (GROUP,)),
                Step("add_up", ("x", "x", "out", np.int32(count)), size, (GROUP,)),
            ],
            inputs={"x": Buffer((shape.n, shape.n), "uint32")},
            output="out",
            output_shape=(self.parts * shape.n, shape.n),
            output_dtype="uint32",
        )

    def drive(self, work: HostWork, shape: Shape) -> Sequence[Any]:
        """All host calls of one launch; its events in order."""
        from pytest_weekops.device.workloads.queues.steps import DRIVES  # the host worker has no OpenCL

        return DRIVES[self.name](work, shape.n)

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (n x n), any uint32."""
        return {"x": np.random.default_rng([seed, session]).integers(0, 2**32, (shape.n, shape.n), dtype=np.uint32)}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The parts one below the other (parts n x n)."""
        return np.concatenate([part.astype(np.float64) for part in self._expected(inputs["x"])])

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """One per element of each part, of whole numbers."""
        return float(self.parts * shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Each part read and written once; the copies between are the host's doing."""
        return 8.0 * self.parts * shape.n**2


def _buffers_expected(x: Array) -> list[Array]:
    n = len(x)
    return [np.roll(x, (n // 3, n // 2), (0, 1)), mixed(x, 7), x ^ np.uint32(MASK), mixed(x, 11)]


def _out_of_order_expected(x: Array) -> list[Array]:
    chain = x
    for salt in range(CHAIN):
        chain = mixed(chain, salt)
    return [mixed(x, 17) + mixed(x, 19), chain]


def _fills_expected(x: Array) -> list[Array]:
    whole = up(x.nbytes, 16)
    filled = [
        np.resize(pattern.view(np.uint8), whole).view(np.uint32)[: x.size].reshape(x.shape) for pattern in PATTERNS
    ]
    bordered = mixed(x, 23).reshape(-1)
    bordered[x.size // 2] = PATTERNS[2][0]
    return [*filled, bordered.reshape(x.shape)]


QUEUES = {
    "queue": HostCalls("queue", 4, _buffers_expected),
    "queue_sub_rectangles": HostCalls("queue_sub_rectangles", 1, lambda x: _buffers_expected(x)[:1]),
    "queue_user_events": HostCalls("queue_user_events", 1, lambda x: [mixed(mixed(x, 11), 13)]),
    "queue_out_of_order": HostCalls("queue_out_of_order", 2, _out_of_order_expected),
    "queue_fill": HostCalls("queue_fill", len(PATTERNS) + 1, _fills_expected),
    "queue_svm": HostCalls("queue_svm", 1, lambda x: [mixed(x, 29)]),
}
