"""The T5 guard on a device: checks every row of a launch against sums that were known before it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.guard.abft import reference_sums, sign_vector, thresholds, usable
from pytest_weekops.core.guard.evidence import Lines
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.catalog import GPU_CLASSES, device_class
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.device.chain import broken, first_broken
from pytest_weekops.device.explanation import Caught, Product, explain
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.program import Programs
from pytest_weekops.files.kernel_sources import expand

CHECK_FILE = "abft_check.cl"
GPU_ITEMS = 64
_ROWS_PER_GROUP = 16
_PLANTED_BIT = 30  # flipping it moves any float by 2 at least: one below 2 grows, any other all but vanishes

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Guarded(Protocol):
    """What the guard needs of a launcher: its output buffer, its row pitch, and launches on either set of inputs."""

    @property
    def output(self) -> Any:
        """The buffer of C."""

    @property
    def pitch(self) -> int:
        """Floats from one row of C to the next."""

    def use(self, slot: int) -> None:
        """Take A and B number ``slot`` from the next launch on."""

    def enqueue(self) -> Sequence[Any]:
        """Enqueue one launch."""

    def read(self) -> F32:
        """The result (m x n), blocking."""


@dataclass(frozen=True)
class Check:
    """One check: nanoseconds on the host clock, and how many rows were bad."""

    ns: int
    bad: int


@dataclass
class _Slot:
    """One A and B with what the check compares with: sums and bounds on the device, and in float64 on the host."""

    a: F32
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
    if kind in GPU_CLASSES:
        return {"ITEMS": GPU_ITEMS, "ROWS": 1, "VW": 1}
    if kind == "clover":
        return {"ITEMS": 1, "ROWS": _ROWS_PER_GROUP, "VW": 1}
    widest = {"avx512": 16, "avx512-intel": 16, "cpu": 8, "llvmpipe": 8, "baseline-x86": 4}[kind]
    width = next(width for width in (16, 8, 4, 1) if width <= widest and pitch % width == 0)
    return {"ITEMS": 1, "ROWS": _ROWS_PER_GROUP, "VW": width}


@dataclass
class Guard:
    """The guard of one launcher on one shape. ``source`` is the check kernel's text; beta must be 0."""

    queue: Any
    programs: Programs
    identity: DeviceIdentity
    shape: Shape
    launcher: Guarded
    source: str
    settings: GuardSettings = field(default_factory=GuardSettings)
    bound_units: float = 12.0
    _slots: list[_Slot] = field(default_factory=list)
    _w: list[Any] = field(default_factory=list)
    _signs: list[F32] = field(default_factory=list)
    _serial: int = 0
    _staging: Any = None
    _pending: Any = None  # the last event of a check that was enqueued behind its launch
    _begun: int | None = None  # the check that a chain began behind

    can_follow: ClassVar[bool] = True  # whether a check can be enqueued behind its launch

    def __post_init__(self) -> None:
        """Build the check kernel and allocate its counters. Raises ``BuildError`` and pyopencl's errors."""
        if self.shape.beta != 0.0:
            raise DeviceError(f"The guard checks C = alpha A B; a launch with beta = {self.shape.beta} has no sums.")
        self._build()

    def _build(self) -> None:
        self._defines = check_defines(self.identity, self.launcher.pitch)
        options = tuple(f"-D{name}={value}" for name, value in self._defines.items())
        program = self.programs.check(self.source, options, CHECK_FILE)
        self._program = program
        flags = cl.mem_flags
        self._verdict = cl.Buffer(self.queue.context, flags.READ_WRITE, 4 * self.shape.m)
        # Mapped memory of the driver's own: reading into any other may not return before the queue is empty.
        self._staging = cl.Buffer(self.queue.context, flags.READ_WRITE | flags.ALLOC_HOST_PTR, 4 * self.shape.m)
        self._answer = _mapped(self.queue, self._staging, self.shape.m)
        self._answer[:] = 0
        cl.enqueue_copy(self.queue, self._verdict, self._answer, is_blocking=True)

    def prepare(self, factors: Sequence[tuple[F32, F32]], *, seed: int, session: int) -> None:
        """New data: the sums and bounds of each A and B, in float64 on the host and rounded on the device.

        Checks take the settings' sign vectors in turn. Raises ``DeviceError`` for a bound that is no number above 0.
        """
        self._release()
        self._begun = None
        alpha = float(np.float32(self.shape.alpha))
        numbers, items = range(self.settings.projections), self._defines["ITEMS"]
        self._signs = [sign_vector(self.shape.n, seed=seed, session=session, projection=p) for p in numbers]
        self._w = [self._upload(signs) for signs in self._signs]
        for a, b in factors:
            bounds = thresholds(a, b, z=self.settings.z, lanes=4 * self._defines["VW"] * items, items=items)
            slot = _Slot(a, b, usable(abs(alpha) * bounds))
            slot.sums = [alpha * reference_sums(a, b, signs) for signs in self._signs]
            slot.limits = self._upload(slot.bounds)
            slot.buffers = [self._upload(sums) for sums in slot.sums]
            slot.kernels = [self._bound(w, sums, slot.limits) for w, sums in zip(self._w, slot.buffers, strict=True)]
            self._slots.append(slot)

    def _bound(self, w: Any, sums: Any, limits: Any) -> Any:
        """A kernel with everything set but the check's number, which is all that a check then has to set."""
        kernel = cl.Kernel(self._program, "abft_check")
        shape = (np.int32(self.shape.m), np.int32(self.shape.n), np.int32(self.launcher.pitch))
        kernel.set_args(self.launcher.output, w, sums, limits, *shape, np.int32(0), np.int32(0), self._verdict)
        return kernel

    def _upload(self, values: F32 | F64) -> Any:
        flags = cl.mem_flags
        return cl.Buffer(self.queue.context, flags.READ_WRITE | flags.COPY_HOST_PTR, hostbuf=values.astype(np.float32))

    def blind(self) -> None:
        """Make every bound infinite, for the control that must fail."""
        for slot in self._slots:
            slot.bounds = np.full(self.shape.m, np.inf)
            cl.enqueue_copy(self.queue, slot.limits, slot.bounds.astype(np.float32), is_blocking=True)

    def set_sums(self, slot: int, sums: F64) -> None:
        """Replace a slot's sums on the device, for a fault in the reference itself."""
        cl.enqueue_copy(self.queue, self._slots[slot].buffers[0], sums.astype(np.float32), is_blocking=True)

    def sums(self, slot: int) -> F64:
        """The float64 sums of a slot for the first sign vector (m)."""
        return self._slots[slot].sums[0]

    def bounds(self, slot: int) -> F64:
        """The bounds of a slot (m)."""
        return self._slots[slot].bounds

    def check(self, slot: int, *, launch: int = 0) -> Check:  # noqa: ARG002 - a sampled guard draws its lines by it
        """Check the C that is on the device as a launch on this slot's inputs; blocking, and timed with its read-back.

        Where :meth:`follow` enqueued the check, this waits for it: the time is what it adds to the launch. In a chain
        nothing is read back, and none is bad before :meth:`end_chain`.
        """
        start = time.perf_counter_ns()
        pending, self._pending = self._pending, None
        if pending is None:
            pending = self._enqueue(slot)
            if not self.is_chained:
                cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=True)
        pending.wait()
        bad = 0 if self.is_chained else self.shape.m - int(np.count_nonzero(self._answer == self._serial))
        return Check(time.perf_counter_ns() - start, bad)

    def follow(self, slot: int) -> None:
        """Enqueue the check of the launch before it in the queue, without waiting; :meth:`check` waits."""
        self._pending = self._enqueue(slot)
        if not self.is_chained:
            self._pending = cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=False)

    def _enqueue(self, slot: int) -> Any:
        self._serial += 1
        kernel = self._slots[slot].kernels[self._serial % len(self._w)]
        kernel.set_arg(7, np.int32(self._serial))
        kernel.set_arg(8, np.int32(self.is_chained))
        items, rows = self._defines["ITEMS"], self._defines["ROWS"]
        groups = -(-self.shape.m // rows)
        return cl.enqueue_nd_range_kernel(self.queue, kernel, (groups * items,), (items,))

    def bad_rows(self) -> list[int]:
        """Rows that the last check did not find good, those included that it did not answer for.

        Behind a chain those that one of its checks did not.
        """
        return broken(self._answer, self._serial)

    @property
    def is_chained(self) -> bool:
        """Whether verdicts stay on the device, each row's behind that of the check before."""
        return self._begun is not None

    def begin_chain(self) -> None:
        """Leave verdicts on the device from the next check on, until :meth:`end_chain`."""
        self._answer[:] = self._begun = self._serial
        cl.enqueue_copy(self.queue, self._verdict, self._answer, is_blocking=True)

    def end_chain(self) -> int:
        """Read the verdicts back: the first check since :meth:`begin_chain`, from 1, that found a bad row; 0: none."""
        begun, self._begun = self._begun, None
        assert begun is not None
        cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=True)
        return first_broken(self._answer, begun, self._serial) if self.bad_rows() else 0

    def bad_lines(self) -> Lines:
        """The same as lines; no column is summed here."""
        return Lines(rows=tuple(self.bad_rows()))

    @property
    def drawn(self) -> Lines | None:
        """The lines that the last check looked at, where they were drawn; None: all rows."""
        return None

    def residual_share(self, result: F32, slot: int) -> float:
        """Largest residual of a result in shares of its bound, in float64 on the host: how far a good launch is off."""
        data = self._slots[slot]
        sums = result.astype(np.float64) @ self._signs[0].astype(np.float64)
        return float(np.max(np.abs(sums - data.sums[0]) / data.bounds))

    # -- trust ---------------------------------------------------------------------------------------------------

    def self_test(self, slot: int) -> str:
        """Plant one flip in the C on the device, find exactly its lines, take it back. A sentence where that failed."""
        row, column = self.shape.m // 2, self.shape.n // 3
        if self._recheck(slot, row, column).bad:
            return "the launch before the planted flip was bad already"
        offset = 4 * (row * self.launcher.pitch + column)
        value = np.empty(1, dtype=np.float32)
        cl.enqueue_copy(self.queue, value, self.launcher.output, src_offset=offset, is_blocking=True)
        planted = (value.view(np.uint32) ^ np.uint32(1 << _PLANTED_BIT)).view(np.float32)
        cl.enqueue_copy(self.queue, self.launcher.output, planted, dst_offset=offset, is_blocking=True)
        self._recheck(slot, row, column)
        found, wanted = self.bad_lines(), self._lines_of(row, column)
        cl.enqueue_copy(self.queue, self.launcher.output, value, dst_offset=offset, is_blocking=True)
        if found != wanted:
            answer = f"{len(found.rows)} bad rows {list(found.rows[:4])}"
            answer += f" and {len(found.columns)} bad columns {list(found.columns[:4])}" if wanted.columns else ""
            return f"a flip planted in row {row}, column {column} was answered with {answer}"
        if self._recheck(slot, row, column).bad:
            return "the check still found a bad line after the planted flip was taken back"
        return ""

    def _recheck(self, slot: int, row: int, column: int) -> Check:  # noqa: ARG002 - every row is looked at
        """Check lines among which a planted flip must be found."""
        return self.check(slot)

    def _lines_of(self, row: int, column: int) -> Lines:  # noqa: ARG002 - no column is summed here
        """The lines that are bad where this element is, and no other."""
        return Lines(rows=(row,))

    # -- a bad line ----------------------------------------------------------------------------------------------

    def explain(self, slot: int) -> Caught:
        """What the last check found: row, column, value, size against the bound, bits, and whether it repeats."""
        lines, result = self.bad_lines(), self.launcher.read()

        def again() -> Lines:
            self.launcher.use(slot)
            self.launcher.enqueue()
            self.queue.finish()
            self._same_lines(slot)
            return self.bad_lines()

        return explain(self._product(slot), result, lines, again, bound_units=self.bound_units)

    def _same_lines(self, slot: int) -> Check:
        """Check the lines of the last check once more."""
        return self.check(slot)

    def _product(self, slot: int) -> Product:
        data = self._slots[slot]
        return Product(a=data.a, b=data.b, alpha=float(np.float32(self.shape.alpha)), row_bounds=data.bounds)

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
        if self._staging is not None:
            self._answer.base.release(self.queue)
            self._staging.release()


def _mapped(queue: Any, staging: Any, count: int) -> Any:
    """A buffer's ``count`` int32 in host memory, for as long as it lives."""
    access: Any = cl.map_flags.READ | cl.map_flags.WRITE
    map_buffer: Any = cl.enqueue_map_buffer
    return map_buffer(queue, staging, access, 0, (count,), np.int32)[0]


def check_source(kernel_dirs: Sequence[str], name: str = CHECK_FILE) -> str:
    """The shipped check kernel's whole text: always the last directory's, so that nobody's own replaces the guard."""
    return expand(Path(kernel_dirs[-1]) / name)
