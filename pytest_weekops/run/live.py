"""A live run: the workers, the journal, and every record in the order it was made.

The run asks workers and writes down what came back; it decides nothing. Whatever a driver does, :meth:`Run.measure`
returns a measurement, and that measurement is on disk before the next one starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import (
    Case,
    DeviceIdentity,
    GateRecord,
    LookRecord,
    Measurement,
    PressureRecord,
)
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.run.applicable import Applicable
from pytest_weekops.run.attempt import without_reference
from pytest_weekops.run.cold_starts import cold_starts
from pytest_weekops.run.gates import GateFailure, gate_failure, known_aborts, probe_ms, smoke_failure
from pytest_weekops.run.host import Anchors
from pytest_weekops.run.measuring import Measuring
from pytest_weekops.run.partners import start_partner, takes_turns
from pytest_weekops.run.worker_requests import WorkerRequests
from pytest_weekops.worker.protocol import Smoked
from pytest_weekops.worker.verified import with_references

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline, Campaign, MissingBaseline
    from pytest_weekops.core.measurement.segments import Segment
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.evidence.tunings import PlatformTuning
    from pytest_weekops.run.earlier import Earlier
    from pytest_weekops.run.guard_book import GuardBook
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.supervisor import PlatformSupervisor

T = TypeVar("T", bound=JudgedRecord)


@dataclass
class Platform:
    """One platform of the run: its supervisor, and why it cannot be measured once that is known.

    ``is_hosts``: it is the host that cannot verify it, which says nothing of its driver.
    ``probe_ms`` holds the time of a launch at :data:`PROBE_SIZE` by operation, for estimates only.
    """

    label: str
    supervisor: PlatformSupervisor
    identity: DeviceIdentity | None = None
    unusable: str = ""
    is_hosts: bool = False
    probe_ms: dict[str, float] = field(default_factory=dict)


@dataclass
class Run:
    """One run of one campaign plan. ``say`` prints a line for people; ``records`` are what the judge is given.

    ``operations`` names the operation of each variant; a mode that is not in it is one of GEMM's. ``sources`` are
    hashes of the kernels' files by path, read once when the run was opened, ``kernels`` the same by name. ``earlier``
    is the run that this one goes on with. ``partner`` takes turns with the platforms and is none of them.
    """

    plan: CampaignPlan
    policy: Policy
    platforms: Mapping[str, Platform]
    host: HostWorker
    journal: Journal
    kernel_dirs: tuple[str, ...] = ()
    operations: Mapping[str, KernelOperation] = field(default_factory=dict)
    kernels: Mapping[str, str] = field(default_factory=dict)
    guards: GuardBook | None = None
    memory_dir: Path | None = None
    tunings: Mapping[str, PlatformTuning] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    say: Callable[[str], None] = lambda _line: None
    created_at: str = ""
    command: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    missing_baselines: tuple[MissingBaseline, ...] = ()
    records: list[JudgedRecord] = field(default_factory=list)
    smokes: dict[str, Smoked] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    earlier: Earlier | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    ended_after: int | None = None
    partner: Platform | None = None

    def __post_init__(self) -> None:
        """Begin without an anchor, and with nothing measured."""
        self._anchors = Anchors(self.host)
        before = self.earlier
        self._measured = before.measured if before else {}
        self._pressed = before.pressed if before else {}
        self._measuring = Measuring(
            self, self._anchors, attempts=before.attempts if before else {}, order=before.last_order if before else 0
        )

    # -- inventory ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start every platform and journal who answered. Raises ``DeviceError`` where a profile matches nothing.

        A driver that crashes or hangs while it is enumerated is evidence, not a mistake of the user: that platform
        becomes unusable and the others go on.
        """
        for platform in self.platforms.values():
            try:
                platform.identity = platform.supervisor.start()
            except WorkerError as error:
                platform.unusable = str(error)
                self.journal.append("note", {"platform": platform.label, "unusable": platform.unusable})
                continue
            self.journal.append("identity", platform.identity)
            self._list(platform.supervisor.files.listing())
        if self.partner is not None:
            self._open_partner(self.partner)

    def _open_partner(self, partner: Platform) -> None:
        """Start who takes turns with the others. Raises ``InputError`` where nothing could be compared with it."""
        assert self.plan.partner is not None
        record = start_partner(self.plan.partner, partner.supervisor, self.identities)
        partner.identity = record.identity
        if self.earlier is None:
            self.record(record)
        if record.aside:
            partner.supervisor.close()
            self.partner = None
        self.list_partner()

    def list_partner(self) -> None:
        """Write down which files the partner's driver has by now."""
        if self.partner is not None:
            self.partner.supervisor.files.listing()
            for listing in self.partner.supervisor.files.listings.values():
                self._list(listing)

    def partner_for(self, case: Case) -> Platform | None:
        """Who takes turns with a case, or nobody."""
        mine, partner = self.platforms[case.platform].identity, self.partner
        if partner is None or mine is None or partner.identity is None:
            return None
        is_gemm = self.operation_of(case.kernel).is_gemm
        return partner if takes_turns(case, self.plan, mine, partner.identity, is_gemm=is_gemm) else None

    @property
    def _workers(self) -> list[Platform]:
        return [*self.platforms.values(), *([self.partner] if self.partner is not None else [])]

    @property
    def identities(self) -> dict[str, DeviceIdentity]:
        """Identity per platform label, for those that answered."""
        return {label: p.identity for label, p in self.platforms.items() if p.identity is not None}

    @property
    def everybody(self) -> dict[str, DeviceIdentity]:
        """The same with the partner's."""
        partner = self.partner
        known = {partner.label: partner.identity} if partner is not None and partner.identity is not None else {}
        return {**self.identities, **known}

    @property
    def applicable(self) -> Applicable:
        """Which of the plan's kernels the devices that answered can run."""
        partner = self.partner.identity if self.partner is not None else None
        return Applicable(self.plan, self.identities, partner)

    def operation_of(self, kernel: str) -> KernelOperation:
        """The operation that a kernel mode computes."""
        return self.requests.operation_of(kernel)

    def known_aborts(self, label: str) -> dict[str, str]:
        """Kernels over which a platform's compiler is known to take its worker down, and why. It is never asked."""
        return known_aborts(self.kernel_dirs, self.platforms[label].identity)

    @property
    def requests(self) -> WorkerRequests:
        """What workers are asked for as the run stands now; tunings are put in force after it was made."""
        return WorkerRequests(
            plan=self.plan,
            policy=self.policy,
            kernel_dirs=self.kernel_dirs,
            operations=self.operations,
            tunings=self.tunings,
            sources=self.sources,
            memory_dir=self.memory_dir,
        )

    # -- gates -------------------------------------------------------------------------------------------------

    def gate(self, stage: str, label: str) -> GateRecord:
        """Run the canonical gate on one platform: every planned kernel right at odd shapes. Journals the result."""
        platform = self.platforms[label]
        failed = GateFailure(platform.unusable, platform.is_hosts)
        kernels, out = self.applicable.of_gate(label)
        if not failed:
            verify = partial(self.verify, label)
            failed = gate_failure(kernels, self.operation_of, verify)
            if stage == "opening" and not failed:
                platform.probe_ms.update(probe_ms(kernels, self.operation_of, verify))
            if stage == "opening" and failed:
                platform.unusable, platform.is_hosts = f"the opening gate {failed.ended}", failed.is_hosts
        return self.record(GateRecord(gate="canonical", stage=stage, platform=label, left_out=out, **failed.facts))

    def verify(
        self,
        label: str,
        kernel: str,
        m: int,
        n: int,
        k: int,
        *,
        seed: int = 1,
        alpha: float = 1.0,
        beta: float = 0.0,
        iterations: int = 1,
        retry: bool = True,
    ) -> Measurement:
        """Run one kernel once at one shape and verify it; not a campaign measurement, so it is not journalled.

        An operation other than GEMM takes its size from ``n``. Without ``retry`` a crash is not tried again.
        """
        case = Case(platform=label, kernel=kernel, size=max(m, n, k), seed=seed, snapshot=1)
        request = self.requests.verify(case, (m, n, k, alpha, beta), iterations=iterations)
        try:
            request = with_references(self.host, request)
        except WorkerError as error:
            return without_reference(case, self.operation_of(kernel), error)
        return self.platforms[label].supervisor.measure(case, request, retry=retry)

    def smoke(self, label: str) -> GateRecord:
        """Run the driver smoke of one platform, and the cold starts that the plan asks for with it, and journal it."""
        platform = self.platforms[label]
        failed = platform.unusable
        if not failed:
            smoked = platform.supervisor.smoke(self.requests.smoke())
            if many := self.plan.cold_starts:
                step = cold_starts(platform.supervisor.cold_start, many)
                self.say(f"  {label}: {step.detail}")
                smoked = smoked.model_copy(update={"steps": (*smoked.steps, step)})
            self.smokes[label] = smoked
            self.journal.append("smoke", {"platform": label, **smoked.model_dump(mode="json", exclude={"seen"})})
            failed = smoke_failure(smoked)
        return self.record(GateRecord(gate="driver", stage="smoke", platform=label, passed=not failed, reason=failed))

    # -- measuring ---------------------------------------------------------------------------------------------

    def pulse(self, label: str, snapshot: int) -> PressureRecord:
        """Send the pressure pulses of one snapshot to one platform and journal how many were done.

        In a run that is gone on with, those of a snapshot of which nothing is left to measure are not sent again.
        """
        if (label, snapshot) in self._pressed and self.is_measured(snapshot):
            return self._pressed[label, snapshot]
        wanted = self.plan.pressure
        platform = self.platforms[label]
        if platform.unusable:
            answer = PressureRecord(
                platform=label,
                snapshot=snapshot,
                requested=wanted.pulses,
                completed=0,
                failures=wanted.pulses,
                errors=(platform.unusable,),
            )
        else:
            done = platform.supervisor.pressure(self.requests.pressure())
            answer = PressureRecord(
                platform=label,
                snapshot=snapshot,
                requested=wanted.pulses,
                completed=done.completed,
                failures=done.failures,
                errors=done.errors,
            )
        self._anchors.forget()
        return self.record(answer)

    def measure(self, case: Case) -> Measurement:
        """Measure one case, again while the host was unstable and the policy allows; every attempt is journalled.

        In a run that is gone on with, a case that was measured before has its measurement, and is not asked again. One
        that is not applicable is skipped, and not journalled: the plan and the driver's identity say so.
        """
        if not (applicable := self.applicable).has(case):
            return applicable.skipped(case)
        return self._measured.get(case) or self._measuring.measure(case)

    def is_measured(self, what: Case | int) -> bool:
        """Whether a case, or all cases of a snapshot, were measured before this run was gone on with."""
        if isinstance(what, Case):
            return what in self._measured
        return all(case in self._measured for case in filter(self.applicable.has, self.plan.cases(what)))

    def expects(self, answer: Measurement) -> str:
        """The known fault that a measurement ended with, in words; empty where it is none. The judge decides."""
        from pytest_weekops.core.judge.expected import day_of, is_in_force

        plan, today = self.plan, day_of(self.created_at)
        return next((one.words for one in plan.expected if one.is_of(answer) and is_in_force(one, today)), "")

    def look(self, snapshots: int) -> bool:
        """Look at the run after so many snapshots, where its plan does: whether all is decided and measuring ends.

        The look is journalled. A run that has ended has ended for good, and what was looked at is not looked at again.
        """
        plan = self.plan
        if self.ended_after is None:
            looked = {record.snapshots: record for record in self.records if isinstance(record, LookRecord)}
            if snapshots in plan.looks and snapshots < plan.snapshots and snapshots not in looked:
                from pytest_weekops.core.judge.looks import look_at

                looked[snapshots] = self.record(look_at(self.policy, self._campaign(), snapshots))
            self.ended_after = next((after for after, record in looked.items() if record.ends), None)
        return self.ended_after is not None

    def _campaign(self) -> Campaign:
        from pytest_weekops.core.judge.campaign import live_campaign

        return live_campaign(
            self.plan,
            self.records,
            identities=self.identities,
            baseline=self.baselines,
            missing_baselines=self.missing_baselines,
            created_at=self.created_at,
            segments=self.segments,
        )

    # -- records -----------------------------------------------------------------------------------------------

    def record(self, record: T) -> T:
        """Journal a record, keep it for the judge, and hand it back; before it, driver files that it is first with."""
        if isinstance(record, Measurement) and record.case.platform in self.platforms:
            listing = self.platforms[record.case.platform].supervisor.files.listings.get(record.driver_files)
            if listing is not None:
                self._list(listing)
        self.journal.append(record.type, record)
        self.records.append(record)
        return record

    def _list(self, listing: DriverListing) -> None:
        """Write a listing of a driver's files down, once."""
        written = [r for r in self.records if isinstance(r, DriverListing) and r.platform == listing.platform]
        if listing.files and listing.digest not in {each.digest for each in written}:
            after = written[-1].digest if written else ""
            self.record(listing.model_copy(update={"after": after}))

    def __enter__(self) -> Self:
        """The run itself, closed at the end of the ``with`` block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it, whatever happened."""
        self.close()

    def break_off(self) -> None:
        """Kill every worker at once: nothing more will be measured. The journal stays open for the verdict.

        What is judged is what is on disk: Ctrl-C may have come between a record's line and its place in the list.
        """
        for platform in self._workers:
            platform.supervisor.abandon()
        self.host.close()
        if not self.journal.damage():
            self.records[:] = read_run(self.journal.path).records

    def end_drivers(self) -> None:
        """Ask every driver to end: one that crashes, hangs or leaves on its way out fails a gate of its own."""
        for label, platform in self.platforms.items():
            if problem := platform.supervisor.close():
                self.record(GateRecord(gate="driver", stage="closing", platform=label, passed=False, reason=problem))

    def close(self) -> None:
        """Stop every worker and close the journal. Never raises for a driver's sake."""
        for platform in self._workers:
            platform.supervisor.close()
        self.host.close()
        self.journal.close()
