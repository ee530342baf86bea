"""What a fault campaign found, and whether that suffices. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.record import Record

WHOLE_FAULT = "a launch dropped"  # spoils every line of C, so that a guard that looks at one line alone must see it
EXPONENT_AND_SIGN = range(23, 32)


class BitRecall(Record):
    """Flips of one bit of C (31 is the sign, 30 to 23 the exponent): planted and caught."""

    bit: int
    tried: int
    caught: int


class FaultRecall(Record):
    """Faults of one kind: planted and caught."""

    name: str
    tried: int
    caught: int


class Injection(Record):
    """One campaign at one size: recall per bit and kind of fault, false alarms among launches without one.

    Recalls are those of a launch that is checked. ``settings`` are the guard's; without them, it was one of full
    coverage of every launch. ``looked_at`` are the critical flips that lay on a line which a sampled check looked at.
    ``kernel_sha256`` and ``build_options`` are those of the variant, as in a measurement.
    """

    variant: str
    size: int
    z: float
    bits: tuple[BitRecall, ...]
    critical: FaultRecall
    faults: tuple[FaultRecall, ...]
    clean_launches: int
    false_alarms: int
    largest_residual_share: float
    self_test: str = ""
    settings: GuardSettings | None = None
    looked_at: FaultRecall | None = None
    kernel_sha256: str = ""
    build_options: tuple[str, ...] = ()

    @property
    def build(self) -> tuple[str, str, tuple[str, ...]]:
        """Variant, its source and how it was built: a tuned kernel is another one."""
        return self.variant, self.kernel_sha256, self.build_options

    @property
    def guard(self) -> GuardSettings:
        """The settings of the guard that was tried."""
        return self.settings or GuardSettings(z=self.z)

    def per_launch(self, share: float) -> float:
        """A recall of checked launches as one of all launches: every so manyth is checked."""
        return share / self.guard.period

    @property
    def uniform(self) -> FaultRecall:
        """Flips of all bits alike."""
        return _sum("uniform bits", self.bits)

    @property
    def exponent_and_sign(self) -> FaultRecall:
        """Flips of the exponent's eight bits and the sign."""
        return _sum("exponent and sign", [bit for bit in self.bits if bit.bit in EXPONENT_AND_SIGN])


class InjectionRecord(Record):
    """A campaign as a run takes it into its journal: of which driver, on which hardware, when."""

    type: Literal["injection"] = "injection"
    platform: str
    library_sha256: str
    hardware: str
    made_at: str
    result: Injection


def _sum(name: str, bits: tuple[BitRecall, ...] | list[BitRecall]) -> FaultRecall:
    return FaultRecall(name=name, tried=sum(b.tried for b in bits), caught=sum(b.caught for b in bits))


@dataclass(frozen=True)
class Demands:
    """What a campaign must show: recalls as shares of all launches' faults, and how much evidence they must rest on."""

    critical_recall: float = 1.0
    uniform_recall: float = 0.0
    least_critical: int = 3000
    least_clean: int = 300
    most_false_alarms: int = 0


def shortfalls(found: Injection, demands: Demands) -> tuple[str, ...]:
    """Sentences for everything the campaign does not show; empty where it suffices."""
    problems: list[str] = []
    if found.self_test:
        problems.append(f"the self-test failed: {found.self_test}")
    if found.critical.tried < demands.least_critical:
        problems.append(f"{found.critical.tried} critical flips were planted, {demands.least_critical} are needed")
    for recall, least in ((found.critical, demands.critical_recall), (found.uniform, demands.uniform_recall)):
        share = found.per_launch(recall.caught / recall.tried) if recall.tried else math.nan
        if not share >= least:
            every = "" if found.guard.period == 1 else f", in one launch of {found.guard.period}"
            caught = f"{recall.caught} of {recall.tried} caught{every}"
            problems.append(f"{recall.name}: {caught}; {100 * least:g} % are needed")
    sampled = found.guard.mode == "sampled"
    demanded = [fault for fault in found.faults if not sampled or fault.name == WHOLE_FAULT]
    missed = [fault for fault in demanded if not 0 < fault.tried == fault.caught]
    problems += [f"{fault.name}: {fault.caught} of {fault.tried} caught" for fault in missed]
    if not demanded:
        problems.append("no fault but flips was planted")
    if found.clean_launches < demands.least_clean:
        problems.append(f"{found.clean_launches} launches without a fault, {demands.least_clean} are needed")
    if found.false_alarms > demands.most_false_alarms:
        problems.append(f"{found.false_alarms} false alarms in {found.clean_launches} launches without a fault")
    if not found.largest_residual_share < 0.5:
        share = found.largest_residual_share
        problems.append(f"a good launch's residual reached {share:.2f} of its threshold, half is the most it may")
    return tuple(problems)


def control_problem(found: Injection) -> str:
    """Why a campaign of a guard that was broken on purpose does not fail as it must; nothing where it does.

    It must fail by what it saw, not by how little was planted: amounts are not looked at.
    """
    if not found.critical.tried:
        return "no critical flip was planted, so that nothing can be missed"
    amounts = Demands(least_critical=0, least_clean=0)
    if found.self_test and shortfalls(found.model_copy(update={"self_test": ""}), amounts):
        return ""
    trust = "" if found.self_test else "its self-test passed, and "
    return f"{trust}{found.critical.caught} of {found.critical.tried} critical flips count as caught by a broken guard"
