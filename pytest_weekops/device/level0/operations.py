"""Items of level 0 as operations: the same kernels in one shape, launched, verified and judged as any other."""

from __future__ import annotations

import numpy as np

from pytest_weekops.core.measurement.launch import Buffer, Launch
from pytest_weekops.core.units import Unit
from pytest_weekops.device.level0.chains import KINDS, STEPS_PER_LOOP, digest
from pytest_weekops.device.operation import Array, LaunchedOperation, Shape
from pytest_weekops.device.workloads.parts import elements, up

GROUP = 64  # work-items, of both kernels
PITCH = 16  # of peak_memory.cl
COPIED = 8  # WIDTH of memory_copy in the catalogue
_BLOCK = GROUP * PITCH  # words of an array are a multiple of it
_KEY = 0x5EED5EED  # what is mixed into each word, so that a copy alone is wrong
_PER_ITEM = 128  # of the n * n: so many chains as take about as long as a GEMM of that size
_STARTS = 2**16  # the first of a ramp is below it; all that follows is exact in float


class Moved:
    """Words moved from one array to another in one ``order``: n x n, rounded up to whole work-groups, exactly."""

    unit: Unit = "GB/s"

    def __init__(self, order: str) -> None:
        self._order = order

    def _count(self, shape: Shape) -> int:
        return up(elements(f"memory_{self._order}", shape), _BLOCK)

    def launch(self, shape: Shape) -> Launch:
        """The kernel of that order on all words."""
        count = self._count(shape)
        inputs = {"a": Buffer((count,), "uint32")}
        arguments: tuple[object, ...] = ("a", "b", np.uint32(_KEY))
        global_size: tuple[int, ...] = (count,)
        if self._order == "gather":
            inputs["index"] = Buffer((count,), "uint32")
            arguments = (*arguments, "index")
        elif self._order == "strided":
            global_size = (count // PITCH, PITCH)
        else:
            global_size = (count // COPIED,)
        return Launch(
            kernel=f"peak_{self._order}",
            arguments=arguments,
            inputs=inputs,
            output="b",
            output_shape=(count,),
            output_dtype="uint32",
            global_size=global_size,
            local_size=(GROUP, 1)[: len(global_size)],
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:
        """Any words; for a gather a permutation of their places."""
        generator, count = np.random.default_rng([seed, session]), self._count(shape)
        found: dict[str, Array] = {"a": generator.integers(0, 2**32, count, dtype=np.uint32)}
        if self._order == "gather":
            found["index"] = generator.permutation(count).astype(np.uint32)
        return found

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:  # noqa: ARG002 - the protocol's
        """The words in that order, as one row."""
        words = inputs["a"]
        if self._order == "gather":
            words = words[inputs["index"]]
        elif self._order == "strided":
            words = words.reshape(-1, PITCH).T.reshape(-1)
        return (words ^ np.uint32(_KEY)).astype(np.float64).reshape(1, -1)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """A word each, which the unit does not count; there is no arithmetic."""
        return float(self._count(shape))

    def bytes_moved(self, shape: Shape) -> float:
        """One read and one write per word, and one index of a gather."""
        return (12.0 if self._order == "gather" else 8.0) * self._count(shape)


class Chained:
    """Chains of x = x + 1 by a multiplication and an addition in float, whole numbers that float holds, exactly.

    ``width`` and ``chains`` are those of the catalogue's entry.
    """

    unit: Unit = "GFLOPS"

    def __init__(self, name: str, width: int, chains: int) -> None:
        self._name, self._width, self._chains, self._kind = name, width, chains, KINDS["float"]

    def _items(self, shape: Shape) -> int:
        return up(-(-elements(self._name, shape) // _PER_ITEM), GROUP)

    def launch(self, shape: Shape) -> Launch:
        """``peak_arithmetic``: each item leaves a digest of where its chains arrived."""
        items, (multiplier, addend) = self._items(shape), self._kind.factors
        words = (np.uint32(multiplier), np.uint32(addend), np.uint32(0), np.int32(self._kind.loops))
        return Launch(
            kernel="peak_arithmetic",
            arguments=("ramp", "out", *words),
            inputs={"ramp": Buffer((self._width,), "uint32")},
            output="out",
            output_shape=(items * self._width,),
            output_dtype="uint32",
            global_size=(items,),
            local_size=(GROUP,),
        )

    def inputs(self, shape: Shape, seed: int, session: int) -> dict[str, Array]:  # noqa: ARG002 - of any size
        """Where an item's chains begin: neighbours from a number on that changes with the data."""
        first = np.random.default_rng([seed, session]).integers(0, _STARTS, dtype=np.uint32)
        return {"ramp": np.arange(self._width, dtype=np.uint32) + first}

    def reference(self, shape: Shape, inputs: dict[str, Array]) -> Array:
        """By the definition of the chains; items of a group differ, and groups do not."""
        places = np.arange(GROUP, dtype=np.uint32)[:, None]
        words = digest(self._kind, places + inputs["ramp"][None, :], self._chains).reshape(-1)
        return np.tile(words, self._items(shape) // GROUP).astype(np.float64).reshape(1, -1)

    def error_unit(self, shape: Shape, inputs: dict[str, Array]) -> float:  # noqa: ARG002 - the protocol's
        """0: exact."""
        return 0.0

    def flops(self, shape: Shape) -> float:
        """A multiplication and an addition per step and number."""
        return 2.0 * STEPS_PER_LOOP * self._kind.loops * self._width * self._chains * self._items(shape)

    def bytes_moved(self, shape: Shape) -> float:
        """Each digest written once."""
        return 4.0 * self._width * self._items(shape)


LEVEL0_OPERATIONS: dict[str, LaunchedOperation] = {
    **{f"memory_{order}": Moved(order) for order in ("copy", "strided", "gather")},
    "arithmetic_float": Chained("arithmetic_float", width=8, chains=8),
    "arithmetic_float_dependent": Chained("arithmetic_float_dependent", width=1, chains=1),
}
