"""The T5 guard on a device: checks a launch's rows against sums that were known before it, and explains a bad one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.abft import Z, differing_bits, reference_sums, second_b, sign_vector, thresholds
from pytest_weekops.core.catalog import device_class
from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.records import DeviceIdentity
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.program import build

CHECK_FILE = "abft_check.cl"
_GPU_ITEMS = 64
_ROWS_PER_GROUP = 16
_EXPLAINED_ROWS = 8

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Guarded(Protocol):
    """What the guard needs of a launcher: its output buffer, its row pitch, and launches on either B."""

    @property
    def output(self) -> Any:
        """The buffer of C."""

    @property
    def pitch(self) -> int:
        """Floats from one row of C to the next."""

    def use(self, slot: int) -> None:
        """Take B number ``slot`` from the next launch on."""

    def enqueue(self) -> Sequence[Any]:
        """Enqueue one launch."""

    def read(self) -> F32:
        """The result (m x n), blocking."""


@dataclass(frozen=True)
class Check:
    """One check: nanoseconds on the host clock, and how many rows were bad."""

    ns: int
    bad: int


@dataclass(frozen=True)
class Caught:
    """A bad row, explained: ``real`` is false where every element is within its bound, so that the alarm was false."""

    real: bool
    text: str


@dataclass
class _Slot:
    """One B with what the check compares with: sums and bounds on the device, and in float64 on the host."""

    b: F32
    bounds: F64
    sums: list[F64] = field(default_factory=list)
    limits: Any = None
    buffers: list[Any] = field(default_factory=list)
    kernels: list[Any] = field(default_factory=list)


def check_defines(identity: DeviceIdentity, pitch: int) -> dict[str, int]:
    """The ``-D`` values of the check kernel on a device.

    Clover gets the scalar variant: its compiler is the one that breaks on vectors.
    """
    kind = device_class(identity)
    if kind == "gpu":
        return {"ITEMS": _GPU_ITEMS, "ROWS": 1, "VW": 1}
    if kind == "clover":
        return {"ITEMS": 1, "ROWS": _ROWS_PER_GROUP, "VW": 1}
    widest = {"avx512": 16, "avx512-intel": 16, "cpu": 8, "llvmpipe": 8, "baseline-x86": 4}[kind]
    width = next(width for width in (16, 8, 4, 1) if width <= widest and pitch % width == 0)
    return {"ITEMS": 1, "ROWS": _ROWS_PER_GROUP, "VW": width}


@dataclass
class Guard:
    """The guard of one launcher on one shape. ``source`` is the check kernel's text; beta must be 0."""

    queue: Any
    device: Any
    identity: DeviceIdentity
    shape: Shape
    launcher: Guarded
    source: str
    z: float = Z
    bound_units: float = 12.0
    _slots: list[_Slot] = field(default_factory=list)
    _w: list[Any] = field(default_factory=list)
    _signs: list[F32] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        """Build the check kernel and allocate its counters. Raises ``BuildError`` and pyopencl's errors."""
        if self.shape.beta != 0.0:
            raise DeviceError(f"The guard checks C = alpha A B; a launch with beta = {self.shape.beta} has no sums.")
        self._defines = check_defines(self.identity, self.launcher.pitch)
        options = tuple(f"-D{name}={value}" for name, value in self._defines.items())
        program = build(self.queue.context, self.device, self.source, options, CHECK_FILE)
        self._program = program
        zeros = np.zeros(self.shape.m, dtype=np.int32)
        flags = cl.mem_flags.READ_WRITE
        self._verdict = cl.Buffer(self.queue.context, flags, 4 * self.shape.m)
        cl.enqueue_copy(self.queue, self._verdict, zeros, is_blocking=True)
        self._answer = zeros

    def prepare(self, a: F32, bs: Sequence[F32], *, seed: int, session: int, projections: int = 1) -> None:
        """New data: the sums and bounds of each B, in float64 on the host and rounded on the device.

        Checks take ``projections`` sign vectors in turn.
        """
        self._release()
        self._a = a
        alpha = float(np.float32(self.shape.alpha))
        numbers = range(projections)
        self._signs = [sign_vector(self.shape.n, seed=seed, session=session, projection=p) for p in numbers]
        self._w = [self._upload(signs) for signs in self._signs]
        for b in bs:
            slot = _Slot(b, abs(alpha) * thresholds(a, b, z=self.z))
            slot.sums = [alpha * reference_sums(a, b, signs) for signs in self._signs]
            slot.limits = self._upload(slot.bounds)
            slot.buffers = [self._upload(sums) for sums in slot.sums]
            slot.kernels = [self._bound(w, sums, slot.limits) for w, sums in zip(self._w, slot.buffers, strict=True)]
            self._slots.append(slot)

    def _bound(self, w: Any, sums: Any, limits: Any) -> Any:
        """A kernel with everything set but the check's number, which is all that a check then has to set."""
        kernel = cl.Kernel(self._program, "abft_check")
        shape = (np.int32(self.shape.m), np.int32(self.shape.n), np.int32(self.launcher.pitch))
        kernel.set_args(self.launcher.output, w, sums, limits, *shape, np.int32(0), self._verdict)
        return kernel

    def _upload(self, values: F32 | F64) -> Any:
        flags = cl.mem_flags
        return cl.Buffer(self.queue.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=values.astype(np.float32))

    def set_bounds(self, slot: int, bounds: F64) -> None:
        """Replace a slot's bounds, for controls that must fail."""
        self._slots[slot].bounds = bounds
        cl.enqueue_copy(self.queue, self._slots[slot].limits, bounds.astype(np.float32), is_blocking=True)

    def set_sums(self, slot: int, sums: F64) -> None:
        """Replace a slot's sums on the device, for a fault in the reference itself."""
        cl.enqueue_copy(self.queue, self._slots[slot].buffers[0], sums.astype(np.float32), is_blocking=True)

    def sums(self, slot: int) -> F64:
        """The float64 sums of a slot for the first sign vector (m)."""
        return self._slots[slot].sums[0]

    def bounds(self, slot: int) -> F64:
        """The bounds of a slot (m)."""
        return self._slots[slot].bounds

    def check(self, slot: int) -> Check:
        """Check the C that is on the device as a launch on this slot's B; blocking, and timed with its read-back."""
        self._serial += 1
        turn = self._serial % len(self._w)
        data = self._slots[slot]
        start = time.perf_counter_ns()
        kernel = data.kernels[turn]
        kernel.set_arg(7, np.int32(self._serial))
        items, rows = self._defines["ITEMS"], self._defines["ROWS"]
        groups = -(-self.shape.m // rows)
        cl.enqueue_nd_range_kernel(self.queue, kernel, (groups * items,), (items,))
        cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=True)
        bad = self.shape.m - int(np.count_nonzero(self._answer == self._serial))
        return Check(time.perf_counter_ns() - start, bad)

    def bad_rows(self) -> list[int]:
        """Rows that the last check did not find good, those included that it did not answer for."""
        return [int(i) for i in np.flatnonzero(self._answer != self._serial)]

    def residual_share(self, result: F32, slot: int) -> float:
        """Largest residual of a result in shares of its bound, in float64 on the host: how far a good launch is off."""
        data = self._slots[slot]
        sums = result.astype(np.float64) @ self._signs[0].astype(np.float64)
        return float(np.max(np.abs(sums - data.sums[0]) / data.bounds))

    # -- trust ---------------------------------------------------------------------------------------------------

    def self_test(self, slot: int) -> str:
        """Plant one flip in the C on the device, find exactly its row, take it back. A sentence where that failed."""
        if self.check(slot).bad:
            return "the launch before the planted flip was bad already"
        row, column = self.shape.m // 2, self.shape.n // 3
        offset = 4 * (row * self.launcher.pitch + column)
        value = np.empty(1, dtype=np.float32)
        cl.enqueue_copy(self.queue, value, self.launcher.output, src_offset=offset, is_blocking=True)
        planted = (value.view(np.uint32) ^ np.uint32(1 << 29)).view(np.float32)
        cl.enqueue_copy(self.queue, self.launcher.output, planted, dst_offset=offset, is_blocking=True)
        found = self.check(slot)
        rows = self.bad_rows()
        cl.enqueue_copy(self.queue, self.launcher.output, value, dst_offset=offset, is_blocking=True)
        if found.bad != 1 or rows != [row]:
            return f"a flip planted in row {row} was answered with {found.bad} bad rows ({rows[:4]})"
        if self.check(slot).bad:
            return "the check still found a bad row after the planted flip was taken back"
        return ""

    # -- a bad row -----------------------------------------------------------------------------------------------

    def explain(self, slot: int) -> Caught:
        """What the last check found: row, column, value, size against the bound, bits, and whether it repeats."""
        rows = self.bad_rows()
        result = self.launcher.read()
        worst, places = self._worst(result, rows[:_EXPLAINED_ROWS], slot)
        self.launcher.use(slot)
        self.launcher.enqueue()
        self.queue.finish()
        again = self.bad_rows() if self.check(slot).bad else []
        repeats = (
            "a relaunch gave the same rows: deterministic"
            if again == rows
            else f"a relaunch gave {len(again)} bad rows: transient"
            if not again
            else f"a relaunch gave other bad rows ({len(again)}): not deterministic"
        )
        many = f"{len(rows)} bad rows, the first {rows[0]}" if rows else "no bad row was named"
        return Caught(real=worst, text=f"{many}; {places}; {repeats}")

    def _worst(self, result: F32, rows: Sequence[int], slot: int) -> tuple[bool, str]:
        """Whether an element of these rows is beyond its bound, and the worst one in words."""
        if not rows:
            return True, "the rows could not be told"
        data = self._slots[slot]
        alpha = float(np.float32(self.shape.alpha))
        exact = alpha * (self._a[list(rows)].astype(np.float64) @ data.b.astype(np.float64))
        found = result[list(rows)].astype(np.float64)
        error = np.abs(found - exact)
        error[~np.isfinite(error)] = np.inf
        place, column = np.unravel_index(int(np.argmax(error)), error.shape)
        row, size = rows[int(place)], float(error[place, column])
        value, right = float(found[place, column]), float(exact[place, column])
        bits = ", ".join(map(str, differing_bits(value, right))) or "none"
        # An element's own bound: the row's, less its sqrt(n) terms and with the gate's units in place of z.
        unit = float(data.bounds[row]) / (self.z * 0.36 * np.sqrt(self.shape.n))
        bound = float(data.bounds[row])
        text = (
            f"row {row}, column {column}: {value!r} where {right!r} is right, off by {size / bound:.3g} thresholds "
            f"of {bound:.3g}, bits {bits}"
        )
        return not size <= self.bound_units * unit, text

    # -- the end -------------------------------------------------------------------------------------------------

    def _release(self) -> None:
        """Free what belongs to one set of data."""
        for buffer in (*self._w, *(b for slot in self._slots for b in (slot.limits, *slot.buffers))):
            buffer.release()
        self._slots.clear()
        self._w = []

    def release(self) -> None:
        """Free the buffers."""
        self._release()
        self._verdict.release()


def check_source(kernel_dirs: Sequence[str]) -> str:
    """The shipped check kernel's text: always the last directory's, so that nobody's own kernels replace the guard."""
    return (Path(kernel_dirs[-1]) / CHECK_FILE).read_text(encoding="utf-8")


def second_inputs(shape: Shape, *, seed: int, session: int) -> F32:
    """The B that takes turns with the problem's own."""
    return second_b(shape.k, shape.n, seed=seed, session=session)
