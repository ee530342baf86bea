"""Checks on what surrounds the runs: gates, the other tests, pressure, and a host that held still."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_weekops.core.judge.campaign import Campaign, least_snapshots
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.host_rules import in_turns, void_reason
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.measurement.records import GateRecord, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy

_SENDS = "A test that uses weekops_pulse sends them, as in suites/weekly; --pressure-pulses 0 plans none."
_OTHER_STAGES = ("suite", "check")
_EVERY, _DRAWN = "odd-shapes", "any-shape"  # gates of the canonical tier


def canonical_gate(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Every gate that the plan lists was run and asked for each kernel; each passed, or failed by known faults only."""
    return _gates("canonical_gate", campaign, others=False)


def other_tests(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """The rest of the pytest run did not fail, no user's check objects, and the run came to its end."""
    return _gates("other_tests", campaign, others=True)


def _gates(check: str, campaign: Campaign, *, others: bool) -> Finding:
    def mine(stage: str) -> bool:
        return (stage in _OTHER_STAGES) == others

    seen = [gate for gate in campaign.gates if mine(gate.stage)]
    wanted = [key for key in campaign.plan.gates if mine(key.split("/", 1)[0])]
    undone = [gate for gate in seen if gate.undone]
    let_off = [gate for gate in seen if campaign.lets_off(gate)]
    bad = [gate for gate in seen if not gate.passed and not gate.undone and gate not in let_off]
    missing = [key.rstrip("/") for key in wanted if key not in {gate.key for gate in seen}]
    if bad:
        words = [_story(gate) for gate in bad]
        return failed(
            check, "failed", listed(words), rows=tuple(gate.key for gate in bad), observed=len(bad), required=0
        )
    if undone:
        words = [_story(gate) for gate in undone]
        rows = tuple(gate.key for gate in undone)
        return no_data(check, "undone", listed(words), rows=rows, observed=len(undone), required=0)
    if missing or not wanted:
        lacking = listed(missing) if missing else "the plan names none"
        return no_data(check, "missing", f"not run: {lacking}", rows=tuple(missing), observed=len(missing), required=0)
    if unasked := _unasked(campaign, seen):
        words = [f"{key.removesuffix('/')} did not ask for {listed(names)}" for key, names in unasked.items()]
        message = f"{listed(words)}. Nothing shows that these kernels are right. Let the suite run as it is shipped."
        return no_data(check, "unasked", message, rows=tuple(unasked), observed=len(unasked), required=0)
    known = f", {len(let_off)} but for known faults" if let_off else ""
    return passed(check, f"{len(seen)} gates passed{known}", observed=0, required=0)


def _unasked(campaign: Campaign, gates: Iterable[GateRecord]) -> dict[str, list[str]]:
    """The kernels of the plan that each gate of the canonical tier neither asked for nor left out, by its key.

    ``odd-shapes`` asks for every one, ``any-shape`` for those that are drawn. Runs from before their kernels were
    written down have none.
    """
    found = {}
    for gate in gates:
        asked = {problem.partition("@")[0] for problem in gate.asked}
        if gate.stage == "canonical" and (gate.gate == _EVERY or (gate.gate == _DRAWN and not asked)):
            found[gate.key] = [v.kernel for v in campaign.plan.variants if v.kernel not in {*asked, *gate.left_out}]
    return {key: names for key, names in found.items() if names}


def _story(gate: GateRecord) -> str:
    where = f" on {gate.platform}" if gate.platform else ""
    told = gate.undone or gate.reason
    reason = told.splitlines()[0][:200] if told else "no reason given"
    return f"{gate.stage} {gate.gate}{where}: {reason}"


def host_stable(policy: Policy, campaign: Campaign) -> Finding:
    """No case stayed void through all its attempts, and none that counts was taken on a host that moved too much.

    In a run with looks other snapshots stand in for those that stayed void, as long as each cell has the least number.
    """
    check = "host_stable"
    lost = [case.id for case in campaign.voids if case in campaign.lost_to_the_host and campaign.is_timed(case)]
    total = sum(campaign.voids.values())
    if lost and not (campaign.plan.looks and least_snapshots(campaign) >= campaign.plan.looks[0]):
        message = f"host unstable: {listed(lost)} stayed void. Run again on a quiet machine."
        return inconclusive(check, "host_unstable", message, rows=tuple(lost), observed=total, required=0)
    # What was void when it was measured is not here; a policy that asks for a stiller host than the run's may be.
    moved = [
        (m.case.id, reason)
        for m in campaign.measurements
        if m.status is MeasurementStatus.OK and not m.void and campaign.is_timed(m.case)
        if (reason := void_reason(m.host, policy.host, on_cpu=m.on_cpu and not in_turns(m)))
    ]
    if moved:
        words = [f"{name}: {reason}" for name, reason in moved]
        rows = tuple(name for name, _reason in moved)
        message = f"the host moved more than this policy allows: {listed(words)}"
        return inconclusive(check, "host_moved", message, rows=rows, observed=len(moved), required=0)
    instead = f", {len(lost)} cases stayed void and other snapshots stand in for them" if lost else ", all repeated"
    return passed(check, f"{total} void measurements{instead}", observed=total)


def pressure_failures_zero(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """Every pressure pulse that was planned was sent and completed, on every platform, in every snapshot."""
    check = "pressure_failures_zero"
    wanted = campaign.plan.pressure
    bad = [r for r in campaign.pressure if r.failures or r.completed != r.requested or r.requested < 0]
    if bad:
        words = [f"{r.platform} snapshot {r.snapshot}: {r.completed} of {r.requested}" for r in bad]
        return failed(check, "failed_pulses", listed(words), rows=tuple(words), observed=len(bad), required=0)
    if not (wanted.pulses and wanted.iterations):
        return passed(check, "no pressure was planned")
    missing = _missing_during(campaign) if wanted.mode == "during" else _missing_before(campaign)
    if missing:
        return no_data(check, "missing_pulses", f"no pulses: {listed(missing)}. {_SENDS}", rows=tuple(missing))
    return passed(check, "every pressure pulse completed", observed=0, required=0)


def _missing_before(campaign: Campaign) -> list[str]:
    plan = campaign.plan
    done = {(r.platform, r.snapshot) for r in campaign.pressure if r.requested >= plan.pressure.pulses}
    return [
        f"{platform} snapshot {snapshot}"
        for snapshot in range(1, plan.snapshots + 1)
        for platform in plan.platforms
        if (platform, snapshot) not in done
    ]


def _missing_during(campaign: Campaign) -> list[str]:
    wanted = campaign.plan.pressure.pulses * campaign.plan.sessions
    ok = [m for m in campaign.measurements if m.status is MeasurementStatus.OK]
    return [m.case.id for m in ok if m.pressure_completed < wanted]
