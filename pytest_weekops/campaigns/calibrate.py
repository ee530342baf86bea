"""The measuring of ``weekops calibrate``: a driver against itself, in turns, as a split measures two.

A snapshot has two fresh workers of one driver, since a process has a level of its own; who is started first is drawn.
Per size they take turns through one session, and the snapshot's log ratio is the median of its calm pairs. Where too
few pairs were calm, the attempt is void and made again, as long as there is time.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pytest_weekops.campaigns.load import busy_loop
from pytest_weekops.core.errors import InputError, WeekopsError, WorkerError
from pytest_weekops.core.measurement.calibration import (
    CalibratedSeries,
    Calibration,
    KnownSlowdown,
    Loaded,
    figures,
)
from pytest_weekops.core.measurement.calm import limit_beside, pair_logs, turn_times
from pytest_weekops.core.measurement.patience import PATIENCE
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, MeasurementStatus
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.load import LoadMeter
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import MeasureRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.turns import Comparison, Side, TurnTaker
from pytest_weekops.worker.verified import with_references

SEED = 3
ITERATIONS = 8
LEAST_PAIRS = 8  # calm pairs of a snapshot, or a third of its turns where launches are so short that it has few
SESSION_MS = 1000.0
DEPTH_STEP = 4  # a product's depth is a multiple of it, as kernels unroll their inner loop


@dataclass(frozen=True)
class Asked:
    """What is calibrated, and when it ends: ``ends`` is on the monotonic clock, in seconds.

    The bounds by which a result is right, ``max_run_delay_percent``, the most run delay of a calm launch on a CPU
    device, and ``max_wait_s`` are a policy's. ``slowdowns`` are known ones, as multiples of the work, of which each
    snapshot takes one; ``load_snapshots`` is how many are taken beside a busy loop.
    """

    sizes: tuple[int, ...]
    snapshots: int
    ends: float
    kernel_dirs: tuple[str, ...]
    kernel: str = "auto"
    session_ms: float = SESSION_MS
    max_abs_error: float | None = None
    k_scaled_bound: float | None = None
    max_run_delay_percent: float | None = None
    max_wait_s: float = 0.0
    slowdowns: tuple[float, ...] = ()
    load_snapshots: int = 0

    def on(self, identity: DeviceIdentity) -> float | None:
        """The limit on run delay on that device; a GPU's launches do not wait for a CPU."""
        return self.max_run_delay_percent if identity.is_cpu else None


@dataclass
class Cell:
    """What was found at one size so far. ``build`` is variant, source hash and build options of what was launched."""

    size: int
    logs: list[float] = field(default_factory=list)
    voids: int = 0
    slowed: dict[float, list[float]] = field(default_factory=dict)
    loaded: list[float] = field(default_factory=list)
    load_voids: int = 0
    build: tuple[str, str, tuple[str, ...]] | None = None


@dataclass
class CalibratedPlatform:
    """One platform of the campaign. ``left_out`` says why nothing of it counts, where that is so."""

    launch: Launch
    identity: DeviceIdentity | None = None
    cells: dict[int, Cell] = field(default_factory=dict)
    left_out: str = ""

    def lacking(self, snapshots: int) -> list[Cell]:
        """Sizes that have fewer snapshots."""
        return [] if self.left_out else [cell for cell in self.cells.values() if len(cell.logs) < snapshots]

    def shortage(self, least: int) -> str:
        """Why what was found does not suffice as a calibration, or nothing."""
        if self.left_out:
            return self.left_out
        for cell in self.lacking(least):
            voids = f", {cell.voids} attempts were void" if cell.voids else ""
            return (
                f"{self.launch.label} has {len(cell.logs)} of {least} snapshots at {cell.size}{voids}. The calibration "
                "does not suffice and is not stored. Give it more --hours, or a quieter host."
            )
        if same := [cell.size for cell in self.cells.values() if not figures(cell.logs).sd > 0]:
            return f"{self.launch.label} has the same ratio in every snapshot at {same[0]}: the clock resolves nothing."
        return ""


@dataclass(frozen=True)
class _Take:
    """One comparison that is due."""

    platform: CalibratedPlatform
    cell: Cell
    pair: tuple[PlatformSupervisor, PlatformSupervisor]
    draw: random.Random
    number: int


class Calibrator:
    """Measures all platforms, snapshot by snapshot; afterwards :attr:`platforms` holds what was found."""

    def __init__(
        self,
        launches: Sequence[Launch],
        asked: Asked,
        host: HostWorker,
        scratch: Path,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.platforms = [CalibratedPlatform(launch) for launch in launches]
        self._asked, self._host, self._scratch, self._say = asked, host, scratch, say

    def open(self) -> None:
        """Open every device once. A driver that crashes is left out.

        Raises ``InputError`` where no device matches a platform: then nothing was measured.
        """
        for platform in self.platforms:
            try:
                with self._worker(platform.launch) as supervisor:
                    identity = supervisor.start()
            except WorkerError as error:
                self._leave_out(platform, f"{platform.launch.label} is left out: {error}")
                continue
            except WeekopsError as error:
                raise InputError(
                    f"--platforms {platform.launch.label}: {str(error).rstrip('.')}. Nothing was measured. "
                    "`weekops drivers` shows what answers."
                ) from error
            if not identity.library_sha256:
                self._leave_out(platform, f"{platform.launch.label} is left out: its driver's library is not known")
            platform.identity = identity
            platform.cells = {size: Cell(size) for size in self._asked.sizes}

    def measure(self) -> None:
        """Take snapshots until each cell has enough, or until the one in which the time ran out."""
        number = 0
        while any(platform.lacking(self._asked.snapshots) for platform in self.platforms):
            number += 1
            for platform in self.platforms:
                if platform.lacking(self._asked.snapshots):
                    self._snapshot(platform, number)
            if time.monotonic() >= self._asked.ends:
                return
        self._beside_a_loop(number)

    def _beside_a_loop(self, number: int) -> None:
        """The load test: so many snapshots beside a busy loop, void or not, while there is time."""
        if not self._asked.load_snapshots:
            return
        with busy_loop():
            for more in range(1, self._asked.load_snapshots + 1):
                for platform in self.platforms:
                    if not platform.left_out and time.monotonic() < self._asked.ends:
                        self._snapshot(platform, number + more, beside_a_loop=True)

    # -- one snapshot --------------------------------------------------------------------------------------------

    def _snapshot(self, platform: CalibratedPlatform, number: int, *, beside_a_loop: bool = False) -> None:
        """Two fresh workers; every size that lacks snapshots, or every one beside a loop."""
        draw = random.Random(f"calibrate {platform.launch.label} {number}")  # noqa: S311 - replayed
        try:
            with ExitStack() as stack:
                labels = (platform.launch.label, f"{platform.launch.label}-2")
                pair = [
                    stack.enter_context(self._worker(platform.launch.model_copy(update={"label": label})))
                    for label in labels
                ]
                for supervisor in draw.sample(pair, 2):
                    identity = supervisor.start()
                    if platform.identity is None or identity.library_sha256 != platform.identity.library_sha256:
                        raise WorkerError("its library was replaced meanwhile")
                for cell in [*platform.cells.values()] if beside_a_loop else platform.lacking(self._asked.snapshots):
                    take = _Take(platform, cell, (pair[0], pair[1]), draw, number)
                    if beside_a_loop:
                        self._loaded(take)
                        continue
                    self._take(take)
                    if self._asked.slowdowns and time.monotonic() < self._asked.ends:
                        self._slowed(take)
        except WeekopsError as error:
            self._leave_out(platform, f"{platform.launch.label} is left out: {error}")

    def _take(self, take: _Take) -> None:
        """One session in turns at one size. Raises ``WorkerError`` where a side could not be measured."""
        cell, name = take.cell, f"{take.platform.launch.label} {take.cell.size}"
        found, log = self._compared(take)
        self._same_build(cell, found)
        if log is None:
            cell.voids += 1
            self._say(f"{name}: void, too few calm pairs: the host was busy")
            return
        cell.logs.append(log)
        self._say(f"{name}: {len(cell.logs)} of {self._asked.snapshots}, {100 * log:+.2f} %")

    def _slowed(self, take: _Take) -> None:
        """The same with more work for the second side; a void one is not made again, since others follow."""
        slowdowns = self._asked.slowdowns
        depth = deeper(take.cell.size, slowdowns[(take.number - 1) % len(slowdowns)])
        _found, log = self._compared(take, depth)
        if log is not None:
            work = depth / take.cell.size
            take.cell.slowed.setdefault(work, []).append(log)
            self._say(f"{take.platform.launch.label} {take.cell.size}: {work:.3f} times the work, {100 * log:+.2f} %")

    def _loaded(self, take: _Take) -> None:
        """The same beside a busy loop."""
        cell = take.cell
        found, log = self._compared(take)
        self._same_build(cell, found)
        if log is None:
            cell.load_voids += 1
        else:
            cell.loaded.append(log)
        self._say(
            f"{take.platform.launch.label} {cell.size}: beside a busy loop "
            + ("void, too few calm pairs" if log is None else f"{100 * log:+.2f} %")
        )

    def _compared(self, take: _Take, depth: int = 0) -> tuple[Comparison, float | None]:
        """Both workers in turns, the second with a product so deep, and the log ratio where enough pairs were calm."""
        assert take.platform.identity is not None
        size, limit = take.cell.size, self._asked.on(take.platform.identity)
        requests = (self._request(size, size, limit), self._request(size, depth or size, limit))
        sides = [
            Side(
                supervisor,
                Case(
                    platform=supervisor.launch.label,
                    kernel=self._asked.kernel,
                    size=size,
                    seed=SEED,
                    snapshot=take.number,
                ),
                request,
            )
            for supervisor, request in zip(take.pair, requests, strict=True)
        ]
        load = LoadMeter()
        found = TurnTaker((sides[0], sides[1]), take.draw, limit, max_wait_s=self._asked.max_wait_s).compare()
        others = load.percent()
        self._whole(take.cell, found)
        return found, snapshot_log(found, limit_beside(others, limit))

    def _request(self, size: int, depth: int, limit: float | None) -> MeasureRequest:
        asked = self._asked
        request = MeasureRequest(
            kernel=asked.kernel,
            m=size,
            n=size,
            k=depth,
            seed=SEED,
            sessions=1,
            iterations=ITERATIONS,
            least_session_ms=asked.session_ms,
            kernel_dirs=asked.kernel_dirs,
            max_abs_error=asked.max_abs_error,
            k_scaled_bound=asked.k_scaled_bound,
            max_run_delay_percent=limit,
        )
        return with_references(self._host, request).model_copy(update={"in_turns": True})

    @staticmethod
    def _whole(cell: Cell, found: Comparison) -> None:
        """Raises ``WorkerError`` where a side was not measured, or the turns broke off."""
        for measurement in (found.first, found.second):
            if measurement.status is not MeasurementStatus.OK:
                reason = " ".join(measurement.reason.split())[:400]
                raise WorkerError(f"at {cell.size} it ended in {measurement.status.value}: {reason}")
        if broken := found.broken_off or ("" if found.order else "it took none"):
            raise WorkerError(f"at {cell.size} the turns broke off: {broken}")

    @staticmethod
    def _same_build(cell: Cell, found: Comparison) -> None:
        """Two programs are no driver against itself. Raises ``WorkerError``, also where a side was not measured."""
        Calibrator._whole(cell, found)
        for measurement in (found.first, found.second):
            build = measurement.variant, measurement.kernel_sha256, measurement.build_options
            if cell.build not in (None, build):
                raise WorkerError(f"at {cell.size} it launched {build[0]}, built otherwise than before")
            cell.build = build

    @contextmanager
    def _worker(self, launch: Launch) -> Iterator[PlatformSupervisor]:
        """A supervisor that replaces nothing: a driver that crashes once has no spread worth storing."""
        supervisor = PlatformSupervisor(launch, Deadlines(), self._scratch, self._say, restart_budget=0)
        try:
            yield supervisor
        finally:
            supervisor.close()

    def _leave_out(self, platform: CalibratedPlatform, why: str) -> None:
        platform.left_out = why
        self._say(why)


def deeper(size: int, work: float) -> int:
    """The depth of a product that is so many times as much work, to the nearest that kernels unroll."""
    return max(size + DEPTH_STEP, DEPTH_STEP * round(size * work / DEPTH_STEP))


def snapshot_log(found: Comparison, limit: float | None) -> float | None:
    """The median log ratio of a comparison's calm pairs, or None where they are too few to say anything."""
    first, second = (turn_times(m.sessions, found.launches, limit) for m in (found.first, found.second))
    pairs = pair_logs(first, second)
    turns = sum(map(len, found.order)) // 2
    return statistics.median(pairs) if len(pairs) >= max(2, min(LEAST_PAIRS, turns // PATIENCE)) else None


def record(platform: CalibratedPlatform, asked: Asked) -> Calibration:
    """What was found on a platform that has no :meth:`~CalibratedPlatform.shortage`."""
    identity = platform.identity
    assert identity is not None
    now = datetime.now(UTC).replace(microsecond=0)
    series = []
    for cell in platform.cells.values():
        found = figures(cell.logs)
        assert cell.build is not None
        variant, sha256, options = cell.build
        series.append(
            CalibratedSeries(
                kernel=asked.kernel,
                variant=variant,
                kernel_sha256=sha256,
                build_options=options,
                size=cell.size,
                logs=tuple(cell.logs),
                voids=cell.voids,
                mean=found.mean,
                sd=found.sd,
                lag1=found.lag1,
                skewness=found.skewness,
                made_at=now,
                slowed=tuple(KnownSlowdown(work=work, logs=tuple(logs)) for work, logs in sorted(cell.slowed.items())),
                loaded=Loaded(logs=tuple(cell.loaded), voids=cell.load_voids)
                if cell.loaded or cell.load_voids
                else None,
            )
        )
    return Calibration(
        platform=platform.launch.label,
        platform_name=identity.platform_name,
        driver_version=identity.driver_version,
        library_sha256=identity.library_sha256,
        host=identity.host,
        hardware=identity.hardware,
        session_ms=asked.session_ms,
        max_run_delay_percent=asked.on(identity),
        series=tuple(series),
    )
