"""The check on expectations: what was excused, and which of them are too old, too many, or not needed any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.expected import MOST_DAYS, Outcome
from pytest_weekops.core.judge.expected_gates import GateOutcome, share_of
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed, waived
from pytest_weekops.core.policy.policy import Policy


def expected_faults(policy: Policy, campaign: Campaign) -> Finding:
    """Each known fault that speaks of this run is in force, occurred in full, and they are few."""
    check, limit = "expected_faults", policy.evidence.max_expected_share
    found: tuple[Outcome | GateOutcome, ...] = (*campaign.gate_expectations, *campaign.expectations)
    facts: dict[str, Any] = {"details": tuple(map(_detail, found)), "required": limit}
    if bad := _in_state(found, "expired"):
        message = (
            f"the day is over, more than {MOST_DAYS} days ahead, or cannot be told: {listed(bad)}. Such an expectation "
            "excuses nothing. Look at the fault again: take the entry out, or give it a new day."
        )
        return failed(check, "expired", message, rows=bad, **facts)
    if bad := _in_state(found, "everything"):
        message = f"all of it is expected to fail, and nothing is left to judge: {listed(bad)}"
        return failed(check, "everything", message, rows=bad, **facts)
    share = max(_shares(campaign), default=0.0)
    facts["observed"] = round(share, 6)
    if not share <= limit:
        bad = _in_state(found, "met")
        message = (
            f"{100 * share:.0f} % of a platform's cells, or of a gate's problems, of at most {100 * limit:g} %, were "
            f"excused: {listed(bad)}"
        )
        return failed(check, "too_many", message, rows=bad, **facts)
    if bad := _in_state(found, "unsteady"):
        return failed(check, "unsteady", f"in some cases and not in others: {listed(bad)}", rows=bad, **facts)
    if bad := _in_state(found, "unneeded"):
        message = f"expected, and it worked: {listed(bad)}. Take the entry out."
        return failed(check, "unneeded", message, rows=bad, **facts)
    if bad := _in_state(found, "unmeasured"):
        return no_data(check, "unmeasured", f"nothing shows whether it is still so: {listed(bad)}", rows=bad, **facts)
    if met := _in_state(found, "met"):
        return waived(check, "expected", f"left out, as they were expected to fail: {listed(met)}", rows=met, **facts)
    return passed(check, "no expectation speaks of this run", **facts)


def _in_state(found: Sequence[Outcome | GateOutcome], state: str) -> tuple[str, ...]:
    return tuple(words_of(each) for each in found if each.state == state)


def words_of(one: Outcome | GateOutcome) -> str:
    """The cell or gate, the fault, until when it is expected, why, and whose it is."""
    return f"{one.name}: {one.expectation.words}"


def _detail(one: Outcome | GateOutcome) -> dict[str, Any]:
    told = one.expectation.model_dump(mode="json", exclude={"driver", "case", "gate"})
    if isinstance(one, GateOutcome):
        gate, problem = one.expectation.gate, one.expectation.case
        return {"platform": one.platform, "gate": gate, "problem": problem, "state": one.state, **told}
    platform, kernel, size = one.cell
    return {"platform": platform, "kernel": kernel, "size": size, "state": one.state, **told}


def _shares(campaign: Campaign) -> Iterator[float]:
    """How many of each platform's cells, and of each gate's problems, were excused."""
    plan = campaign.plan
    for platform in plan.platforms:
        yield sum(cell[0] == platform for cell in campaign.excused) / max(1, len(plan.kernels) * len(plan.sizes))
    yield from (share_of(gate) for gate in campaign.gates if campaign.lets_off(gate))
