"""What the workers of a run are asked for: every request, filled in from the plan, the policy and what is in force."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, Problem
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, DeviceIdentity
from pytest_weekops.worker.protocol import (
    MeasureRequest,
    PressureRequest,
    ReferenceRequest,
    SelectorRequest,
    SmokeRequest,
)

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.selection.tuning import TunedVariant
    from pytest_weekops.evidence.tunings import PlatformTuning


@dataclass(frozen=True, kw_only=True)
class WorkerRequests:
    """Requests for one run. ``tunings`` are by platform; ``memory_dir`` is where T3 remembers, None for nowhere."""

    plan: CampaignPlan
    policy: Policy
    kernel_dirs: tuple[str, ...]
    operations: Mapping[str, KernelOperation]
    tunings: Mapping[str, PlatformTuning]
    memory_dir: Path | None

    def operation_of(self, kernel: str) -> KernelOperation:
        """The operation that a kernel mode computes; GEMM where none is named."""
        return self.operations.get(kernel, KernelOperation())

    def references(self, case: Case) -> dict[int, ReferenceRequest]:
        """What the host worker is asked for before a case is measured, by session."""
        n, operation = case.size, self.operation_of(case.kernel)
        problem = (n, n, n, operation.alpha, 0.0)
        sessions = range(1, self.plan.sessions + 1)
        return {s: self.reference(operation, problem, seed=case.seed, session=s) for s in sessions}

    def reference(
        self, operation: KernelOperation, problem: Problem, *, seed: int, session: int = 1
    ) -> ReferenceRequest:
        """The float64 result of one problem and session; the host worker chooses the path."""
        m, n, k, alpha, beta = problem
        return ReferenceRequest(
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

    def measure(self, case: Case, identity: DeviceIdentity | None, references: Mapping[int, str]) -> MeasureRequest:
        """One case of the campaign on the device that answered; ``references`` are paths by session."""
        n, operation = case.size, self.operation_of(case.kernel)
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
            references=dict(references),
            guard=self._guard(case.kernel),
            guard_draw=case.snapshot,
            selector=self.selector(case, identity),
            pressure_during=during,
            pressure_size=self.plan.pressure.size,
            kernel_dirs=self.kernel_dirs,
            tuned=self._tuned(case.platform),
            max_abs_error=self._absolute_bound(operation),
            k_scaled_bound=self.policy.k_scaled_bound,
        )

    def verify(self, case: Case, problem: Problem, reference: str, *, iterations: int) -> MeasureRequest:
        """One problem launched ``iterations`` times and verified against the file ``reference``; no campaign's case."""
        operation = self.operation_of(case.kernel)
        m, n, k, alpha, beta = problem
        return MeasureRequest(
            operation=operation.name,
            operation_file=operation.file,
            kernel=case.kernel,
            m=m,
            n=n,
            k=k,
            seed=case.seed,
            sessions=1,
            iterations=iterations,
            warmup_min=1,
            warmup_max=1,
            alpha=alpha,
            beta=beta,
            references={1: reference},
            kernel_dirs=self.kernel_dirs,
            tuned=self._tuned(case.platform),
            max_abs_error=self._absolute_bound(operation),
            k_scaled_bound=self.policy.k_scaled_bound,
        )

    def smoke(self) -> SmokeRequest:
        """The driver smoke."""
        return SmokeRequest(kernel_dirs=self.kernel_dirs)

    def pressure(self) -> PressureRequest:
        """The pressure pulses of one snapshot."""
        wanted = self.plan.pressure
        return PressureRequest(
            pulses=wanted.pulses, iterations=wanted.iterations, size=wanted.size, kernel_dirs=self.kernel_dirs
        )

    def selector(self, case: Case, identity: DeviceIdentity | None) -> SelectorRequest | None:
        """How a T3 case chooses its variant; None for a case of any other mode."""
        if case.kernel != T3_KERNEL:
            return None
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

    def _absolute_bound(self, operation: KernelOperation) -> float | None:
        """The absolute bound is made for GEMM of these sizes; any other operation's own error unit decides alone."""
        return self.policy.max_abs_error if operation.is_gemm else None

    def _tuned(self, label: str) -> tuple[TunedVariant, ...]:
        return self.tunings[label].tuned if label in self.tunings else ()

    def _guard(self, kernel: str) -> GuardSettings | None:
        return settings_of(self.policy.guard) if kernel == T5_KERNEL else None
