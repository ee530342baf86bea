"""The sampled T5 guard: a few rows and columns of C per check, drawn anew for each, with every sign vector."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyopencl as cl

from pytest_weekops.core.guard.abft import (
    column_sums,
    draw_lines,
    reference_sums,
    residual_sd,
    sampled_thresholds,
    sign_vector,
    usable,
)
from pytest_weekops.core.guard.evidence import Lines
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.catalog import GPU_CLASSES, device_class
from pytest_weekops.device.explanation import Product
from pytest_weekops.device.guard import CHECK_FILE, F32, F64, GPU_ITEMS, Check, Guard, check_source
from pytest_weekops.device.launcher import GemmLauncher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Shape

SAMPLE_FILE = "abft_sample.cl"
_SERIAL_ARGUMENT = 13


@dataclass
class _Sides:
    """One A and B with what a check compares with: bounds, and sums per sign vector.

    ``rows`` are vectors x m, ``columns`` vectors x n.
    """

    a: F32
    b: F32
    rows: F64
    columns: F64
    row_bounds: F64
    column_bounds: F64
    buffers: list[Any] = field(default_factory=list)
    kernel: Any = None


@dataclass
class SampledGuard(Guard):
    """The guard of one launcher where the settings ask for samples. ``source`` is ``abft_sample.cl``'s text."""

    can_follow: ClassVar[bool] = False  # its lines are drawn after the launch

    draw: int = 0  # which of the equally good draws: the snapshot's number
    _sides: list[_Sides] = field(default_factory=list)
    _vectors: list[Any] = field(default_factory=list)
    _last: Lines = field(default_factory=Lines)
    _seed: int = 0

    def _build(self) -> None:
        items = GPU_ITEMS if device_class(self.identity) in GPU_CLASSES else 1
        self._items = items
        self._program = self.programs.check(self.source, (f"-DITEMS={items}",), SAMPLE_FILE)
        most = sum(self.settings.lines(self.shape.m, self.shape.n))
        self._answer = np.zeros(most * self.settings.projections, dtype=np.int32)
        self._places = np.zeros(most, dtype=np.int32)
        flags = cl.mem_flags.READ_WRITE
        self._verdict = cl.Buffer(self.queue.context, flags, self._answer.nbytes)
        self._places_buffer = cl.Buffer(self.queue.context, flags, self._places.nbytes)
        cl.enqueue_copy(self.queue, self._verdict, self._answer, is_blocking=True)

    def _residual_sd(self, a: F32, b: F32) -> F64:
        return residual_sd(a, b, lanes=4 * self._items, items=self._items)

    def prepare(self, factors: Sequence[tuple[F32, F32]], *, seed: int, session: int) -> None:
        """New data: sums and bounds of every row and column for each A and B.

        Raises ``DeviceError`` for unusable bounds.
        """
        self._release()
        self._seed = seed
        alpha, shape, asked = float(np.float32(self.shape.alpha)), self.shape, self.settings
        numbers = range(asked.projections)
        self._signs = [sign_vector(shape.n, seed=seed, session=session, projection=p) for p in numbers]
        vs = [sign_vector(shape.m, seed=seed, session=session, projection=p, columns=True) for p in numbers]
        self._column_signs = vs
        self._vectors = [self._upload(np.concatenate(signs)) for signs in (self._signs, vs)]
        for a, b in factors:
            bounds = [
                usable(
                    sampled_thresholds(
                        abs(alpha) * sd, scale=asked.scale, margin=asked.residual_margin, floor=asked.residual_floor
                    )
                )
                for sd in (
                    residual_sd(*sides, lanes=4 * self._items, items=self._items) for sides in ((a, b), (b.T, a.T))
                )
            ]
            sides = _Sides(
                a=a,
                b=b,
                rows=alpha * np.stack([reference_sums(a, b, w) for w in self._signs]),
                columns=alpha * np.stack([column_sums(a, b, v) for v in vs]),
                row_bounds=bounds[0],
                column_bounds=bounds[1],
            )
            sides.buffers = [self._upload(x.ravel()) for x in (sides.rows, sides.columns, *bounds)]
            sides.kernel = self._bound_sides(sides)
            self._sides.append(sides)

    def _bound_sides(self, sides: _Sides) -> Any:
        """A kernel with everything set but the check's number."""
        kernel, i32 = cl.Kernel(self._program, "abft_sample"), np.int32
        rows, _columns = self.settings.lines(self.shape.m, self.shape.n)
        counts = (i32(rows), i32(self.settings.projections))
        shape = (i32(self.shape.m), i32(self.shape.n), i32(self.launcher.pitch))
        buffers = (self.launcher.output, *self._vectors, *sides.buffers, self._places_buffer)
        kernel.set_args(*buffers, *counts, *shape, i32(0), self._verdict)
        return kernel

    def blind(self) -> None:
        """Make every bound infinite, for the control that must fail."""
        for sides in self._sides:
            sides.row_bounds, sides.column_bounds = (np.full(x, np.inf) for x in (self.shape.m, self.shape.n))
            for buffer, bounds in zip(sides.buffers[2:], (sides.row_bounds, sides.column_bounds), strict=True):
                cl.enqueue_copy(self.queue, buffer, bounds.astype(np.float32), is_blocking=True)

    def set_sums(self, slot: int, sums: F64) -> None:
        """Replace a slot's row sums with the first sign vector on the device, for a fault in the reference itself."""
        cl.enqueue_copy(self.queue, self._sides[slot].buffers[0], sums.astype(np.float32), is_blocking=True)

    def sums(self, slot: int) -> F64:
        """The float64 row sums of a slot for the first sign vector (m)."""
        return np.asarray(self._sides[slot].rows[0])

    def bounds(self, slot: int) -> F64:
        """The bounds of a slot's rows (m)."""
        return self._sides[slot].row_bounds

    # -- checking ------------------------------------------------------------------------------------------------

    def check(self, slot: int, *, launch: int = 0) -> Check:
        """Draw the lines of this launch and check them; blocking, and timed with draw and read-back."""
        start = time.perf_counter_ns()
        bad = self._check(slot, self._draw(launch))
        return Check(time.perf_counter_ns() - start, bad)

    def _draw(self, launch: int) -> Lines:
        m, n = self.shape.m, self.shape.n
        rows, columns = self.settings.lines(m, n)
        return Lines(
            rows=draw_lines(m, rows, seed=self._seed, draw=self.draw, launch=launch),
            columns=draw_lines(n, columns, seed=self._seed, draw=self.draw, launch=launch, columns=True),
        )

    def _check(self, slot: int, lines: Lines) -> int:
        """Check these lines, as many as the settings ask for; how many are bad."""
        self._serial += 1
        self._last = lines
        self._places[:] = (*lines.rows, *lines.columns)
        cl.enqueue_copy(self.queue, self._places_buffer, self._places, is_blocking=False)
        kernel = self._sides[slot].kernel
        kernel.set_arg(_SERIAL_ARGUMENT, np.int32(self._serial))
        groups = self._answer.size
        cl.enqueue_nd_range_kernel(self.queue, kernel, (groups * self._items,), (self._items,))
        cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=True)
        found = self.bad_lines()
        return len(found.rows) + len(found.columns)

    def bad_lines(self) -> Lines:
        """Lines that the last check did not find good with every sign vector, unanswered ones included."""
        good = np.all((self._answer == self._serial).reshape(-1, self.settings.projections), axis=1)
        rows = len(self._last.rows)
        return Lines(
            rows=tuple(row for row, fine in zip(self._last.rows, good[:rows], strict=True) if not fine),
            columns=tuple(column for column, fine in zip(self._last.columns, good[rows:], strict=True) if not fine),
        )

    def bad_rows(self) -> list[int]:
        """The rows among the bad lines."""
        return list(self.bad_lines().rows)

    @property
    def drawn(self) -> Lines | None:
        """The lines that the last check looked at."""
        return self._last

    def residual_share(self, result: F32, slot: int) -> float:
        """Largest residual of any line of a result, looked at or not, in shares of its bound; float64 on the host."""
        sides, c = self._sides[slot], result.astype(np.float64)
        shares = []
        for place, (w, v) in enumerate(zip(self._signs, self._column_signs, strict=True)):
            shares.append(np.abs(c @ w.astype(np.float64) - sides.rows[place]) / sides.row_bounds)
            shares.append(np.abs(v.astype(np.float64) @ c - sides.columns[place]) / sides.column_bounds)
        return float(np.max(np.concatenate(shares)))

    # -- trust and a bad line --------------------------------------------------------------------------------------

    def _recheck(self, slot: int, row: int, column: int) -> Check:
        drawn = self._draw(0)
        lines = Lines(rows=_with(row, drawn.rows), columns=_with(column, drawn.columns))
        return Check(0, self._check(slot, lines))

    def _lines_of(self, row: int, column: int) -> Lines:
        rows, columns = self.settings.lines(self.shape.m, self.shape.n)
        return Lines(rows=(row,) if rows else (), columns=(column,) if columns else ())

    def _same_lines(self, slot: int) -> Check:
        return Check(0, self._check(slot, self._last))

    def _product(self, slot: int) -> Product:
        sides = self._sides[slot]
        alpha = float(np.float32(self.shape.alpha))
        return Product(sides.a, sides.b, alpha, sides.row_bounds, sides.column_bounds)

    def _release(self) -> None:
        for buffer in (*self._vectors, *(b for sides in self._sides for b in sides.buffers)):
            buffer.release()
        self._sides.clear()
        self._vectors = []

    def release(self) -> None:
        """Free the buffers."""
        super().release()
        self._places_buffer.release()


def _with(line: int, drawn: tuple[int, ...]) -> tuple[int, ...]:
    """As many lines as were drawn, this one among them."""
    others = [other for other in drawn if other != line]
    return tuple(sorted([line, *others][: len(drawn)])) if drawn else ()


def make_guard(
    device: OpenDevice,
    launcher: GemmLauncher,
    shape: Shape,
    kernel_dirs: Sequence[str],
    settings: GuardSettings,
    *,
    draw: int = 0,
    bound_units: float = 12.0,
    edit: Callable[[str], str] = lambda text: text,
) -> Guard:
    """The guard that the settings ask for; ``edit`` changes the check kernel's text, for controls that must fail."""
    parts = (device.queue, device.programs, device.identity, shape, launcher)
    if settings.mode == "full":
        return Guard(*parts, edit(check_source(kernel_dirs, CHECK_FILE)), settings, bound_units)
    return SampledGuard(*parts, edit(check_source(kernel_dirs, SAMPLE_FILE)), settings, bound_units, draw=draw)
