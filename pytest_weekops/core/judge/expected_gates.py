"""What came of each expectation that speaks of a gate of the canonical tier: met in full, it excuses its own faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_weekops.core.judge.expected import State, day_of, is_in_force, state_of
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity, GateRecord


@dataclass(frozen=True)
class GateOutcome:
    """An expectation, the platform on whose gate it speaks, and what came of it.

    The states are those of a cell's, with the problems of the gate in place of cases. ``everything``: with the others
    that are met, of each problem that the gate asked for.
    """

    expectation: Expectation
    platform: str
    state: State

    @property
    def name(self) -> str:
        """Platform, gate and kernel for people."""
        return f"{self.platform} {self.expectation.gate} {self.expectation.case}"

    @property
    def key(self) -> str:
        """The key of its gate's record."""
        return _key(self.expectation, self.platform)


def gate_outcomes(
    plan: CampaignPlan, identities: Mapping[str, DeviceIdentity], gates: Sequence[GateRecord], created_at: str
) -> tuple[GateOutcome, ...]:
    """What came of each expectation that speaks of a gate which the plan lists, on a driver that answered."""
    found = [
        GateOutcome(one, platform, _state(one, [gate for gate in gates if gate.key == _key(one, platform)], created_at))
        for one in plan.expected
        for platform in plan.platforms
        if one.gate is not None and _key(one, platform) in plan.gates and one.driver.is_of(identities.get(platform))
    ]
    return tuple(_never_everything(found, gates))


def lets_off(found: Sequence[GateOutcome], gate: GateRecord) -> bool:
    """Whether a failed gate failed by nothing but faults that were expected, each in full."""
    met = [each.expectation for each in found if each.state == "met" and each.key == gate.key]
    failed = not gate.passed and not gate.undone and bool(gate.faults)
    return failed and all(any(one.is_of_gate(fault) for one in met) for fault in gate.faults)


def share_of(gate: GateRecord) -> float:
    """How many of a gate's problems failed."""
    return len(gate.faults) / max(1, sum(gate.asked.values()))


def _key(one: Expectation, platform: str) -> str:
    return f"canonical/{one.gate}/{platform}"


def _state(one: Expectation, gates: Sequence[GateRecord], created_at: str) -> State:
    if not is_in_force(one, day_of(created_at)):
        return "expired"
    if len(gates) != 1:
        return "unmeasured"
    (gate,) = gates
    mine = [fault for fault in gate.faults if one.covers(f"{fault.kernel}@{fault.shape}")]
    many = sum(count for problem, count in gate.asked.items() if one.covers(problem))
    return state_of(hits=sum(map(one.is_of_gate, mine)), failed=len(mine), many=many)


def _never_everything(found: Sequence[GateOutcome], gates: Sequence[GateRecord]) -> Iterator[GateOutcome]:
    """The outcomes, where none lets a gate off of which each problem failed."""
    nothing_left = {gate.key for gate in gates if lets_off(found, gate) and not share_of(gate) < 1}
    for each in found:
        is_one = each.state == "met" and each.key in nothing_left
        yield replace(each, state="everything") if is_one else each
