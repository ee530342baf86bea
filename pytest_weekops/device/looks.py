"""Every launch's result is looked at: none was skipped, none was wrong, whichever launch it was.

Launches take two sets of inputs in turn, and nothing is written between them, so that a launch that did no work
leaves what is right for the other set. A digest of each result is taken on the device, outside of the timed interval.
Where its bits are those of a result that was compared with the float64 reference element by element, it is as right;
where they are not, it is compared itself, at once. One launch drawn from all that are timed, and the last, are compared
in any case, so that nothing rests on the driver's own digest alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.operation import Array, Judging, Operation, Rolled, Shape
from pytest_weekops.device.verify import Comparison, compare, scaled_error

MOST_KINDS = 4  # different right results of one set of inputs, from which on a kernel counts as never the same twice
LOOK_EVERY = 8  # launches of such a kernel that go by from one comparison to the next

F64 = NDArray[np.float64]


class Looked(Protocol):
    """What is looked at: a launcher's result."""

    def read(self) -> Array:
        """The result, blocking."""


@dataclass
class Data:
    """What the launches of a session take in turn, and what is right for each set of inputs.

    The second set of GEMM and triad is the first one rolled by a row and a column, and so is its result: every
    element differs and no second reference is needed. Any other operation has a reference for each (``references``).
    ``inputs`` is one set where no second one can be told from it. ``units`` are the error units.
    """

    inputs: tuple[dict[str, Array], ...]
    references: tuple[F64, ...]
    units: tuple[float, ...]
    rolled: bool = False
    judged_by: Callable[[dict[str, Array], F64, Array], Comparison] | None = None

    @property
    def takes_turns(self) -> bool:
        """Whether a launch that did nothing shows by itself."""
        return len(self.inputs) > 1

    def compare(self, result: Array, slot: int) -> Comparison:
        """The result of a launch on inputs ``slot``, by the operation itself (``judged_by``) where it can."""
        if self.judged_by is not None:
            return self.judged_by(self.inputs[slot], self.references[slot], result)
        if not (slot and self.rolled):
            return compare(result, self.references[slot])
        found = compare(np.roll(result, (-1, -1), (0, 1)), self.references[0])
        rows, columns = result.shape
        return replace(found, row=(found.row + 1) % rows, column=(found.column + 1) % columns)


def session_data(
    operation: Operation,
    shape: Shape,
    seed: int,
    sessions: Sequence[int],
    paths: Sequence[str],
    *,
    flushes_subnormals: bool = False,
) -> Data:
    """The data of a session from the numbers that its inputs are drawn with, and the files of their references.

    An operation whose result rolls with its inputs needs the first of each only. ``flushes_subnormals`` is what the
    device may do, for operations that judge by themselves.
    """
    judged_by = None
    if isinstance(operation, Judging):
        judged_by = partial(operation.compare, flushes_subnormals=flushes_subnormals)
    inputs = operation.inputs(shape, seed, sessions[0])
    first = np.load(paths[0], mmap_mode="r")
    unit = operation.error_unit(shape, inputs)
    alone = Data((inputs,), (first,), (unit,), judged_by=judged_by)
    if isinstance(operation, Rolled):
        if first.size == 1:  # rolled, it is the same
            return alone
        return Data((inputs, operation.rolled(shape, inputs)), (first,), (unit, unit), rolled=True)
    if len(paths) < 2:
        return alone
    second = np.load(paths[1], mmap_mode="r")
    if np.array_equal(first, second):
        return alone
    others = operation.inputs(shape, seed, sessions[1])
    units = (unit, operation.error_unit(shape, others))
    return Data((inputs, others), (first, second), units, judged_by=judged_by)


@dataclass
class Looks:
    """The looks of one session. ``judge`` says in words what is wrong with a comparison and its error in units."""

    launcher: Looked
    data: Data
    digest: Callable[[], bytes]
    judge: Callable[[Comparison, float], str]
    notify: Callable[[Phase], None]
    worst: Comparison | None = None
    worst_scaled: float = 0.0
    compared: int = 0
    looked_at: int = 0
    same_bits: int = 0
    _right: dict[int, set[bytes]] = field(default_factory=lambda: {0: set(), 1: set()})
    _first: dict[int, tuple[bytes, Array, str]] = field(default_factory=dict)
    _since: int = 0

    def after(self, slot: int, what: str, *, whole: bool = False) -> str:
        """Look at the launch that is done (``what`` names it), at every element where ``whole``: why it is wrong.

        The first result of each slot is kept until one with the same bits was compared, or the session ends.
        """
        bits = self.digest()
        self.looked_at += 1
        known = bits in self._right[slot]
        if not known and slot in self._first and bits == self._first[slot][0]:
            self.same_bits += 1
            known = True
        elif known:
            self.same_bits += 1
        if whole or not (known or self._may_wait(slot, bits, what)):
            return self._look(slot, self.launcher.read(), bits, what)
        return ""

    def _may_wait(self, slot: int, bits: bytes, what: str) -> bool:
        """Whether a result of new bits is compared later or, of a kernel that never repeats itself, not at all."""
        if slot not in self._first:
            self.notify(Phase.READ_BACK)
            self._first[slot] = (bits, np.array(self.launcher.read()), what)
            return True
        self._since += 1
        return self.varies and self._since % LOOK_EVERY != 0

    @property
    def varies(self) -> bool:
        """Whether right results of the same inputs differ again and again, so that bits prove nothing."""
        return max(map(len, self._right.values())) >= MOST_KINDS

    def _look(self, slot: int, result: Array, bits: bytes, what: str) -> str:
        self.notify(Phase.VERIFY)
        found = self.data.compare(result, slot)
        self.compared += 1
        if self.worst is None or not found.max_abs_error <= self.worst.max_abs_error:
            self.worst = found
        scaled = self._scaled(found, slot)
        self.worst_scaled = max(self.worst_scaled, scaled)
        reason = self.judge(found, scaled)
        if not reason:
            self._right[slot].add(bits)
            return ""
        if self.data.takes_turns and self._is_right(self.data.compare(result, 1 - slot), 1 - slot):
            return f"{what} did no work: what it left is the result of other inputs, which a launch before it gave"
        return f"{what}: {reason}"

    def _scaled(self, found: Comparison, slot: int) -> float:
        return scaled_error(found.max_abs_error, self.data.units[slot])

    def _is_right(self, found: Comparison, slot: int) -> bool:
        return not self.judge(found, self._scaled(found, slot))

    def settle(self) -> str:
        """Compare what was kept and never confirmed: why it is wrong, or nothing."""
        for slot, (bits, result, what) in sorted(self._first.items()):
            if bits not in self._right[slot] and (reason := self._look(slot, result, bits, what)):
                return reason
        return ""
