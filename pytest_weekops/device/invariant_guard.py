"""The guard of a workload on a device: checks its invariant behind a launch, and reads the verdicts back once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.guard.abft import usable
from pytest_weekops.core.guard.invariants import as_words, multiset_hash, stretch_bounds, stretch_sums, word_sums
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.device.chain import broken, first_broken, named
from pytest_weekops.device.described_launcher import DescribedLauncher
from pytest_weekops.device.guard import check_defines, check_source
from pytest_weekops.device.invariant import Invariant, Ordered, Sums, Words, columns_of, rows_of
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Array
from pytest_weekops.device.program import Programs

Control = Literal["", "infinite-threshold", "idle-check"]

FILES = {Words: "abft_words.cl", Sums: "abft_sums.cl", Ordered: "abft_order.cl"}
_MOST_ROWS = 16  # of a work-group
_MOST_STEPS = 32_768  # of a work-item, half of what llvmpipe allows
_CONTROLS: dict[Control, int] = {"": 0, "infinite-threshold": 1, "idle-check": 2}
_PLANTED_BIT = 30  # flipping it moves any float by 2 at least


def row_defines(identity: DeviceIdentity, columns: int, *, control: Control = "") -> dict[str, int]:
    """The ``-D`` values of the guards' kernels on a device, for rows of so many elements."""
    found = {**check_defines(identity, columns), "CONTROL": _CONTROLS[control]}
    if found["ITEMS"] > 1:  # a GPU: a group for each row
        return found
    return {**found, "ROWS": max(1, min(_MOST_ROWS, _MOST_STEPS // columns))}


@dataclass
class _Slot:
    """What a launch on one set of inputs is held to: on the host, and as kernels with their arguments set."""

    invariant: Invariant
    bounds: NDArray[np.float64] | None
    expected: Any
    steps: list[tuple[Any, int, int]] = field(default_factory=list)  # kernel, work-groups, place of the serial
    buffers: list[Any] = field(default_factory=list)


@dataclass
class InvariantGuard:
    """The guard of one launcher. ``bound_units`` are the error units that an element of a right result may be off.

    Its verdicts are a chain on the device (:mod:`~pytest_weekops.device.chain`).
    """

    queue: Any
    programs: Programs
    identity: DeviceIdentity
    launcher: DescribedLauncher
    kernel_dirs: Sequence[str]
    z: float = 8.0
    bound_units: float = 12.0
    control: Control = ""
    _slots: list[_Slot] = field(default_factory=list)
    _verdict: Any = None
    _serial: int = 0
    _begun: int = 0

    # -- new data --------------------------------------------------------------------------------------------------

    def prepare(self, invariants: Sequence[Invariant]) -> None:
        """What launches on each set of inputs are held to; all of one kind and geometry. The chain begins anew.

        Raises ``DeviceError`` for a bound that is no number above 0, ``BuildError`` and pyopencl's errors.
        """
        self.release()
        first = invariants[0]
        self._rows, self._columns = rows_of(first), columns_of(first)
        self._defines = row_defines(self.identity, self._columns, control=self.control)
        verdicts = self._rows + isinstance(first, Ordered)
        self._verdict = cl.Buffer(self.queue.context, cl.mem_flags.READ_WRITE, 4 * verdicts)
        self._answer = np.zeros(verdicts, dtype=np.int32)
        self._slots = [self._slot(invariant) for invariant in invariants]
        self.restart()

    def _slot(self, invariant: Invariant) -> _Slot:
        options = tuple(f"-D{name}={value}" for name, value in self._defines.items())
        file = FILES[type(invariant)]
        program = self.programs.check(check_source(self.kernel_dirs, file), options, file)
        groups = -(-self._rows // self._defines["ROWS"])
        output, geometry = self.launcher.output, (np.int32(self._columns), np.int32(invariant.count))
        if isinstance(invariant, Ordered):
            part = cl.Buffer(self.queue.context, cl.mem_flags.READ_WRITE, 4 * self._rows)
            order, total = cl.Kernel(program, "abft_order"), cl.Kernel(program, "abft_total")
            order.set_args(output, *geometry, np.int32(0), part, self._verdict)
            total.set_args(part, np.int32(self._rows), np.uint32(invariant.expected), np.int32(0), self._verdict)
            return _Slot(invariant, None, None, [(order, groups, 3), (total, 1, 3)], [part])
        if isinstance(invariant, Words):
            held: list[Array] = [invariant.weights, invariant.expected]
            bounds = None
        else:
            bounds = usable(self._bounds(invariant))
            held = [invariant.signs, invariant.expected.astype(np.float32), bounds.astype(np.float32)]
        buffers = [self._buffer(array) for array in held]
        kernel = cl.Kernel(program, file.removesuffix(".cl"))
        kernel.set_args(output, *geometry, *buffers, np.int32(0), self._verdict)
        return _Slot(invariant, bounds, held[1], [(kernel, groups, 3 + len(buffers))], buffers)

    def _bounds(self, invariant: Sums) -> NDArray[np.float64]:
        items = self._defines["ITEMS"]
        return stretch_bounds(
            invariant.rms,
            self._columns,
            unit=invariant.unit,
            bound_units=self.bound_units,
            z=self.z,
            lanes=4 * self._defines["VW"] * items,
            items=items,
        )

    def _buffer(self, array: Array) -> Any:
        made = cl.Buffer(self.queue.context, cl.mem_flags.READ_ONLY, array.nbytes)
        cl.enqueue_copy(self.queue, made, np.ascontiguousarray(array), is_blocking=True)
        return made

    # -- checks ----------------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Begin the chain anew: what was found so far no longer counts."""
        self._answer[:] = self._serial
        self._begun = self._serial
        cl.enqueue_copy(self.queue, self._verdict, self._answer, is_blocking=True)

    def check(self, slot: int) -> int:
        """Check what is on the device as a launch on this slot's inputs; blocking. Nanoseconds on the host clock."""
        start = time.perf_counter_ns()
        self._serial += 1
        for kernel, groups, place in self._slots[slot].steps:
            kernel.set_arg(place, np.int32(self._serial))
            items = self._defines["ITEMS"]
            cl.enqueue_nd_range_kernel(self.queue, kernel, (groups * items,), (items,))
        self.queue.finish()
        return time.perf_counter_ns() - start

    def bad(self) -> tuple[int, ...]:
        """Read the verdicts back: rows that some check since :meth:`restart` did not find good."""
        cl.enqueue_copy(self.queue, self._answer, self._verdict, is_blocking=True)
        return tuple(broken(self._answer, self._serial))

    @property
    def first_bad(self) -> int:
        """Number of the first check since :meth:`restart`, from 1, that the last :meth:`bad` speaks of."""
        return first_broken(self._answer, self._begun, self._serial)

    def say(self, bad: Sequence[int]) -> str:
        """What these rows are, for people."""
        invariant = self._slots[0].invariant
        rows = [row for row in bad if row < self._rows]
        kind = "order" if isinstance(invariant, Ordered) else "sum"
        words = f"the {kind} of {len(rows)} of {self._rows} rows of {self._columns} ({named(rows)})" if rows else ""
        return " and ".join(filter(None, [words, "the hash of all keys" if len(bad) > len(rows) else ""]))

    def residual_share(self, result: Array, slot: int) -> float:
        """How far a result is off in shares of what it may be, on the host: 0 or infinite where that is nothing."""
        data = self._slots[slot]
        if isinstance(data.invariant, Sums):
            assert data.bounds is not None
            sums, _rms = stretch_sums(result.reshape(-1).astype(np.float64), data.invariant.signs.astype(np.float64))
            return float(np.max(np.abs(sums - data.invariant.expected) / data.bounds))
        words = as_words(result)
        if isinstance(data.invariant, Words):
            right = np.array_equal(word_sums(words, data.invariant.weights), data.invariant.expected)
        else:
            right = bool(np.all(words[1:] >= words[:-1])) and multiset_hash(words) == data.invariant.expected
        return 0.0 if right else float("inf")

    # -- trust -----------------------------------------------------------------------------------------------------

    def self_test(self, slot: int) -> str:
        """Check the result on the device, plant one flip in it, find exactly that, and take it back.

        The chain begins anew behind it. A sentence where it failed.
        """
        self.restart()
        self.check(slot)
        if bad := self.bad():
            return f"the warm-up's last result is bad already: {self.say(bad)}"
        place = self._slots[slot].invariant.count // 2
        value = np.empty(1, dtype=np.uint32)
        cl.enqueue_copy(self.queue, value, self.launcher.output, src_offset=4 * place, is_blocking=True)
        self.put(place, value ^ np.uint32(1 << _PLANTED_BIT))
        self.check(slot)
        found = self.bad()
        self.put(place, value)
        self.restart()
        self.check(slot)
        still = self.bad()
        self.restart()
        if not self.names(place, found):
            return f"a flip planted in element {place} was answered with {self.say(found) or 'nothing'}"
        return f"after the planted flip was taken back it still found {self.say(still)}" if still else ""

    def put(self, place: int, word: Array) -> None:
        """Overwrite one word of the result."""
        cl.enqueue_copy(self.queue, self.launcher.output, word, dst_offset=4 * place, is_blocking=True)

    def names(self, place: int, bad: Sequence[int]) -> bool:
        """Whether these rows are what one wrong element at that place makes bad, and no other.

        A sorted result's hash must show it, and the order may, in its row or the one before.
        """
        row = place // self._columns
        if isinstance(self._slots[0].invariant, Ordered):
            return self._rows in bad and set(bad) <= {row - 1, row, self._rows}
        return tuple(bad) == (row,)

    def corrupt(self, slot: int, row: int) -> None:
        """A row's expectation becomes a wrong one on the device, for a fault in the reference itself."""
        data = self._slots[slot]
        if isinstance(data.invariant, Ordered):
            data.steps[1][0].set_arg(2, np.uint32(data.invariant.expected ^ 1))
            return
        wrong = data.expected.copy()
        if data.bounds is None:
            wrong[row] ^= np.uint32(1)
        else:
            wrong[row] += np.float32(2.5 * data.bounds[row])
        cl.enqueue_copy(self.queue, data.buffers[1], wrong, is_blocking=True)

    def mend(self, slot: int) -> None:
        """Take :meth:`corrupt` back."""
        data = self._slots[slot]
        if isinstance(data.invariant, Ordered):
            data.steps[1][0].set_arg(2, np.uint32(data.invariant.expected))
        else:
            cl.enqueue_copy(self.queue, data.buffers[1], data.expected, is_blocking=True)

    # -- the end ---------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows of the result."""
        return self._rows

    def release(self) -> None:
        """Free the buffers."""
        for buffer in (b for slot in self._slots for b in slot.buffers):
            buffer.release()
        if self._verdict is not None:
            self._verdict.release()
        self._slots, self._verdict = [], None


def make_invariant_guard(
    device: OpenDevice,
    launcher: DescribedLauncher,
    kernel_dirs: Sequence[str],
    settings: GuardSettings,
    *,
    bound_units: float,
    control: Control = "",
) -> InvariantGuard:
    """The guard of a workload's launcher. Of the settings it has the threshold: every launch is checked, whole."""
    return InvariantGuard(
        queue=device.queue,
        programs=device.programs,
        identity=device.identity,
        launcher=launcher,
        kernel_dirs=kernel_dirs,
        z=settings.z,
        bound_units=bound_units,
        control=control,
    )
