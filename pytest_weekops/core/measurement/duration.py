"""How long the rest of a run will take: learned from the cases measured so far, modelled for those that were not.

What a case takes once (building, trials, its float64 reference) is kept apart from what every visit takes again, so
that the first case of a run does not speak for all of them. A cell that was not visited yet takes the launch of the
nearest size on its platform, grown by the operation's nominal cost, and what the plan gives a session. The constants
are guesses for the first minutes: what is measured replaces them, and no verdict sees any of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_weekops.core.measurement.kernel_operation import ANCHOR_SIZE, PROBE_SIZE, KernelOperation
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import UNTRIED, Case, Measurement, Phase
from pytest_weekops.core.measurement.session import launch_count, usual_warm_up_s

AROUND_S = 0.3  # around a measurement: two anchors
PULSES_S = 0.5  # the pressure pulses of a snapshot on one platform
FIRST_BUILD_S = 8.0  # the first case of a platform: its compiler wakes up, and online selection tries its variants
REBUILD_S = 0.1  # at every visit: sources are read, and what was built is looked up
LATER_BUILD_SHARE = 0.1  # of the first case's, for the cells that follow
UPKEEP_S = 0.1  # buffers, poison, reading back
ELEMENT_S = 60e-9  # drawing, sending and comparing one element of a session's problem
CALM_CASES = 4  # so many cases without a second attempt are taken for seen

Cell = tuple[str, str, int]  # platform, kernel, size: what takes the same time at every visit


@dataclass(frozen=True)
class Spent:
    """What one case took, in seconds.

    ``total_s`` is all of it, with references, anchors and attempts that were void; ``device_s`` the last attempt in
    its worker, of which ``build_s`` went into building, ``warm_up_s`` into warm-up and trials, ``timed_s`` into timed
    launches of ``launch_s`` each (the median; 0 where there was none). ``anchor_s`` is the host's anchor.
    """

    case: Case
    total_s: float
    device_s: float
    build_s: float = 0.0
    warm_up_s: float = 0.0
    timed_s: float = 0.0
    launch_s: float = 0.0
    anchor_s: float = 0.0
    attempts: int = 1
    skipped: bool = False


def spent_on(answer: Measurement, total_s: float) -> Spent:
    """What a measurement took, ``total_s`` by the clock of whoever asked for it."""
    times = [ns for session in answer.sessions for ns in session.wall_ns]
    phase = answer.phase_s
    return Spent(
        case=answer.case,
        total_s=total_s,
        device_s=min(answer.elapsed_s, total_s),
        build_s=phase.get(Phase.BUILD, 0.0),
        warm_up_s=phase.get(Phase.WARM_UP, 0.0),
        timed_s=phase.get(Phase.LAUNCH, 0.0),
        launch_s=statistics.median(times) * 1e-9 if times else 0.0,
        anchor_s=(answer.host.anchor_before_ms or 0.0) * 1e-3,
        attempts=answer.attempt,
        skipped=answer.status in UNTRIED,
    )


@dataclass
class Duration:
    """The estimate of one run. ``probe_s`` has a launch at :data:`PROBE_SIZE` by platform and operation."""

    plan: CampaignPlan
    operations: Mapping[str, KernelOperation] = field(default_factory=dict)
    probe_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    _visits: dict[Cell, list[Spent]] = field(default_factory=dict)
    _cases: list[Spent] = field(default_factory=list)
    _gaps: dict[int, float] = field(default_factory=dict)

    def add(self, spent: Spent) -> None:
        """Learn from one more case, in the order of measurement."""
        self._visits.setdefault(_cell(spent.case), []).append(spent)
        self._cases.append(spent)

    def begin_snapshot(self, snapshot: int, gap_s: float) -> None:
        """A snapshot's first case begins, so many seconds after the snapshot itself began, with its pulses."""
        self._gaps[snapshot] = gap_s

    def left_s(self, cases: Iterable[Case]) -> float:
        """Seconds from now until the last of these cases is measured; they are in the order of measurement."""
        coming = list(cases)
        seen = {_cell(spent.case) for spent in self._cases}
        referenced = {self._reference(spent.case) for spent in self._cases}
        by_snapshot: dict[int, float] = {}
        for case in coming:
            seconds = self._visit_s(_cell(case))
            if _cell(case) not in seen:
                seconds += self._build_s(case)
            if self._reference(case) not in referenced:
                seconds += self._reference_s(case)
            seen.add(_cell(case))
            referenced.add(self._reference(case))
            by_snapshot[case.snapshot] = by_snapshot.get(case.snapshot, 0.0) + seconds
        return self._snapshots_s(by_snapshot) + len(coming) * self._again_s()

    # -- what comes again --------------------------------------------------------------------------------------

    def _visit_s(self, cell: Cell) -> float:
        visits = self._visits.get(cell, [])
        if visits and visits[-1].skipped:
            return visits[-1].total_s
        if len(visits) > 1:
            return self._around_s() + statistics.median(visit.device_s for visit in visits[1:])
        if visits:
            return self._around_s() + self._steady_s(visits[0])
        return self._modelled_s(cell)

    def _steady_s(self, first: Spent) -> float:
        """What a later visit will take at the device, judged by the first one."""
        warm_up = min(first.warm_up_s, self.plan.sessions * usual_warm_up_s(first.launch_s))
        once = first.build_s + first.warm_up_s
        return max(0.0, first.device_s - once) + min(first.build_s, REBUILD_S) + warm_up

    def _modelled_s(self, cell: Cell) -> float:
        _platform, kernel, size = cell
        nearest = self._nearest(cell)
        if nearest is not None and nearest.skipped:
            return nearest.total_s
        sessions, upkeep, guard = self.plan.sessions, UPKEEP_S, 1.0
        launch = self._probed_s(cell)
        squares = sessions * ELEMENT_S * size**2
        if nearest is not None and nearest.launch_s:
            near = nearest.case.size
            launch = nearest.launch_s * self._nominal_s(kernel, size) / self._nominal_s(nearest.case.kernel, near)
            guard = _within(nearest.timed_s / self._timed_s(nearest.launch_s), 1.0, 2.0)
            upkeep = nearest.device_s - nearest.build_s - nearest.warm_up_s - nearest.timed_s
            squares -= sessions * ELEMENT_S * near**2
        timed = self._timed_s(launch) * guard
        return self._around_s() + timed + sessions * usual_warm_up_s(launch) + max(0.0, upkeep + squares)

    def _timed_s(self, launch_s: float) -> float:
        count = launch_count(self.plan.iterations, self.plan.session_ms, launch_s * 1e9)
        return max(self.plan.sessions * count * launch_s, 1e-6)

    def _nearest(self, cell: Cell) -> Spent | None:
        """The latest visit to the nearest size of this operation on this platform, of the same kernel if possible."""
        platform, kernel, size = cell
        operation = self._operation(kernel).name
        found = [
            visits[-1]
            for visits in self._visits.values()
            if visits[-1].case.platform == platform and self._operation(visits[-1].case.kernel).name == operation
        ]
        return min(found, key=lambda s: (abs(math.log(s.case.size / size)), s.case.kernel != kernel), default=None)

    def _probed_s(self, cell: Cell) -> float:
        """A launch by the probe, or by another platform's, or at the nominal speed."""
        platform, kernel, size = cell
        name = self._operation(kernel).name
        others = [value for (_platform, operation), value in self.probe_s.items() if operation == name]
        nominal = self._nominal_s(kernel, PROBE_SIZE)
        probe = self.probe_s.get((platform, name)) or (statistics.median(others) if others else nominal)
        return probe * self._nominal_s(kernel, size) / nominal

    # -- what comes once ---------------------------------------------------------------------------------------

    def _build_s(self, case: Case) -> float:
        firsts = [visits[0] for visits in self._visits.values() if visits[0].case.platform == case.platform]
        once = [max(0.0, first.device_s - self._steady_s(first)) for first in firsts]
        if not once:
            return FIRST_BUILD_S
        return _lower_median(once[1:]) if once[1:] else LATER_BUILD_SHARE * once[0]

    def _reference_s(self, case: Case) -> float:
        """Float64 on the host takes twice what the anchor does in float32; drawing the data comes to it."""
        anchor = _lower_median([s.anchor_s for s in self._cases if s.anchor_s] or [0.01])
        share = self._nominal_s(case.kernel, case.size) / KernelOperation().nominal_s(ANCHOR_SIZE)
        return self.plan.sessions * (2 * anchor * share + ELEMENT_S * case.size**2)

    # -- what stands between -----------------------------------------------------------------------------------

    def _around_s(self) -> float:
        """Around the measurement of a case whose reference was there: anchors, journal, pytest."""
        known: set[tuple[str, int, int]] = set()
        around: list[float] = []
        for spent in self._cases:
            if spent.attempts == 1 and not spent.skipped and self._reference(spent.case) in known:
                around.append(spent.total_s - spent.device_s)
            known.add(self._reference(spent.case))
        return _lower_median(around) if around else AROUND_S

    def _again_s(self) -> float:
        """What attempts that were void have added to each case, on average."""
        lost = [s.total_s - s.device_s - self._around_s() for s in self._cases if s.attempts > 1]
        return max(0.0, sum(lost)) / (len(self._cases) + CALM_CASES)

    def _snapshots_s(self, by_snapshot: Mapping[int, float]) -> float:
        """The snapshots with their pulses; all but the last one take the interval at least."""
        begun = max(self._gaps, default=0)
        gap = statistics.median(self._gaps.values()) if self._gaps else self._usual_gap_s()
        coming = [seconds + gap for snapshot, seconds in by_snapshot.items() if snapshot != begun]
        total = by_snapshot.get(begun, 0.0)
        if coming and begun:
            passed = self._gaps[begun] + sum(spent.total_s for spent in self._cases if spent.case.snapshot == begun)
            total = max(total, self.plan.snapshot_interval_s - passed)
        return total + sum(max(seconds, self.plan.snapshot_interval_s) for seconds in coming[:-1]) + sum(coming[-1:])

    def _usual_gap_s(self) -> float:
        pressure = self.plan.pressure
        pulses = pressure.pulses and pressure.iterations and pressure.mode == "before"
        return PULSES_S * len(self.plan.platforms) if pulses else 0.0

    # -- names -------------------------------------------------------------------------------------------------

    def _operation(self, kernel: str) -> KernelOperation:
        return self.operations.get(kernel, KernelOperation())

    def _nominal_s(self, kernel: str, size: int) -> float:
        return self._operation(kernel).nominal_s(size)

    def _reference(self, case: Case) -> tuple[str, int, int]:
        return self._operation(case.kernel).name, case.size, case.seed


def _cell(case: Case) -> Cell:
    return case.platform, case.kernel, case.size


def _lower_median(values: Sequence[float]) -> float:
    return statistics.median_low(values)


def _within(value: float, least: float, most: float) -> float:
    return min(most, max(least, value))
