"""Checks on the runs as such: all there, each once, each ok, each on the device that was selected."""

from __future__ import annotations

from pytest_weekops.core.judge.campaign import Campaign, cell_name, least_snapshots
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.metrics import incompleteness, nonfinite
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.records import UNTRIED, Measurement, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy

_OK = MeasurementStatus.OK
_SHOWN = 160  # characters of a reason


def _ok(campaign: Campaign) -> list[Measurement]:
    return [m for m in campaign.measurements if m.status is _OK and not m.void]


def minimum_snapshots(policy: Policy, campaign: Campaign) -> Finding:
    """Enough snapshots, counted from runs: a snapshot counts when every cell has an ok run in it."""
    check = "minimum_snapshots"
    wanted = policy.guardrails.minimum_snapshots if campaign.plan.kind == "weekly" else 1
    counted = [
        snapshot
        for snapshot in range(1, campaign.plan.snapshots + 1)
        if all(any(row.snapshot == snapshot for row in rows) for rows in campaign.good.values())
    ]
    if campaign.plan.looks:
        return _each_cell_has(max(wanted, campaign.plan.looks[0]), campaign)
    facts = {"observed": len(counted), "required": wanted}
    if not campaign.cells or len(counted) < wanted:
        return no_data(check, "too_few", f"{len(counted)} complete snapshots of at least {wanted:g}", **facts)
    return passed(check, f"{len(counted)} complete snapshots", **facts)


def _each_cell_has(wanted: float, campaign: Campaign) -> Finding:
    """The same in a run with looks, where a snapshot that was void in one cell may count in another."""
    check, least = "minimum_snapshots", least_snapshots(campaign)
    if least < wanted:
        few = [cell_name(c) for c, rows in campaign.good.items() if len({row.snapshot for row in rows}) < wanted]
        message = f"{least} snapshots of at least {wanted:g} count in {listed(few) or 'no cell'}"
        return no_data(check, "too_few", message, observed=least, required=wanted)
    return passed(check, f"at least {least} snapshots count in each cell", observed=least, required=wanted)


def all_runs_success(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Every planned case has a run, and every run is ok, or of a cell that was expected to fail; a flaky one is not."""
    check = "all_runs_success"
    bad = campaign.bad
    skipped = [m for m in campaign.measurements if m.status in UNTRIED]
    seen = {m.case for m in campaign.measurements}
    missing = [case.id for case in campaign.planned if campaign.is_asked(case) and case not in seen]
    if bad:
        words = [f"{m.case.id} {'flaky' if m.flaky else m.status.value}: {_first_line(m.reason)}" for m in bad]
        rows = tuple(m.case.id for m in bad)
        return failed(
            check, "not_ok", f"{len(bad)} runs are not ok: {listed(words)}", observed=len(bad), required=0, rows=rows
        )
    if missing:
        message = f"{len(missing)} planned cases have no run: {listed(missing)}"
        return no_data(check, "missing", message, observed=len(missing), required=0, rows=tuple(missing))
    if skipped or not seen:
        skipped.sort(key=lambda m: m.status is MeasurementStatus.SKIPPED)  # what the host lacks stands first
        why = _first_line(skipped[0].reason) if skipped else "nothing was measured"
        rows = tuple(m.case.id for m in skipped)
        return no_data(
            check, "skipped", f"{len(skipped)} runs were skipped: {why}", observed=len(skipped), required=0, rows=rows
        )
    let_off = sum(map(campaign.is_excused, seen))
    known = f", {let_off} failed as expected" if let_off else ""
    return passed(check, f"all {len(seen) - let_off} runs are ok{known}", observed=0, required=0)


def _first_line(text: str) -> str:
    """What a person reads of a reason, with dots where it goes on."""
    line = text.splitlines()[0] if text else "no reason given"
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def unique_cases(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """No case counts twice, and none is there that was not planned."""
    check = "unique_cases"
    planned = set(campaign.planned)
    twice = [case.id for case, group in campaign.by_case.items() if len(group) > 1]
    stray = [case.id for case in campaign.by_case if case not in planned]
    if twice:
        return failed(
            check,
            "duplicated",
            f"measured more than once: {listed(twice)}",
            rows=tuple(twice),
            observed=len(twice),
            required=0,
        )
    if stray:
        return failed(
            check, "unplanned", f"not in the plan: {listed(stray)}", rows=tuple(stray), observed=len(stray), required=0
        )
    return passed(check, "each case counts once", observed=0, required=0)


def device_selected(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """Every ok run names the driver that answered when the run began, library hash included."""
    check = "device_selected"
    wrong, unnamed = [], []
    for m in _ok(campaign):
        expected = campaign.identities.get(m.case.platform)
        if m.identity is None or expected is None:
            unnamed.append(m.case.id)
        elif m.identity is not expected and m.identity != expected:
            wrong.append(f"{m.case.id} ran on {m.identity.device_name}, {m.identity.library_sha256[:12]}")
    if wrong:
        return failed(check, "another_device", f"not on the device selected: {listed(wrong)}", rows=tuple(wrong))
    if unnamed:
        return no_data(check, "no_identity", f"no identity: {listed(unnamed)}", rows=tuple(unnamed))
    return passed(check, "every run names the selected device")


def launches_complete(policy: Policy, campaign: Campaign) -> Finding:
    """Every ok run has all its sessions and launches, each session was verified, and watched as the policy asks."""
    check = "launches_complete"
    asked, watched = policy.host.max_run_delay_percent, campaign.plan.max_run_delay_percent
    timed = [m for m in _ok(campaign) if campaign.is_timed(m.case)]
    if asked is not None and (watched is None or watched > asked) and any(m.on_cpu for m in timed):
        how = "without looking at it" if watched is None else f"with {watched:g} % allowed"
        message = f"the policy allows a launch {asked:g} % of run delay, and this run was measured {how}"
        return no_data(check, "no_witness", message, observed=watched, required=asked)
    short = [(m.case.id, problem) for m in timed if (problem := incompleteness(m, campaign.plan))]
    if short:
        words = [f"{name}: {problem}" for name, problem in short]
        return no_data(check, "incomplete", listed(words), rows=tuple(name for name, _ in short))
    return passed(check, "every launch that was planned is there and verified")


def finite_metrics(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """No time, throughput or error is zero, negative, infinite or NaN, wherever it stands."""
    check = "finite_metrics"
    bad = [(m.case.id, problem) for m in _ok(campaign) if (problem := nonfinite(m))]
    if bad:
        words = [f"{name}: {problem}" for name, problem in bad]
        return failed(
            check, "not_finite", listed(words), rows=tuple(name for name, _ in bad), observed=len(bad), required=0
        )
    return passed(check, "every metric is finite and positive", observed=0, required=0)
