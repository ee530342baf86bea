"""Which kernels of a plan a device can run at all: what each needs is planned, what the device has is known at opening.

A kernel that a device cannot run is not applicable there: it is not launched, and the verdict says so, and why.
"""

from __future__ import annotations

from collections.abc import Mapping

from pytest_weekops.core.measurement.needs import lacking
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity

Place = tuple[str, str]  # platform, kernel


def not_applicable(plan: CampaignPlan, identities: Mapping[str, DeviceIdentity]) -> dict[Place, str]:
    """Platform and kernel of each that the device cannot run, with the reason; of a driver that did not answer none."""
    found = {}
    for platform in plan.platforms:
        identity = identities.get(platform)
        for needs in plan.needs:
            if identity is not None and (why := lacking(needs, identity)):
                found[platform, needs.kernel] = why
    return found


def untimed(
    plan: CampaignPlan, identities: Mapping[str, DeviceIdentity], partner: DeviceIdentity | None = None
) -> frozenset[Place]:
    """Platform and kernel of each that is applicable and whose times are not judged, its results alone.

    Those of ``results_only``; and those with nothing to be held against, since the other side of a split, or the
    driver in service (``partner``), cannot run that kernel. What a reference driver cannot run is timed without it.
    """
    out = not_applicable(plan, identities)
    partner = partner if plan.service is not None else None
    others = [*(identities.get(platform) for platform in plan.platforms if plan.kind == "split"), partner]
    alone = {needs.kernel for needs in plan.needs for one in others if one is not None and lacking(needs, one)}
    return frozenset(
        (platform, kernel)
        for platform in plan.platforms
        for kernel in plan.kernels
        if (platform, kernel) not in out and (kernel in plan.results_only or kernel in alone)
    )
