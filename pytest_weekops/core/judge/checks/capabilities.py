"""The checks on what a device can run: nothing lost with the driver under test, and what is not timed is right."""

from __future__ import annotations

from typing import Any

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.capabilities import Loss, losses, references
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.metrics import incompleteness, nonfinite
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed, waived
from pytest_weekops.core.measurement.records import Case, MeasurementStatus
from pytest_weekops.core.policy.policy import Policy


def capabilities_kept(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """A device can do with the driver under test what it could do with the one in service."""
    check, against, found = "capabilities_kept", references(campaign), losses(campaign)
    if silent := sorted({each.platform for each in against if each.platform not in campaign.identities}):
        message = f"nothing says what {listed(silent)} can do, and {listed([each.name for each in against])} tell"
        return no_data(check, "no_identity", message, rows=tuple(silent), observed=len(silent), required=0)
    facts: dict[str, Any] = {"details": tuple(map(_detail, found)), "required": 0}
    if bad := [each for each in found if not each.excused]:
        rows = tuple(f"{each.platform}: {each.what}" for each in bad)
        overdue = " An entry whose day is over, or too far, excuses nothing." if any(one.known for one in bad) else ""
        message = (
            f"{listed([one.words for one in bad])}. A program that uses it ends with this driver.{overdue} See to the "
            "driver, or expect the loss with a reason and a last day under `capabilities` of the expectations."
        )
        return failed(check, "lost", message, rows=rows, observed=len(bad), **facts)
    if found:
        words = listed([each.words for each in found])
        rows = tuple(f"{each.platform}: {each.what}" for each in found)
        return waived(check, "expected", f"lost, as was expected: {words}", rows=rows, observed=0, **facts)
    who = ", ".join(dict.fromkeys(each.name for each in against)) or "nobody"
    return passed(check, f"nothing is lost of what {who} can do", observed=0, **facts)


def _detail(loss: Loss) -> dict[str, Any]:
    told = {"platform": loss.platform, "capability": loss.what, "against": loss.against, "kernels": list(loss.kernels)}
    if loss.known is None:
        return told
    known = loss.known.model_dump(mode="json", include={"reason", "owner", "expires"})
    return {**told, "state": "met" if loss.excused else "expired", **known}


def untimed_results(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """Each platform has something that is timed, and each case that is not has one whole and verified measurement."""
    check = "untimed_results"
    timed = {cell[0] for cell in campaign.timed_cells}
    if idle := [platform for platform in campaign.plan.platforms if platform not in timed]:
        message = f"no kernel is timed on {listed(idle)}: there is nothing that says how fast it is"
        return no_data(check, "nothing_timed", message, rows=tuple(idle), observed=len(idle), required=0)
    cases = [c for c in campaign.planned if not campaign.is_timed(c) and not campaign.is_excused(c)]
    bad = [(case.id, why) for case in cases if (why := _unproved(campaign, case))]
    if bad:
        message = f"not shown to be right: {listed([f'{name}: {why}' for name, why in bad])}"
        rows = tuple(name for name, _why in bad)
        return no_data(check, "unproved", message, rows=rows, observed=len(bad), required=0)
    kernels = ", ".join(dict.fromkeys(case.kernel for case in cases)) or "no kernel"
    return passed(check, f"{len(cases)} results of {kernels}, whose times are not judged", observed=0, required=0)


def _unproved(campaign: Campaign, case: Case) -> str:
    """What a case lacks to be proved right, or nothing."""
    group = campaign.by_case.get(case, ())
    if len(group) != 1:
        return f"{len(group)} measurements count"
    if group[0].status is not MeasurementStatus.OK:
        return group[0].status.value
    return incompleteness(group[0], campaign.plan, timed=False) or nonfinite(group[0])
