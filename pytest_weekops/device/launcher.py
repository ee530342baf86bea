"""Buffers and NDRanges of one variant on one problem: upload, poison, enqueue, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.device.described_launcher import DescribedLauncher
from pytest_weekops.device.digest import Area
from pytest_weekops.device.operation import (
    Array,
    HostDriven,
    HostWork,
    LaunchedAsBuilt,
    LaunchedOperation,
    Operation,
    Shape,
)
from pytest_weekops.device.program import Programs, kernels_of
from pytest_weekops.device.zones import Zones
from pytest_weekops.files.kernel_sources import Source

_PACK_DEPTH = 512  # PACK_DEPTH of gemm_packed.cl
_MARGIN = 16  # columns of B and C are padded to this at least
LAUNCHED = ("vector", "steps", "own")  # layouts whose operation describes its launch
_REGISTER_BLOCKS = ("block", "lanes", "regtile", "packed")  # their rows are padded to whole register blocks

F32 = NDArray[np.float32]


class Launcher(Protocol):
    """A variant ready to be launched again and again on one problem shape, on two sets of inputs (0 and 1)."""

    def upload(self, inputs: Mapping[str, Array], slot: int = 0) -> None:
        """Copy a set of inputs to the device, blocking; the first one is the one in use then."""

    def use(self, slot: int) -> None:
        """Take this set of inputs from the next launch on. Writes nothing to the device."""

    def poison(self) -> None:
        """Overwrite the output (with NaN, or with C where beta reads it), blocking."""

    def enqueue(self) -> Sequence[Any]:
        """Enqueue one launch, packing included; its events in order."""

    def read(self) -> Array:
        """The result (m x n), blocking."""

    @property
    def output(self) -> Any:
        """The buffer of the result."""

    @property
    def area(self) -> Area:
        """Where the result lies in it."""

    def damage(self) -> str:
        """What was written beside any buffer, in words, or nothing; the zones are whole again afterwards."""

    def release(self) -> None:
        """Free the buffers."""


def make_launcher(
    queue: Any, programs: Programs, source: Source, shape: Shape, operation: Operation | None = None
) -> Launcher:
    """The launcher for a source's layout; all but GEMM's need the operation, which describes its launch.

    Raises ``BuildError`` and pyopencl's errors.
    """
    if source.entry.layout not in LAUNCHED:
        return GemmLauncher(queue, programs, source, shape)
    if not isinstance(operation, LaunchedOperation):
        raise DeviceError(f"{source.path.name} computes {source.entry.operation}, and only GEMM can be launched here.")
    drive = partial(_drive, operation, shape) if isinstance(operation, HostDriven) else None
    if isinstance(operation, LaunchedAsBuilt):
        launch = operation.launch_as(shape, programs.defines(source))
    else:
        launch = operation.launch(shape)
    return DescribedLauncher(queue, programs, source, launch, drive)


def _drive(operation: HostDriven, shape: Shape, work: HostWork) -> Sequence[Any]:
    return operation.drive(work, shape)


def _up(value: int, multiple: int) -> int:
    return (value + multiple - 1) // multiple * multiple


class GemmLauncher:
    """GEMM in any of its layouts. B and C have padded rows (ldb, ldc), A has none (lda = k)."""

    def __init__(self, queue: Any, programs: Programs, source: Source, shape: Shape) -> None:
        self._queue, self._shape, self._entry = queue, shape, source.entry
        defines = programs.defines(source)
        self._mr = defines.get("MR", 1)
        self._lanes, self._lines = defines.get("LANES", 1), defines.get("LINES", 1)
        self._nr = defines.get("NV", 1) * defines.get("VW", 1) * self._lanes
        self._mt, self._nt = defines.get("MT", 8), defines.get("NT", 4)
        tile = max(source.entry.tile, 1)
        pitch = _up(_MARGIN, self._nr)  # a multiple of NR, or the last block of a row would reach into the next
        self._ld = _up(shape.n, pitch if source.entry.layout in _REGISTER_BLOCKS else 1)
        self._rows = _up(shape.m, max(self._mr * self._lines, 1))
        self._kernels = kernels_of(programs.get(source))
        if "gemm" not in self._kernels:
            raise DeviceError(f"{source.path.name} has no kernel named gemm. Nothing could be launched. Name it so.")
        self._tile = tile
        self._zones = Zones(queue)
        self._addends: list[F32] = []
        self._slot = 0
        self._padded = np.zeros((shape.k, self._ld), dtype=np.float32)
        self._poison = np.full((self._rows, self._ld), np.nan, dtype=np.float32)
        self._allocate()

    def _allocate(self) -> None:
        shape = self._shape
        sizes = {"A": shape.m * shape.k, "B": shape.k * self._ld, "C": self._rows * self._ld}
        if self._entry.layout == "packed":
            sizes["Ap"] = _up(shape.m, self._mr) * shape.k
            sizes["Bp"] = _up(shape.n, self._nr) * shape.k
        for name, count in sizes.items():
            self._zones.add(name, 4 * count, 4 * max(self._ld, shape.k), is_scratch=name in ("Ap", "Bp"))
        self._bind()

    @property
    def _buffers(self) -> Mapping[str, Any]:
        return self._zones.buffers

    def _bind(self) -> None:
        """Set the arguments once: they do not change between launches."""
        shape, buffers = self._shape, self._buffers
        i32, f32 = np.int32, np.float32
        sizes = (i32(shape.m), i32(shape.n), i32(shape.k))
        scalars = (f32(shape.alpha), f32(shape.beta))
        gemm = self._kernels["gemm"]
        if self._entry.layout == "packed":
            self._kernels["pack_a"].set_args(buffers["A"], buffers["Ap"], i32(shape.m), i32(shape.k))
            self._kernels["pack_b"].set_args(buffers["B"], buffers["Bp"], i32(shape.k), i32(self._ld))
            gemm.set_args(buffers["Ap"], buffers["Bp"], buffers["C"], *sizes, i32(self._ld), *scalars)
        else:
            leading = (i32(self._ld), i32(self._ld))
            gemm.set_args(buffers["A"], buffers["B"], buffers["C"], *sizes, *leading, *scalars)

    def upload(self, inputs: Mapping[str, Array], slot: int = 0) -> None:
        """Copy A and a padded B to the device, and keep C for :meth:`poison` where beta is not 0."""
        names = self._inputs(slot)
        for name, size in zip(names, (self._shape.m * self._shape.k, self._shape.k * self._ld), strict=True):
            if name not in self._buffers:
                self._zones.add(name, 4 * size, 4 * max(self._ld, self._shape.k))
        cl.enqueue_copy(self._queue, self._buffers[names[0]], np.ascontiguousarray(inputs["A"]), is_blocking=True)
        self._padded[:, : self._shape.n] = inputs["B"]
        cl.enqueue_copy(self._queue, self._buffers[names[1]], self._padded, is_blocking=True)
        self._addends = self._addends[:slot]
        if "C" in inputs:
            self._addends.append(np.zeros((self._rows, self._ld), dtype=np.float32))
            self._addends[slot][: self._shape.m, : self._shape.n] = inputs["C"]
        self.use(0)

    @staticmethod
    def _inputs(slot: int) -> tuple[str, str]:
        return ("A2", "B2") if slot else ("A", "B")

    def use(self, slot: int) -> None:
        """Take the first (0) or the second A and B (1) from the next launch on."""
        self._slot = slot
        a, b = (self._buffers[name] for name in self._inputs(slot))
        if self._entry.layout == "packed":
            self._kernels["pack_a"].set_arg(0, a)
            self._kernels["pack_b"].set_arg(0, b)
        else:
            self._kernels["gemm"].set_arg(0, a)
            self._kernels["gemm"].set_arg(1, b)

    @property
    def output(self) -> Any:
        """The buffer of C."""
        return self._buffers["C"]

    @property
    def pitch(self) -> int:
        """Floats from one row of C to the next."""
        return self._ld

    @property
    def area(self) -> Area:
        """M rows of n floats, without the padding."""
        return Area(self._shape.m, self._shape.n, self._ld, self._rows * self._ld)

    def damage(self) -> str:
        """What was written beside any buffer."""
        return self._zones.damage()

    def poison(self) -> None:
        """Fill C with NaN, or restore the C that beta reads."""
        content = self._addends[self._slot] if self._addends else self._poison
        cl.enqueue_copy(self._queue, self._buffers["C"], content, is_blocking=True)

    def put(self, content: F32) -> None:
        """Overwrite C (m x n) as if a launch had left it so, blocking."""
        whole = np.zeros((self._rows, self._ld), dtype=np.float32)
        whole[: self._shape.m, : self._shape.n] = content
        cl.enqueue_copy(self._queue, self._buffers["C"], whole, is_blocking=True)

    def enqueue(self) -> Sequence[Any]:
        """One launch: the pre-kernels where there are any, then GEMM."""
        shape, queue = self._shape, self._queue
        if self._entry.layout == "packed":
            panels_m, panels_n = -(-shape.m // self._mr), -(-shape.n // self._nr)
            steps = -(-shape.k // _PACK_DEPTH)
            run = cl.enqueue_nd_range_kernel
            return (
                run(queue, self._kernels["pack_a"], (panels_m, steps), (1, 1)),
                run(queue, self._kernels["pack_b"], (panels_n, steps), (1, 1)),
                run(queue, self._kernels["gemm"], (-(-panels_n // self._nt), -(-panels_m // self._mt)), (1, 1)),
            )
        return (cl.enqueue_nd_range_kernel(queue, self._kernels["gemm"], *self._range()),)

    def _range(self) -> tuple[tuple[int, int], tuple[int, int] | None]:
        shape = self._shape
        if self._entry.layout == "tile":
            half = self._tile // 2
            return (_up(shape.n, self._tile) // 2, _up(shape.m, self._tile) // 2), (half, half)
        if self._entry.layout in _REGISTER_BLOCKS:
            return (-(-shape.n // self._nr) * self._lanes, self._rows // self._mr), (self._lanes, self._lines)
        return (shape.n, shape.m), None

    def read(self) -> F32:
        """C without its padding."""
        whole = np.empty((self._rows, self._ld), dtype=np.float32)
        cl.enqueue_copy(self._queue, whole, self._buffers["C"], is_blocking=True)
        return whole[: self._shape.m, : self._shape.n]

    def release(self) -> None:
        """Free the buffers."""
        self._zones.release()
