"""A live run: the workers, the journal, and every record in the order it was made.

The run asks workers and writes down what came back; it decides nothing. Whatever a driver does, :meth:`Run.measure`
returns a measurement, and that measurement is on disk before the next one starts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.judge.host_rules import void_reason
from pytest_weekops.core.measurement.kernel_operation import PROBE_SIZE, KernelOperation, Problem
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import (
    Case,
    DeviceIdentity,
    GateRecord,
    Measurement,
    MeasurementStatus,
    PressureRecord,
)
from pytest_weekops.evidence.journal import Journal, JudgedRecord
from pytest_weekops.run.attempt import story, without_reference
from pytest_weekops.run.host import Anchors, HostWatch
from pytest_weekops.worker.protocol import (
    MeasureRequest,
    PressureRequest,
    ReferenceRequest,
    SelectorRequest,
    Smoked,
    SmokeRequest,
)

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.selection.tuning import TunedVariant
    from pytest_weekops.evidence.tunings import PlatformTuning
    from pytest_weekops.run.guard_book import GuardBook
    from pytest_weekops.worker.host import HostWorker
    from pytest_weekops.worker.supervisor import PlatformSupervisor

T = TypeVar("T", Measurement, PressureRecord, GateRecord, InjectionRecord)


@dataclass
class Platform:
    """One platform of the run: its supervisor, and why it cannot be measured once that is known.

    ``probe_ms`` holds the time of a launch at :data:`PROBE_SIZE` by operation, for estimates only.
    """

    label: str
    supervisor: PlatformSupervisor
    identity: DeviceIdentity | None = None
    unusable: str = ""
    probe_ms: dict[str, float] = field(default_factory=dict)


@dataclass
class Run:
    """One run of one campaign plan. ``say`` prints a line for people; ``records`` are what the judge is given.

    ``operations`` names the operation of each variant; a mode that is not in it is one of GEMM's.
    """

    plan: CampaignPlan
    policy: Policy
    platforms: Mapping[str, Platform]
    host: HostWorker
    journal: Journal
    kernel_dirs: tuple[str, ...] = ()
    operations: Mapping[str, KernelOperation] = field(default_factory=dict)
    guards: GuardBook | None = None
    memory_dir: Path | None = None
    tunings: Mapping[str, PlatformTuning] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    max_abs_error: float | None = None
    k_scaled_bound: float | None = None
    say: Callable[[str], None] = lambda _line: None
    created_at: str = ""
    command: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    records: list[JudgedRecord] = field(default_factory=list)
    smokes: dict[str, Smoked] = field(default_factory=dict)
    _order: int = 0

    def __post_init__(self) -> None:
        """Begin without an anchor."""
        self._anchors = Anchors(self.host)

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
                self.journal.append("note", {"platform": platform.label, "unusable": str(error)})
                continue
            self.journal.append("identity", platform.identity)

    @property
    def identities(self) -> dict[str, DeviceIdentity]:
        """Identity per platform label, for those that answered."""
        return {label: p.identity for label, p in self.platforms.items() if p.identity is not None}

    def operation_of(self, kernel: str) -> KernelOperation:
        """The operation that a kernel mode computes."""
        return self.operations.get(kernel, KernelOperation())

    # -- gates -------------------------------------------------------------------------------------------------

    def gate(self, stage: str, label: str) -> GateRecord:
        """Run the canonical gate on one platform: every planned kernel right at odd shapes. Journals the result."""
        failed = self._gate_failure(stage, label)
        if failed and stage == "opening":
            self.platforms[label].unusable = f"the opening gate failed: {failed}"
        return self.record(GateRecord(gate="canonical", stage=stage, platform=label, passed=not failed, reason=failed))

    def _gate_failure(self, stage: str, label: str) -> str:
        platform = self.platforms[label]
        if platform.unusable:
            return platform.unusable
        for kernel in self.plan.kernels:
            for shape in self.operation_of(kernel).gate:
                answer = self.verify(label, kernel, *shape[:3], alpha=shape[3], beta=shape[4])
                if answer.status is not MeasurementStatus.OK or answer.flaky:
                    m, n, k = shape[:3]
                    return f"{kernel} at {m}x{n}x{k}: {story(answer)}"
        if stage == "opening":
            self._probe(platform)
        return ""

    def _probe(self, platform: Platform) -> None:
        """Time a small problem of each operation, for the estimate only."""
        kernels = {self.operation_of(kernel).name: kernel for kernel in reversed(self.plan.kernels)}
        for name, kernel in kernels.items():
            answer = self.verify(platform.label, kernel, PROBE_SIZE, PROBE_SIZE, PROBE_SIZE, iterations=2)
            times = [ns for session in answer.sessions for ns in session.wall_ns]
            if times:
                platform.probe_ms[name] = min(times) * 1e-6

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
    ) -> Measurement:
        """Run one kernel once at one shape and verify it; not a campaign measurement, so it is not journalled.

        An operation other than GEMM takes its size from ``n``.
        """
        operation = self.operation_of(kernel)
        case = Case(platform=label, kernel=kernel, size=max(m, n, k), seed=seed, snapshot=1)
        try:
            reference = self._reference(operation, (m, n, k, alpha, beta), seed=seed, session=1)
        except WorkerError as error:
            return without_reference(case, operation, error)
        request = MeasureRequest(
            operation=operation.name,
            operation_file=operation.file,
            kernel=kernel,
            m=m,
            n=n,
            k=k,
            seed=seed,
            sessions=1,
            iterations=iterations,
            warmup_min=1,
            warmup_max=1,
            alpha=alpha,
            beta=beta,
            references={1: reference},
            kernel_dirs=self.kernel_dirs,
            tuned=self._tuned(label),
            max_abs_error=self._absolute_bound(operation),
            k_scaled_bound=self.k_scaled_bound,
        )
        return self.platforms[label].supervisor.measure(case, request)

    def smoke(self, label: str) -> GateRecord:
        """Run the driver smoke of one platform and journal it."""
        platform = self.platforms[label]
        if platform.unusable:
            return self.record(
                GateRecord(gate="driver", stage="smoke", platform=label, passed=False, reason=platform.unusable)
            )
        smoked = platform.supervisor.smoke(SmokeRequest(kernel_dirs=self.kernel_dirs))
        self.smokes[label] = smoked
        self.journal.append("smoke", {"platform": label, **smoked.model_dump(mode="json")})
        failed = [f"{step.name}: {step.detail}" for step in smoked.steps if step.status == "failed"]
        if not smoked.steps:
            failed = ["the smoke did nothing"]
        return self.record(
            GateRecord(gate="driver", stage="smoke", platform=label, passed=not failed, reason="; ".join(failed))
        )

    # -- measuring ---------------------------------------------------------------------------------------------

    def pulse(self, label: str, snapshot: int) -> PressureRecord:
        """Send the pressure pulses of one snapshot to one platform and journal how many were done."""
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
            request = PressureRequest(
                pulses=wanted.pulses, iterations=wanted.iterations, size=wanted.size, kernel_dirs=self.kernel_dirs
            )
            done = platform.supervisor.pressure(request)
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
        """Measure one case, again while the host was unstable and the policy allows; every attempt is journalled."""
        answer = self._attempt(case, 1)
        while answer.void and answer.attempt < self.policy.host.max_attempts:
            self.say(f"{case.id}: void, {answer.void_reason}; waiting for the host, then again")
            self._anchors.settle(self.policy.host)
            answer = self._attempt(case, answer.attempt + 1)
        return answer

    def _attempt(self, case: Case, attempt: int) -> Measurement:
        self.journal.append("start", {"case": case.model_dump(mode="json"), "attempt": attempt})
        platform = self.platforms[case.platform]
        if platform.unusable:
            return self.record(
                Measurement(case=case, status=MeasurementStatus.SKIPPED, reason=platform.unusable, attempt=attempt)
            )
        try:
            request = self._request(case)
        except WorkerError as error:
            bare = without_reference(case, self.operation_of(case.kernel), error)
            return self.record(bare.model_copy(update={"attempt": attempt}))
        watch = HostWatch(self._anchors, with_pace=platform.identity is not None and platform.identity.is_cpu)
        started, clock = datetime.now(UTC), time.monotonic()
        answer = platform.supervisor.measure(case, request)
        elapsed = time.monotonic() - clock
        host = watch.end(answer.sessions)
        is_ok = answer.status is MeasurementStatus.OK
        void = void_reason(host, self.policy.host, on_cpu=answer.on_cpu) if is_ok else ""
        self._order += 1
        return self.record(
            self._guarded(answer, void=bool(void)).model_copy(
                update={
                    "host": host,
                    "attempt": attempt,
                    "void": bool(void),
                    "void_reason": void,
                    "order": self._order,
                    "started_at": started.isoformat(timespec="milliseconds"),
                    "elapsed_s": round(elapsed, 6),
                }
            )
        )

    def _guarded(self, answer: Measurement, *, void: bool) -> Measurement:
        """Advance the state of the guard behind a measurement that counts, and journal where it changed."""
        if self.guards is None or void:
            return answer
        noted = self.guards.note(answer, when=datetime.now(UTC).isoformat(timespec="seconds"))
        if noted is None:
            return answer
        if noted.event:
            self.journal.append("guard", {"event": noted.event, "guard": noted.key, "reason": noted.reason})
            self.say(f"{answer.case.id}: guard {noted.event}: {noted.reason}")
        return answer.model_copy(update={"guard": noted.evidence})

    def _request(self, case: Case) -> MeasureRequest:
        n, operation = case.size, self.operation_of(case.kernel)
        problem = (n, n, n, operation.alpha, 0.0)
        sessions = range(1, self.plan.sessions + 1)
        during = self.plan.pressure.pulses if self.plan.pressure.mode == "during" else 0
        return MeasureRequest(
            operation=operation.name,
            operation_file=operation.file,
            alpha=operation.alpha,
            kernel=case.kernel,
            m=n,
            n=n,
            k=n,
            seed=case.seed,
            sessions=self.plan.sessions,
            iterations=self.plan.iterations,
            least_session_ms=self.plan.session_ms,
            references={s: self._reference(operation, problem, seed=case.seed, session=s) for s in sessions},
            guard=self._guard(case.kernel),
            guard_draw=case.snapshot,
            selector=self._selector(case),
            pressure_during=during,
            pressure_size=self.plan.pressure.size,
            kernel_dirs=self.kernel_dirs,
            tuned=self._tuned(case.platform),
            max_abs_error=self._absolute_bound(operation),
            k_scaled_bound=self.k_scaled_bound,
        )

    def _absolute_bound(self, operation: KernelOperation) -> float | None:
        """The absolute bound is made for GEMM of these sizes; any other operation's own error unit decides alone."""
        return self.max_abs_error if operation.is_gemm else None

    def _tuned(self, label: str) -> tuple[TunedVariant, ...]:
        return self.tunings[label].tuned if label in self.tunings else ()

    def _guard(self, kernel: str) -> GuardSettings | None:
        return settings_of(self.policy.guard) if kernel == T5_KERNEL else None

    def _selector(self, case: Case) -> SelectorRequest | None:
        if case.kernel != T3_KERNEL:
            return None
        identity = self.platforms[case.platform].identity
        driver = identity.library_sha256[:16] if identity else "unknown"
        tuning = self.tunings.get(case.platform)
        # A memory of its own: turning the tuning on and off again must not turn a selection on that was turned off.
        name = "-".join(filter(None, (case.platform, driver, tuning.tag if tuning else "")))
        memory = str(self.memory_dir / f"{name}.json") if self.memory_dir else ""
        draws = random.Random(case.id)  # noqa: S311 - replayable, not secret
        priors = tuning.priors if tuning else ()
        return SelectorRequest(
            rules=self.policy.selector, memory=memory, draw=draws.random(), pick=draws.random(), priors=priors
        )

    def _reference(self, operation: KernelOperation, problem: Problem, *, seed: int, session: int) -> str:
        m, n, k, alpha, beta = problem
        request = ReferenceRequest(
            operation=operation.name,
            operation_file=operation.file,
            m=m,
            n=n,
            k=k,
            seed=seed,
            session=session,
            alpha=alpha,
            beta=beta,
            path="",
        )
        return str(self.host.reference(request))

    # -- records -----------------------------------------------------------------------------------------------

    def record(self, record: T) -> T:
        """Journal a record, keep it for the judge, and hand it back."""
        self.journal.append(record.type, record)
        self.records.append(record)
        return record

    def __enter__(self) -> Self:
        """The run itself, closed at the end of the ``with`` block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it, whatever happened."""
        self.close()

    def close(self) -> None:
        """Stop every worker and close the journal. Never raises for a driver's sake."""
        for platform in self.platforms.values():
            platform.supervisor.close()
        self.host.close()
        self.journal.close()
