"""What the workers of a run are asked for: every request, filled in from the plan, the policy and what is in force."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.guard.coverage import cost_rule
from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.measurement.kernel_operation import KernelOperation, Problem
from pytest_weekops.core.measurement.modes import T3_KERNEL, T5_KERNEL
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, DeviceIdentity
from pytest_weekops.worker.protocol import MeasureRequest, PressureRequest, SelectorRequest, SmokeRequest

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.selection.tuning import TunedVariant
    from pytest_weekops.evidence.tunings import PlatformTuning

_UNTIMED_LAUNCHES = 4  # of a session: two of each set of inputs, which are taken in turn


@dataclass(frozen=True, kw_only=True)
class WorkerRequests:
    """Requests for one run. ``tunings`` are by platform; ``memory_dir`` is where T3 remembers, None for nowhere.

    ``sources`` are hashes of the kernels' files, by path, as the run found them.
    """

    plan: CampaignPlan
    policy: Policy
    kernel_dirs: tuple[str, ...]
    operations: Mapping[str, KernelOperation]
    tunings: Mapping[str, PlatformTuning]
    sources: Mapping[str, str]
    memory_dir: Path | None

    def operation_of(self, kernel: str) -> KernelOperation:
        """The operation that a kernel mode computes; GEMM where none is named."""
        return self.operations.get(kernel, KernelOperation())

    def measure(self, case: Case, identity: DeviceIdentity | None, *, timed: bool = True) -> MeasureRequest:
        """One case of the campaign on the device that answered; its references are still to be made.

        Where its times are not judged a few launches do, on a host that need not be calm.
        """
        n, pressure = case.size, self.plan.pressure
        is_cpu = identity is None or identity.is_cpu
        return MeasureRequest(
            **self._problem(case, (n, n, n, self.operation_of(case.kernel).alpha, 0.0)),
            sessions=self.plan.sessions,
            iterations=self.plan.iterations if timed else min(self.plan.iterations, _UNTIMED_LAUNCHES),
            least_session_ms=self.plan.session_ms if timed else 0.0,
            guard=self._guard(case.kernel),
            guard_draw=case.snapshot,
            guard_cost=cost_rule(self.policy, n) if case.kernel == T5_KERNEL else None,
            selector=self.selector(case, identity),
            pressure_during=pressure.pulses if pressure.mode == "during" else 0,
            pressure_size=pressure.size,
            max_run_delay_percent=self.plan.max_run_delay_percent if timed and is_cpu else None,
        )

    def verify(self, case: Case, problem: Problem, *, iterations: int) -> MeasureRequest:
        """One problem launched ``iterations`` times, no campaign's case; its reference is still to be made."""
        facts = self._problem(case, problem)
        return MeasureRequest(**facts, sessions=1, iterations=iterations, warmup_min=1, warmup_max=1)

    def _problem(self, case: Case, problem: Problem) -> dict[str, Any]:
        """What every launch of a kernel is asked with: the problem, its sources, what is tuned, and the bounds."""
        operation = self.operation_of(case.kernel)
        m, n, k, alpha, beta = problem
        return {
            "operation": operation.name,
            "operation_file": operation.file,
            "kernel": case.kernel,
            "m": m,
            "n": n,
            "k": k,
            "seed": case.seed,
            "alpha": alpha,
            "beta": beta,
            "kernel_dirs": self.kernel_dirs,
            "sources": dict(self.sources),
            "tuned": self._tuned(case.platform),
            # The absolute bound is made for GEMM of these sizes; any other operation's own error unit decides alone.
            "max_abs_error": self.policy.max_abs_error if operation.is_gemm else None,
            "k_scaled_bound": self.policy.k_scaled_bound,
        }

    def smoke(self) -> SmokeRequest:
        """The driver smoke."""
        return SmokeRequest(kernel_dirs=self.kernel_dirs, sources=dict(self.sources))

    def pressure(self) -> PressureRequest:
        """The pressure pulses of one snapshot."""
        wanted = self.plan.pressure
        return PressureRequest(
            pulses=wanted.pulses,
            iterations=wanted.iterations,
            size=wanted.size,
            kernel_dirs=self.kernel_dirs,
            sources=dict(self.sources),
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

    def _tuned(self, label: str) -> tuple[TunedVariant, ...]:
        return self.tunings[label].tuned if label in self.tunings else ()

    def _guard(self, kernel: str) -> GuardSettings | None:
        """The policy's guard for T5; for a workload that has an invariant, its threshold: every launch is checked."""
        if kernel == T5_KERNEL:
            return settings_of(self.policy.guard)
        operation = self.operation_of(kernel)
        return GuardSettings(z=self.policy.guard.z) if operation.file is None and operation.name in GUARDED else None
