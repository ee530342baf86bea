"""The check on a partner: that the driver in service was measured beside each case, as one driver from first to last.

A partner is never judged: what is missing of it is missing evidence, whatever it did.
"""

from __future__ import annotations

from itertools import pairwise

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.metrics import least_pairs, partner_pair_logs
from pytest_weekops.core.judge.outcome import listed, no_data, passed
from pytest_weekops.core.measurement.driver_files import replaced_files
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy


def partner_beside(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Each measurement that counts has enough calm pairs of turns with the driver in service, always the same one."""
    check, partner = "partner_beside", campaign.plan.partner
    if partner is None:
        return passed(check, "no partner is asked for")
    if (aside := campaign.stood_aside) is not None:
        return passed(check, f"{partner.label} stood aside: {aside.aside}")
    if campaign.partner is None:
        message = f"nothing says who {partner.label} was. What was measured beside it is compared with nobody."
        return no_data(check, "no_identity", message, rows=(partner.label,))
    if problem := _another(campaign, partner):
        return no_data(check, "another_driver", problem, rows=(partner.label,))
    if partner.role == "service" and (same := _same_driver(campaign)):
        message = f"{listed(same)}: the very files of {partner.label}. A driver beside itself is as fast as itself, so "
        message += "nothing was compared. Name the driver in service, or see what its ICD file leads to."
        return no_data(check, "same_driver", message, rows=same)
    timed = [m for m in campaign.counted if campaign.is_timed(m.case)]
    counted = [m for m in timed if partner.role == "service" or m.turns is not None]
    lost = {m.case.id: why for m in counted if (why := _lost(m, campaign))}
    words = f"{partner.label} ran beside {len(counted) - len(lost)} of {len(counted)} measurements"
    if lost and partner.role == "service":
        message = f"not compared with {partner.label}: {listed([f'{name}: {why}' for name, why in lost.items()])}"
        return no_data(check, "missing_pairs", message, rows=tuple(lost), observed=len(lost), required=0)
    return passed(check, words, observed=len(lost))


def _same_driver(campaign: Campaign) -> tuple[str, ...]:
    """Platforms whose driver has the partner's library, and no other library that the partner's does not have."""
    assert campaign.partner is not None
    mine = campaign.partner.identity.library_sha256
    theirs = _libraries(campaign, campaign.partner.label)
    return tuple(
        label
        for label, identity in campaign.identities.items()
        if identity.library_sha256 == mine and _libraries(campaign, label) == theirs
    )


def _libraries(campaign: Campaign, label: str) -> set[tuple[str, str]]:
    return {(file.name, file.sha256) for file in campaign.driver_files(label) if ".so" in file.name}


def _lost(m: Measurement, campaign: Campaign) -> str:
    """Why a measurement has no ratio to its partner, or nothing."""
    if m.turns is None:
        return "measured without turns"
    if m.turns.broken_off:
        return m.turns.broken_off
    count, least = len(partner_pair_logs(m, campaign.plan)), least_pairs(campaign.plan)
    return f"{count} of at least {least} calm pairs" if count < least else ""


def _another(campaign: Campaign, partner: Partner) -> str:
    """In which way the partner did not stay the same driver, or nothing."""
    assert campaign.partner is not None
    known = campaign.partner.identity.library_sha256
    others = [
        m.case.id
        for m in campaign.counted
        if m.turns is not None and m.turns.partner is not None
        if (m.turns.partner.platform, m.turns.partner.library_sha256) != (partner.label, known)
    ]
    if others:
        return f"another driver than {partner.label} took the turns of {listed(others)}"
    listings = campaign.listings.get(partner.label, ())
    changed = [str(each) for one, other in pairwise(listings) for each in replaced_files(one.files, other.files)]
    if changed:
        return f"{partner.label} changed while it was measured: {listed(changed)}"
    return ""
