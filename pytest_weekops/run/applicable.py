"""Which kernels of a live run its devices can run, and which are measured for their results alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pytest_weekops.core.measurement.applicability import Place, not_applicable, untimed
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, Measurement, MeasurementStatus


@dataclass(frozen=True)
class Applicable:
    """The plan beside who answered: as the judge will see it."""

    plan: CampaignPlan
    identities: Mapping[str, DeviceIdentity]
    partner: DeviceIdentity | None = None

    @cached_property
    def left_out(self) -> dict[Place, str]:
        """Platform and kernel of each that its device cannot run, and why."""
        return not_applicable(self.plan, self.identities)

    @cached_property
    def untimed(self) -> frozenset[Place]:
        """Platform and kernel of each that is measured for its results alone."""
        return untimed(self.plan, self.identities, self.partner)

    def has(self, case: Case) -> bool:
        """Whether the device can run the kernel."""
        return (case.platform, case.kernel) not in self.left_out

    def is_timed(self, case: Case) -> bool:
        """Whether times of the case are judged."""
        return (case.platform, case.kernel) not in self.untimed

    def skipped(self, case: Case) -> Measurement:
        """What stands for a case that is not applicable; it is not journalled, since plan and identity say so."""
        why = self.left_out[case.platform, case.kernel]
        return Measurement(case=case, status=MeasurementStatus.SKIPPED, reason=f"{case.kernel} {why}")

    def of_gate(self, label: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """Kernels that a platform's gate asks for, and those that it leaves out, with the reason.

        One whose results alone are judged, and which has a known fault, is asked in its cells and not here.
        """
        out = {kernel: why for (where, kernel), why in self.left_out.items() if where == label}
        identity = self.identities.get(label)
        known = {
            one.case.rpartition(":")[0] for one in self.plan.expected if one.gate is None and one.driver.is_of(identity)
        }
        known &= set(self.plan.results_only)
        return tuple(kernel for kernel in self.plan.kernels if kernel not in out and kernel not in known), out

    def tell(self, say: Callable[[str], None]) -> None:
        """Say before anything is measured what will not be, and why: the verdict says it again."""
        for (label, kernel), why in self.left_out.items():
            say(f"  {label}: {kernel} {why}")
