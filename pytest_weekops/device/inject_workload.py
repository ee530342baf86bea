"""The fault campaign of a workload's guard: what it catches of faults planted in results and inputs on this device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.guard.injection import BitRecall, FaultRecall
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.core.selection.selector import usable
from pytest_weekops.device.described_launcher import DescribedLauncher
from pytest_weekops.device.invariant import Draw, Guarded
from pytest_weekops.device.invariant_guard import InvariantGuard, make_invariant_guard
from pytest_weekops.device.known_operations import OPERATIONS
from pytest_weekops.device.launcher import make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Array, Shape
from pytest_weekops.device.planting import clean_launches, planted
from pytest_weekops.files.kernel_sources import Source
from pytest_weekops.worker.protocol import Injected, InjectRequest

CRITICAL_SHARE = 1e-3  # a flip is critical where it moves its element by more than this share of the result's rms
_BLOCK = 1024  # elements that a skipped work-group leaves as they were
_BOUND_UNITS = 12.0  # the portable policy's
_DAMAGED = {"spmv": "values"}  # what is damaged of an operation's inputs: the first one is made of places here
_NOTICE_EVERY = 256


def inject_workload(
    device: OpenDevice, request: InjectRequest, source: Source, notify: Callable[[Phase], None]
) -> Injected:
    """Answer one inject request for a workload. Raises what the driver raises."""
    shape = Shape(request.size, request.size, request.size)
    operation = OPERATIONS[source.entry.operation]
    if not isinstance(operation, Guarded):
        raise DeviceError(
            f"{request.kernel} computes {source.entry.operation}, which has no guard. There is nothing whose recall "
            "could be measured. Name a GEMM variant or a workload that has one."
        )
    if reason := usable(source.entry, device.identity):
        raise DeviceError(f"Variant {request.kernel} {reason}. It cannot run here. Leave it out or take another.")
    launcher = make_launcher(device.queue, device.programs, source, shape, operation)
    assert isinstance(launcher, DescribedLauncher)
    guard = make_invariant_guard(
        device, launcher, request.kernel_dirs, request.guard, bound_units=_BOUND_UNITS, control=request.control
    )
    try:
        return _Campaign(device, launcher, guard, operation, shape, request, notify).run(source)
    finally:
        launcher.release()
        guard.release()


@dataclass
class _Campaign:
    device: OpenDevice
    launcher: DescribedLauncher
    guard: InvariantGuard
    operation: Guarded
    shape: Shape
    request: InjectRequest
    notify: Callable[[Phase], None]
    inputs: list[dict[str, Array]] = field(default_factory=list)
    results: list[Array] = field(default_factory=list)
    bits: list[BitRecall] = field(default_factory=list)
    critical: list[int] = field(default_factory=lambda: [0, 0])

    def run(self, source: Source) -> Injected:
        """All of it, on one set of data per hundred clean launches and one for the faults."""
        self.random = np.random.default_rng([self.request.seed, 77])
        self._prepare(1)
        self._launch(1)
        self_test = self.guard.self_test(1)
        self._flips()
        faults = tuple(self._faults(source.entry.operation))
        false_alarms, clean, share = self._clean()
        return Injected(
            variant=source.entry.mode,
            kernel_sha256=source.sha256,
            build_options=self.device.programs.options(source),
            size=self.shape.n,
            z=self.request.guard.z,
            settings=GuardSettings(z=self.request.guard.z),
            bits=tuple(self.bits),
            critical=FaultRecall(name="critical flips", tried=self.critical[0], caught=self.critical[1]),
            faults=faults,
            clean_launches=clean,
            false_alarms=false_alarms,
            largest_residual_share=share,
            self_test=self_test,
        )

    def _prepare(self, session: int) -> None:
        """Two sets of inputs, what each is held to, and the result of a launch on each."""
        self.notify(Phase.UPLOAD)
        seed = self.request.seed
        self.inputs = [self.operation.inputs(self.shape, seed, number) for number in (2 * session - 1, 2 * session)]
        for slot, inputs in enumerate(self.inputs):
            self.launcher.upload(inputs, slot)
        references = [self.operation.reference(self.shape, inputs) for inputs in self.inputs]
        self.guard.prepare(
            [
                self.operation.invariant(self.shape, inputs, reference, Draw(seed, session))
                for inputs, reference in zip(self.inputs, references, strict=True)
            ]
        )
        self.launcher.poison()
        self.results = []
        for slot in (0, 1):
            self._launch(slot)
            self.results.append(self.launcher.read().reshape(-1).copy())

    def _launch(self, slot: int) -> None:
        self.notify(Phase.LAUNCH)
        self.launcher.use(slot)
        self.launcher.enqueue()
        self.device.queue.finish()

    def _check(self, slot: int) -> tuple[int, ...]:
        """Rows that one check does not find good, whatever was found before."""
        self.guard.restart()
        self.guard.check(slot)
        return self.guard.bad()

    # -- flips -------------------------------------------------------------------------------------------------

    def _flips(self) -> None:
        """Flip one bit of one element at a time, the same number for each of the 32 bits; the result is slot 1's."""
        result = self.results[1]
        words, is_float = result.view(np.uint32), result.dtype == np.float32
        least = CRITICAL_SHARE * float(np.sqrt(np.mean(np.square(result, dtype=np.float64)))) if is_float else 0.0
        exact = self.operation.error_unit(self.shape, self.inputs[1]) == 0.0
        for bit in range(32):
            caught = 0
            for number in range(self.request.flips_per_bit):
                if number % _NOTICE_EVERY == 0:
                    self.notify(Phase.VERIFY)
                place = int(self.random.integers(0, result.size))
                flipped = words[place : place + 1] ^ np.uint32(1 << bit)
                with np.errstate(all="ignore"):
                    moved = abs(float(flipped.view(result.dtype)[0]) - float(result[place]))
                self.guard.put(place, flipped)
                # Caught is only what names its row: an alarm elsewhere is not this flip's.
                hit = self.guard.names(place, self._check(1))
                self.guard.put(place, words[place : place + 1])
                caught += hit
                if exact or not moved <= least:  # where nothing is rounded, every flip is critical
                    self.critical[0] += 1
                    self.critical[1] += hit
            self.bits.append(BitRecall(bit=bit, tried=self.request.flips_per_bit, caught=caught))

    # -- other faults --------------------------------------------------------------------------------------------

    def _faults(self, operation: str) -> Iterator[FaultRecall]:
        kinds: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("an element of the input damaged after upload", lambda: self._damaged(operation)),
            ("a work-group skipped", lambda: self._stale(_BLOCK)),
            ("a launch dropped", self._dropped),
            ("half of the result not written", lambda: self._stale(max(1, self.results[1].size // 2))),
            ("an expectation corrupted", self._expectation),
        )
        return planted(kinds, self.request.faults)

    def _damaged(self, operation: str) -> bool:
        name = _DAMAGED.get(operation) or next(iter(self.inputs[0]))
        array = np.array(self.inputs[0][name])
        place = int(self.random.integers(0, array.size))
        array.reshape(-1)[place : place + 1] = _damage(array.reshape(-1)[place : place + 1])
        self.launcher.upload({**self.inputs[0], name: array})
        self._launch(0)
        caught = bool(self._check(0))
        self.launcher.upload(self.inputs[0])
        return caught

    def _stale(self, most: int) -> bool:
        """So many elements, side by side, still hold the launch before."""
        self.notify(Phase.VERIFY)
        content, count = self.results[1].copy(), min(most, self.results[1].size)
        first = int(self.random.integers(0, content.size - count + 1))
        content[first : first + count] = self.results[0][first : first + count]
        return self._with(content)

    def _with(self, content: Array) -> bool:
        """Whether the guard cries on this as slot 1's result."""
        cl.enqueue_copy(self.device.queue, self.launcher.output, content, is_blocking=True)
        return bool(self._check(1))

    def _dropped(self) -> bool:
        """The result is still that of the launch before."""
        self._launch(0)
        return bool(self._check(1))

    def _expectation(self) -> bool:
        """What a row is held to is wrong: the guard cannot tell which side is, and must cry."""
        self.guard.corrupt(1, int(self.random.integers(0, self.guard.rows)))
        caught = self._with(self.results[1])
        self.guard.mend(1)
        return caught

    # -- clean launches ------------------------------------------------------------------------------------------

    def _clean(self) -> tuple[int, int, float]:
        """Real launches without a fault, with new data every hundred: alarms, launches, largest residual share."""

        def cries(slot: int) -> bool:
            self._launch(slot)
            return bool(self._check(slot))

        def share(slot: int) -> float:
            return self.guard.residual_share(self.results[slot], slot)

        return clean_launches(self.request.clean_launches, self._prepare, share, cries)


def _damage(value: Any) -> Any:
    """One number, wrong by much: 4 more, one more where it counts, and the bit below the highest where it is a key."""
    if value.dtype == np.float32:
        return value + np.float32(4.0)
    return value + 1 if value.dtype == np.int32 else value ^ np.uint32(1 << 30)
