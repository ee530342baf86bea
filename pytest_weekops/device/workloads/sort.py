"""N x n keys in ascending order: dozens of kernels in a row, counters in local memory, and scattered stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_weekops.core.guard.invariants import multiset_hash
from pytest_weekops.core.measurement.launch import Buffer, Launch, Step
from pytest_weekops.core.units import Unit
from pytest_weekops.device.invariant import Draw, Ordered
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.workloads.parts import elements, steps_of, up
from pytest_weekops.device.workloads.scan import GROUP, scan_steps

DIGIT_BITS, DIGITS = 4, 16  # of sort_digits.clh, as the next one
KEYS = 128  # of an item
PASSES = 32 // DIGIT_BITS  # even, so that the last one writes to the output
BUCKETS, BUCKET_KEYS = 256, 16_384  # of sort_buckets.clh
_FEW = 16  # different keys among those that repeat


def digit_steps(count: int, *, words: int) -> tuple[list[Step], dict[str, int]]:
    """Every kernel of sorting ``count`` keys of x, ``words`` words each with their values, and scratch in bytes."""
    items = up(-(-count // KEYS), GROUP)
    scan, scratch = scan_steps("counts", "counts", DIGITS * items)
    ndrange = (items,), (GROUP,)
    steps: list[Step] = []
    source = "x"
    for number in range(PASSES):
        out = "sorted" if number % 2 else "between"
        digit = (np.int32(count), np.int32(number * DIGIT_BITS))
        steps.append(Step("count_digits", (source, "counts", *digit), *ndrange))
        steps += scan
        steps.append(Step("place", (source, "counts", out, *digit), *ndrange))
        source = out
    return steps, {"between": 4 * words * count, "counts": 4 * DIGITS * items, **scratch}


def some_keys(shape: tuple[int, int], generator: np.random.Generator, *, repeated: float) -> Array:
    """Any uint32, 0 and the largest one among them; this share of the keys is one of a few."""
    keys = generator.integers(0, 2**32, shape, dtype=np.uint32)
    few = generator.integers(0, 2**32, _FEW, dtype=np.uint32)
    few[:2] = 0, 2**32 - 1
    again = generator.random(shape, dtype=np.float32) < repeated
    keys[again] = few[generator.integers(0, _FEW, int(again.sum()))]
    return keys


class Sort:
    """The same n x n uint32 keys in ascending order, row by row, exactly."""

    unit: Unit = "GB/s"

    def launch(self, shape: Shape) -> Launch:
        """The launch on GPUs, whose counts are the more."""
        return self._by_digits(shape)

    def launch_as(self, shape: Shape, defines: Mapping[str, int]) -> Launch:
        """By buckets, or digit by digit."""
        return self._by_buckets(shape) if defines.get("BUCKETS", 0) else self._by_digits(shape)

    def _by_buckets(self, shape: Shape) -> Launch:
        """Counts of the first digit, their prefix sums in place, keys to their buckets, and each bucket by itself."""
        count = elements("sort", shape)
        items = -(-count // BUCKET_KEYS)
        scan, scratch = scan_steps("counts", "counts", BUCKETS * items)
        one = (1,)
        steps = [
            Step("count_digits", ("x", "counts", np.int32(count)), (items,), one),
            *scan,
            Step("place", ("x", "counts", "between", np.int32(count)), (items,), one),
            Step("sort_buckets", ("counts", "between", "sorted", np.int32(items)), (BUCKETS,), one),
        ]
        return self._launched(shape, steps, {"between": 4 * count, "counts": 4 * BUCKETS * items, **scratch})

    def _by_digits(self, shape: Shape) -> Launch:
        """Per digit: every item's counts, their prefix sums in place, and every key to its place."""
        return self._launched(shape, *digit_steps(elements("sort", shape), words=1))

    def _launched(self, shape: Shape, steps: Sequence[Step], scratch: Mapping[str, int]) -> Launch:
        square = (shape.n, shape.n)
        return steps_of(
            steps,
            inputs={"x": Buffer(square, "uint32")},
            output="sorted",
            output_shape=square,
            output_dtype="uint32",
            scratch=scratch,
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """X (n x n): any numbers, 0 and the largest one among them; every fourth key is one of a few."""
        generator = np.random.default_rng([seed, session])
        return {"x": some_keys((shape.n, shape.n), generator, repeated=0.25)}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """The sorted keys (n x n), exact."""
        return np.sort(inputs["x"], axis=None).astype(np.float64).reshape(shape.n, shape.n)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def invariant(self, shape: Shape, inputs: dict[str, Array], reference: Array, draw: Draw) -> Ordered:  # noqa: ARG002
        """In order, and the very keys of x: neither needs them sorted."""
        return Ordered(inputs["x"].size, multiset_hash(inputs["x"].reshape(-1)))

    def flops(self, shape: Shape) -> float:
        """One addition per key and digit, of whole numbers."""
        return float(PASSES * shape.n**2)

    def bytes_moved(self, shape: Shape) -> float:
        """Each key read once and written once; on GPUs it is read sixteen times and written eight times."""
        return 8.0 * shape.n**2
