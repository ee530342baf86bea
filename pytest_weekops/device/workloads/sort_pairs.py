"""N x n pairs by their keys, equal keys in the order they had: eight passes that scatter two words at a time."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import counted, steps_of
from pytest_weekops.device.workloads.sort import PASSES, digit_steps, some_keys


class SortPairs:
    """N x n uint32 keys in ascending order and behind them their n x n uint32 values, both as 2 n rows, exactly."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """Digit by digit, as the sort of keys on GPUs."""
        count = counted("sort_pairs", shape, 2 * shape.n**2) // 2
        steps, scratch = digit_steps(count, words=2)
        both = (2 * shape.n, shape.n)
        return steps_of(
            steps,
            inputs={"x": Buffer(both, "uint32")},
            output="sorted",
            output_shape=both,
            output_dtype="uint32",
            scratch=scratch,
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (2 n x n): keys, half of them one of a few, so that their order is asked for; then values, any numbers."""
        generator, square = np.random.default_rng([seed, session]), (shape.n, shape.n)
        keys = some_keys(square, generator, repeated=0.5)
        return {"x": np.concatenate([keys, generator.integers(0, 2**32, square, dtype=np.uint32)])}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """Keys and values (2 n x n) by the stable order of the keys, exact."""
        keys, values = (half.reshape(-1) for half in np.split(inputs["x"], 2))
        order = np.argsort(keys, kind="stable")
        return np.concatenate([keys[order], values[order]]).astype(np.float64).reshape(2 * shape.n, shape.n)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """One addition per key and digit, of whole numbers."""
        return float(PASSES * shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Each key and value read once and written once; keys are read sixteen times, pairs moved eight times."""
        return 16.0 * shape.n**2
