"""What the judge is given: a plan, records in the order they were made, identities, and pinned baselines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.judge.expected import Outcome, excused, failed_as_expected, outcomes
from pytest_weekops.core.judge.expected_gates import GateOutcome, gate_outcomes, lets_off
from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.judge.metrics import CaseMetrics, case_metrics, on_one_clock
from pytest_weekops.core.measurement.applicability import Place, not_applicable, untimed
from pytest_weekops.core.measurement.driver_files import DriverFile, DriverListing
from pytest_weekops.core.measurement.peak_bound import PeakRecord, not_of
from pytest_weekops.core.measurement.plan import CampaignPlan, taken_plan
from pytest_weekops.core.measurement.records import (
    UNTRIED,
    Case,
    DeviceIdentity,
    GateRecord,
    Measurement,
    MeasurementStatus,
    PartnerRecord,
    PressureRecord,
)
from pytest_weekops.core.measurement.segments import Segment
from pytest_weekops.core.record import Record
from pytest_weekops.core.units import Unit

CellKey = tuple[str, str, int]  # platform, kernel, size


def cell_name(cell: CellKey) -> str:
    """A cell for people."""
    return f"{cell[0]} {cell[1]}:{cell[2]}"


class PinnedBeside(Record):
    """How a promoted run's cell stood beside the reference driver.

    ``driver`` names that driver, what it launched and how it was led. ``log_ratio`` is the cell's log speed over the
    reference's, ``median_ms`` what the reference took, and ``log_p95`` the log p95 over the reference's in the middle
    one of the snapshots, absent in baselines of versions that did not keep it.
    """

    driver: str
    log_ratio: float
    median_ms: float
    log_p95: float | None = None


class BaselineRow(Record):
    """What a promoted run reached in one cell, in the unit of its operation.

    ``anchor_ms`` is that run's mean host anchor, where it had one, and ``beside`` the reference driver beside it.
    """

    kernel: str
    size: int
    mean_gflops: float
    p95_ms: float
    anchor_ms: float | None = None
    unit: Unit = "GFLOPS"
    mean_gbs: float | None = None
    beside: PinnedBeside | None = None

    @property
    def throughput(self) -> float | None:
        """Mean throughput in :attr:`unit`, where the row has it."""
        return self.mean_gbs if self.unit == "GB/s" else self.mean_gflops


class Baseline(Record):
    """A promoted run pinned for one device: profile and hardware, never the driver's version.

    A new driver is judged against what the old one reached. ``source_sha256`` is the hash of the run's journal.
    ``tuned`` names the variants that were measured with tuned build parameters. ``identity`` and ``files`` are those of
    the driver that reached it; absent in baselines of versions that did not keep them.
    """

    profile: str
    hardware: str
    run_id: str
    created_at: str
    source_sha256: str
    rows: tuple[BaselineRow, ...] = ()
    tuned: tuple[str, ...] = ()
    identity: DeviceIdentity | None = None
    files: tuple[DriverFile, ...] = ()

    def fits(self, identity: DeviceIdentity) -> bool:
        """Whether this baseline speaks of that device."""
        return (self.profile, self.hardware) == (identity.profile, identity.hardware)

    def row(self, kernel: str, size: int) -> BaselineRow | None:
        """The row of a cell."""
        return next((row for row in self.rows if (row.kernel, row.size) == (kernel, size)), None)


class MissingBaseline(Record):
    """A baseline that the device of a platform has had, by a record of the ledger, and that is not there for it now.

    ``profile`` and ``hardware`` are those it was pinned for: another label or number of CPUs leaves it behind as well.
    """

    platform: str
    run_id: str
    profile: str
    hardware: str
    record: int

    def words(self, identity: DeviceIdentity | None) -> str:
        """What is missing, and what differs from what was pinned, in one sentence's worth."""
        pinned = f"{self.platform} has had a pinned baseline (run {self.run_id}, record {self.record} of the ledger)"
        now = (identity.profile, identity.hardware) if identity is not None else ("", "")
        if now == (self.profile, self.hardware):
            return f"{pinned}, which is not there"
        return f"{pinned}: for {self.profile} on {self.hardware}, and this is {now[0]} on {now[1]}"


@dataclass(frozen=True)
class Campaign:
    """A live or replayed campaign, with the records sorted out once.

    ``created_at`` and ``ended_at`` are moments by the host's clock; empty where they are not told.
    """

    plan: CampaignPlan
    records: Sequence[JudgedRecord]
    identities: Mapping[str, DeviceIdentity]
    baselines: Sequence[Baseline] = ()
    created_at: str = ""
    missing_baselines: Sequence[MissingBaseline] = ()
    segments: Sequence[Segment] = ()
    ended_at: str = ""

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """Every measurement, void ones included, in order."""
        return tuple(record for record in self.records if isinstance(record, Measurement))

    @cached_property
    def counted(self) -> tuple[Measurement, ...]:
        """Every measurement that is ok and not void, complete or not, in order."""
        return tuple(m for m in self.measurements if m.status is MeasurementStatus.OK and not m.void)

    @cached_property
    def bad(self) -> tuple[Measurement, ...]:
        """Every measurement that was wrong, crashed or failed otherwise, and was not expected to; a flaky one too."""
        failed = (m for m in self.measurements if m.flaky or m.status not in (MeasurementStatus.OK, *UNTRIED))
        return tuple(m for m in failed if not self.is_excused(m.case))

    @cached_property
    def pressure(self) -> tuple[PressureRecord, ...]:
        """Every pressure record."""
        return tuple(record for record in self.records if isinstance(record, PressureRecord))

    @cached_property
    def gates(self) -> tuple[GateRecord, ...]:
        """Every gate record."""
        return tuple(record for record in self.records if isinstance(record, GateRecord))

    @cached_property
    def partner(self) -> PartnerRecord | None:
        """Who took turns with the drivers under test, where the plan has a partner and one record says who it was."""
        found = self._planned_partner
        return found if found is not None and not found.aside else None

    @cached_property
    def stood_aside(self) -> PartnerRecord | None:
        """The reference driver that took no turns, where the plan allows that and no driver is on its device."""
        found, wanted = self._planned_partner, self.plan.partner
        if found is None or not found.aside or wanted is None or wanted.required or wanted.role != "reference":
            return None
        took_turns = any(m.turns is not None and m.turns.partner is not None for m in self.measurements)
        is_there = any(each.hardware == found.identity.hardware for each in self.identities.values())
        return None if took_turns or is_there else found

    @cached_property
    def _planned_partner(self) -> PartnerRecord | None:
        wanted = self.plan.partner
        found = [record for record in self.records if isinstance(record, PartnerRecord)]
        if wanted is None or len(found) != 1 or (found[0].label, found[0].role) != (wanted.label, wanted.role):
            return None
        return found[0]

    @cached_property
    def broke_off(self) -> bool:
        """Whether what surrounded the measurements did not come to its end: it was interrupted, killed, or failed."""
        return not any(gate.stage == "suite" and gate.passed for gate in self.gates)

    @cached_property
    def injections(self) -> tuple[InjectionRecord, ...]:
        """Every fault campaign that the run took along."""
        return tuple(record for record in self.records if isinstance(record, InjectionRecord))

    @cached_property
    def listings(self) -> dict[str, tuple[DriverListing, ...]]:
        """The listings of each platform's driver, in order."""
        found: dict[str, list[DriverListing]] = defaultdict(list)
        for record in self.records:
            if isinstance(record, DriverListing):
                found[record.platform].append(record)
        return {platform: tuple(listings) for platform, listings in found.items()}

    @cached_property
    def peaks(self) -> dict[str, tuple[PeakRecord, ...]]:
        """What level 0 measured of each platform's device, as far as it speaks of it: all of it holds."""
        found: dict[str, list[PeakRecord]] = defaultdict(list)
        now = _moment(self.created_at)
        for record in self.records:
            if isinstance(record, PeakRecord):
                identity = self.identities.get(record.platform)
                if identity is not None and not not_of(record, identity, now):
                    found[record.platform].append(record)
        return {platform: tuple(peaks) for platform, peaks in found.items()}

    def driver_files(self, platform: str) -> tuple[DriverFile, ...]:
        """The files of a platform's driver as the last listing has them; none where nobody looked."""
        return self.listings[platform][-1].files if platform in self.listings else ()

    @cached_property
    def by_case(self) -> dict[Case, tuple[Measurement, ...]]:
        """Measurements that count, per case: void ones do not. More than one per case is a finding elsewhere."""
        found: dict[Case, list[Measurement]] = defaultdict(list)
        for measurement in self.measurements:
            if not measurement.void:
                found[measurement.case].append(measurement)
        return {case: tuple(group) for case, group in found.items()}

    @cached_property
    def voids(self) -> dict[Case, int]:
        """How often each case was void that was void at all."""
        return dict(Counter(measurement.case for measurement in self.measurements if measurement.void))

    @cached_property
    def lost_to_the_host(self) -> frozenset[Case]:
        """Cases of which every attempt was void: measured, and on no host that counts."""
        return frozenset(case for case in self.voids if case not in self.by_case)

    @cached_property
    def cells(self) -> tuple[CellKey, ...]:
        """The cells whose times are judged, in plan order, without those that are left out."""
        return tuple(cell for cell in self.timed_cells if cell not in self.excused)

    @cached_property
    def planned(self) -> tuple[Case, ...]:
        """Every case of the plan."""
        return self.plan.all_cases()

    @cached_property
    def planned_cells(self) -> tuple[CellKey, ...]:
        """Every cell of the plan, in plan order."""
        plan = self.plan
        return tuple((p, kernel, size) for p in plan.platforms for kernel in plan.kernels for size in plan.sizes)

    @cached_property
    def not_applicable(self) -> dict[Place, str]:
        """Platform and kernel of each that its device cannot run, and why."""
        return not_applicable(self.plan, self.identities)

    @cached_property
    def untimed(self) -> frozenset[Place]:
        """Platform and kernel of each whose results are judged and whose times are not."""
        return untimed(self.plan, self.identities, self.partner.identity if self.partner is not None else None)

    @cached_property
    def timed_cells(self) -> tuple[CellKey, ...]:
        """Those whose times are judged, known faults included, in plan order."""
        out = {*self.not_applicable, *self.untimed}
        return tuple(cell for cell in self.planned_cells if cell[:2] not in out)

    def is_asked(self, case: Case) -> bool:
        """Whether a planned case has to have a measurement: its device can run it."""
        return (case.platform, case.kernel) not in self.not_applicable

    def is_timed(self, case: Case) -> bool:
        """Whether times of a case are judged."""
        return (case.platform, case.kernel) not in self.untimed

    @cached_property
    def expectations(self) -> tuple[Outcome, ...]:
        """What came of each known fault that speaks of this run."""
        return outcomes(self.plan, self.identities, self.measurements, self.created_at)

    @cached_property
    def gate_expectations(self) -> tuple[GateOutcome, ...]:
        """What came of each known fault that speaks of one of its gates."""
        return gate_outcomes(self.plan, self.identities, self.gates, self.created_at)

    def lets_off(self, gate: GateRecord) -> bool:
        """Whether a gate failed by nothing but faults that were expected."""
        return lets_off(self.gate_expectations, gate)

    @cached_property
    def excused(self) -> frozenset[CellKey]:
        """Cells that no other check asks for, since they, or the other side's, failed as they were expected to."""
        return excused(self.expectations, self.plan)

    @cached_property
    def failed_as_expected(self) -> frozenset[CellKey]:
        """Cells that failed themselves as they were expected to."""
        return failed_as_expected(self.expectations)

    def is_excused(self, case: Case) -> bool:
        """Whether a case is of a cell that failed itself as it was expected to."""
        return (case.platform, case.kernel, case.size) in self.failed_as_expected

    @cached_property
    def good(self) -> dict[CellKey, tuple[CaseMetrics, ...]]:
        """Metrics of every measurement that is ok, in the plan and complete, per cell, by snapshot then seed."""
        asked = frozenset(self.cells)
        planned = {case for case in self.planned if (case.platform, case.kernel, case.size) in asked}
        found: dict[CellKey, list[CaseMetrics]] = {cell: [] for cell in self.cells}
        for case, group in self.by_case.items():
            if case not in planned or len(group) != 1 or group[0].status is not MeasurementStatus.OK:
                continue
            metrics = case_metrics(group[0], self.plan)
            if metrics is not None:
                found[(case.platform, case.kernel, case.size)].append(metrics)
        order = {seed: place for place, seed in enumerate(self.plan.seeds)}
        return {
            cell: on_one_clock(sorted(rows, key=lambda m: (m.snapshot, order[m.seed]))) for cell, rows in found.items()
        }

    @cached_property
    def memory(self) -> dict[str, object]:
        """What was worked out once of this campaign, by whoever asks again."""
        return {}

    def baseline_for(self, platform: str) -> Baseline | None:
        """The baseline that speaks of a platform's device."""
        identity = self.identities.get(platform)
        return next((b for b in self.baselines if identity is not None and b.fits(identity)), None)


def _moment(text: str) -> datetime | None:
    try:
        return parse_time(text)
    except InputError:
        return None


def least_snapshots(campaign: Campaign) -> int:
    """Snapshots that count in the cell that has fewest; 0 where there is no cell."""
    return min((len({row.snapshot for row in rows}) for rows in campaign.good.values()), default=0)


def live_campaign(
    plan: CampaignPlan,
    records: Sequence[JudgedRecord],
    *,
    identities: Mapping[str, DeviceIdentity],
    baseline: Baseline | Sequence[Baseline] | None = None,
    missing_baselines: Sequence[MissingBaseline] = (),
    created_at: str = "",
    segments: Sequence[Segment] = (),
    ended_at: str = "",
) -> Campaign:
    """The records of a live run, or of its journal, as the judge takes them.

    Its plan is the part that was taken: a run may end at a look.
    """
    pinned = (baseline,) if isinstance(baseline, Baseline) else tuple(baseline or ())
    return Campaign(
        plan=taken_plan(plan, records),
        records=tuple(records),
        identities=dict(identities),
        baselines=pinned,
        created_at=created_at,
        missing_baselines=tuple(missing_baselines),
        segments=tuple(segments),
        ended_at=ended_at,
    )
