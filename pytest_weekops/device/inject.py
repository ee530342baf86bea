"""The fault campaign: what the guard catches of faults planted on this device, and how often it cries without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.guard.injection import BitRecall, FaultRecall
from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.bench import pick
from pytest_weekops.device.guard import Check, Guard
from pytest_weekops.device.inject_workload import inject_workload
from pytest_weekops.device.launcher import GemmLauncher, make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Array, Gemm, Shape
from pytest_weekops.device.planting import clean_launches, planted
from pytest_weekops.device.sampled import make_guard
from pytest_weekops.device.tuning import put_in_force
from pytest_weekops.device.workloads import WORKLOADS
from pytest_weekops.files.kernel_sources import Source, load_sources
from pytest_weekops.worker.protocol import Injected, InjectRequest, MeasureRequest

CRITICAL_SHARE = 1e-3  # a flip is critical where it moves its element by more than this share of rms(C)
_TILE = 32
_NOTICE_EVERY = 256

F32 = NDArray[np.float32]


def inject(device: OpenDevice, request: InjectRequest, notify: Callable[[Phase], None]) -> Injected:
    """Answer one inject request. Raises what the driver raises."""
    notify(Phase.BUILD)
    shape = Shape(request.size, request.size, request.size)
    sources = put_in_force(load_sources(request.kernel_dirs), request.tuned, device.identity)
    known = sources.get(request.kernel)
    if known is not None and known.entry.operation in WORKLOADS:
        return inject_workload(device, request, known, notify)
    asked = MeasureRequest(
        kernel=request.kernel, m=shape.m, n=shape.n, k=shape.k, seed=request.seed, sessions=1, iterations=1
    )
    source = pick(device, asked, sources)
    launcher = make_launcher(device.queue, device.programs, source, shape)
    if not isinstance(launcher, GemmLauncher):
        raise TypeError(f"{request.kernel} is no GEMM variant; the guard checks products of matrices")
    edit = _idle if request.control == "idle-check" else str
    guard = make_guard(device, launcher, shape, request.kernel_dirs, request.guard, edit=edit)
    try:
        return _Campaign(device, launcher, guard, shape, request, notify).run(source)
    finally:
        launcher.release()
        guard.release()


def _idle(text: str) -> str:
    """The check kernel with a body that does nothing, for the control that must fail."""
    head, _, _body = text.partition("{\n    const int item")
    return head + "{\n}\n"


@dataclass
class _Campaign:
    device: OpenDevice
    launcher: GemmLauncher
    guard: Guard
    shape: Shape
    request: InjectRequest
    notify: Callable[[Phase], None]
    inputs: dict[str, Array] = field(default_factory=dict)
    results: list[F32] = field(default_factory=list)
    bits: list[BitRecall] = field(default_factory=list)
    critical: list[int] = field(default_factory=lambda: [0, 0])
    looked_at: list[int] = field(default_factory=lambda: [0, 0])
    checks: int = 0

    def run(self, source: Source) -> Injected:
        """All of it, on one set of data per hundred clean launches and one for the faults."""
        self.random = np.random.default_rng([self.request.seed, 77])
        self._prepare(session=1)
        self_test = self.guard.self_test(1)
        self._flips()
        faults = tuple(self._faults())
        false_alarms, clean, share = self._clean()
        return Injected(
            variant=source.entry.mode,
            kernel_sha256=source.sha256,
            build_options=self.device.programs.options(source),
            size=self.shape.n,
            z=self.request.guard.z,
            settings=self.request.guard,
            looked_at=None
            if self.request.guard.mode == "full"
            else FaultRecall(name="critical flips on drawn lines", tried=self.looked_at[0], caught=self.looked_at[1]),
            bits=tuple(self.bits),
            critical=FaultRecall(name="critical flips", tried=self.critical[0], caught=self.critical[1]),
            faults=faults,
            clean_launches=clean,
            false_alarms=false_alarms,
            largest_residual_share=share,
            self_test=self_test,
        )

    def _prepare(self, session: int) -> None:
        self.notify(Phase.UPLOAD)
        shape, seed = self.shape, self.request.seed
        self.inputs = Gemm().inputs(shape, seed, session)
        both = (self.inputs, Gemm().rolled(shape, self.inputs))
        for slot, inputs in enumerate(both):
            self.launcher.upload(inputs, slot)
        self.launcher.poison()
        self.guard.prepare([(inputs["A"], inputs["B"]) for inputs in both], seed=seed, session=session)
        if self.request.control == "infinite-threshold":
            self.guard.blind()
        self.results = []
        for slot in (0, 1):
            self._launch(slot)
            self.results.append(self.launcher.read().copy())

    def _launch(self, slot: int) -> None:
        self.notify(Phase.LAUNCH)
        self.launcher.use(slot)
        self.launcher.enqueue()
        self.device.queue.finish()

    def _check(self, slot: int) -> Check:
        """Check as the next launch of a run, so that a sampled guard draws other lines each time."""
        self.checks += 1
        return self.guard.check(slot, launch=self.checks)

    # -- flips -------------------------------------------------------------------------------------------------

    def _flips(self) -> None:
        """Flip one bit of one element of C at a time, the same number for each of the 32 bits; C is slot 1's."""
        result = self.results[1]
        rms = float(np.sqrt(np.mean(np.square(result, dtype=np.float64))))
        count = 0
        for bit in range(32):
            caught = 0
            for _ in range(self.request.flips_per_bit):
                row, column = (int(self.random.integers(0, edge)) for edge in (self.shape.m, self.shape.n))
                count += 1
                if count % _NOTICE_EVERY == 1:
                    self.notify(Phase.VERIFY)
                value = result[row, column : column + 1]
                flipped = (value.view(np.uint32) ^ np.uint32(1 << bit)).view(np.float32)
                with np.errstate(all="ignore"):
                    moved = abs(float(flipped[0]) - float(value[0]))
                self._put(row, column, flipped)
                found = self._check(1)
                # Caught is only what names the row or the column: an alarm elsewhere is not this flip's.
                bad, drawn = self.guard.bad_lines(), self.guard.drawn
                hit = found.bad > 0 and (row in bad.rows or column in bad.columns)
                self._put(row, column, value)
                caught += hit
                if not moved <= CRITICAL_SHARE * rms:
                    self.critical[0] += 1
                    self.critical[1] += hit
                    if drawn is not None and (row in drawn.rows or column in drawn.columns):
                        self.looked_at[0] += 1
                        self.looked_at[1] += hit
            self.bits.append(BitRecall(bit=bit, tried=self.request.flips_per_bit, caught=caught))

    def _put(self, row: int, column: int, value: F32) -> None:
        offset = 4 * (row * self.launcher.pitch + column)
        cl.enqueue_copy(self.device.queue, self.launcher.output, value, dst_offset=offset, is_blocking=True)

    # -- other faults --------------------------------------------------------------------------------------------

    def _faults(self) -> Iterator[FaultRecall]:
        kinds: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("an element of A damaged after upload", lambda: self._damaged("A")),
            ("an element of B damaged after upload", lambda: self._damaged("B")),
            ("a work-group skipped", self._skipped),
            ("a launch dropped", self._dropped),
            ("half of C not copied", self._half),
            ("a reference sum corrupted", self._reference),
        )
        return planted(kinds, self.request.faults)

    def _damaged(self, name: str) -> bool:
        matrix = np.array(self.inputs[name])
        row, column = (int(self.random.integers(0, edge)) for edge in matrix.shape)
        matrix[row, column] += np.float32(4.0)
        self.launcher.upload({**self.inputs, name: matrix})
        self._launch(0)
        caught = self._check(0).bad > 0
        self.launcher.upload(self.inputs)
        return caught

    def _with(self, content: F32, slot: int) -> bool:
        """Whether the guard cries on this C as slot ``slot``'s result."""
        self.notify(Phase.VERIFY)
        self.launcher.put(content)
        return self._check(slot).bad > 0

    def _skipped(self) -> bool:
        """One tile still holds the launch before."""
        content = self.results[1].copy()
        row, column = (int(self.random.integers(0, max(1, edge - _TILE))) for edge in content.shape)
        tile = np.s_[row : row + _TILE, column : column + _TILE]
        content[tile] = self.results[0][tile]
        return self._with(content, 1)

    def _dropped(self) -> bool:
        """C still holds the launch before."""
        self._launch(0)
        return self._check(1).bad > 0

    def _half(self) -> bool:
        """The lower half of C still holds the launch before."""
        content = self.results[1].copy()
        content[self.shape.m // 2 :] = self.results[0][self.shape.m // 2 :]
        return self._with(content, 1)

    def _reference(self) -> bool:
        """A sum is off by twice its threshold: the guard cannot tell which side is wrong, and must cry."""
        sums = self.guard.sums(1).copy()
        row = int(self.random.integers(0, self.shape.m))
        sums[row] += 2.5 * min(float(self.guard.bounds(1)[row]), 1e6)
        self.guard.set_sums(1, sums)
        caught = self._with(self.results[1], 1)
        self.guard.set_sums(1, self.guard.sums(1))
        return caught

    # -- clean launches ------------------------------------------------------------------------------------------

    def _clean(self) -> tuple[int, int, float]:
        """Real launches without a fault, with new data every hundred: alarms, launches, largest residual share."""

        def cries(slot: int) -> bool:
            self._launch(slot)
            return self._check(slot).bad > 0

        def share(slot: int) -> float:
            return self.guard.residual_share(self.results[slot], slot)

        return clean_launches(self.request.clean_launches, self._prepare, share, cries)
