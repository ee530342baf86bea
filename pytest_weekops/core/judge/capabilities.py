"""What a driver under test cannot do any more: its capabilities beside those of the driver that it is to replace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.expected import day_of, is_in_force
from pytest_weekops.core.measurement.capabilities import (
    NEEDED_BY,
    InServiceRecord,
    KnownLoss,
    capabilities_of,
    lost,
)
from pytest_weekops.core.measurement.needs import SPOILT, lacking
from pytest_weekops.core.measurement.records import DeviceIdentity


@dataclass(frozen=True)
class Reference:
    """A driver that one under test is held against: ``name`` says which it is and why."""

    platform: str
    name: str
    identity: DeviceIdentity


@dataclass(frozen=True)
class Loss:
    """A capability that the driver in service has and the one under test lacks.

    ``what`` is OpenCL's name for it, or the quirk that spoils it, and ``kernels`` are those that cannot run without.
    ``known`` is the entry that speaks of it, ``excused`` whether that is in force.
    """

    platform: str
    what: str
    against: str
    kernels: tuple[str, ...]
    known: KnownLoss | None = None
    excused: bool = False

    @property
    def words(self) -> str:
        """What is lost, since when, what no longer runs, and what is known of it."""
        is_quirk = self.what in SPOILT
        gone = f"spoils {SPOILT[self.what][0]} ({self.what})" if is_quirk else f"has no {self.what}"
        theirs = "does not" if is_quirk else "has"
        runs = "runs" if len(self.kernels) == 1 else "run"
        ends = f"{', '.join(self.kernels)} no longer {runs}" if self.kernels else "no workload here needs it"
        story = f"{self.platform} {gone}, which {self.against} {theirs}: {ends}"
        return story if self.known is None else f"{story}, {self.known.words}"


def references(campaign: Campaign) -> tuple[Reference, ...]:
    """Each driver whose capabilities are known, and which a platform under test is to replace, or has replaced.

    In a split that is the baseline's; in a weekly run the partner in service, or else the drivers of the last promoted
    run and of the pinned baseline. Records from before capabilities were kept tell of none.
    """
    return tuple(each for each in _all_references(campaign) if capabilities_of(each.identity))


def _all_references(campaign: Campaign) -> Iterator[Reference]:
    plan = campaign.plan
    if plan.kind == "split":
        baseline = campaign.identities.get(str(plan.baseline_platform))
        if baseline is not None:
            yield Reference(str(plan.candidate_platform), str(plan.baseline_platform), baseline)
    elif plan.kind == "weekly":
        yield from _of_the_week(campaign)


def _of_the_week(campaign: Campaign) -> Iterator[Reference]:
    service, partner = campaign.plan.service, campaign.partner
    for platform in campaign.plan.platforms:
        if service is not None:
            if partner is not None:
                yield Reference(platform, service.label, partner.identity)
            continue
        for record in campaign.records:
            if isinstance(record, InServiceRecord) and record.platform == platform:
                yield Reference(platform, f"the promoted run {record.run_id}", record.identity)
        baseline = campaign.baseline_for(platform)
        if baseline is not None and baseline.identity is not None:
            yield Reference(platform, f"the pinned run {baseline.run_id}", baseline.identity)


def losses(campaign: Campaign) -> tuple[Loss, ...]:
    """Each loss once per platform, under the first of its references that shows it; of drivers that answered."""
    found: dict[tuple[str, str], Loss] = {}
    for reference in references(campaign):
        identity = campaign.identities.get(reference.platform)
        for loss in _lost_since(campaign, reference, identity) if identity is not None else ():
            found.setdefault((loss.platform, loss.what), loss)
    return tuple(found.values())


def _lost_since(campaign: Campaign, reference: Reference, now: DeviceIdentity) -> Iterator[Loss]:
    needs = campaign.plan.needs
    for name in lost(reference.identity, now):
        mine = [each.kernel for each in needs if name in each.capabilities]
        yield _known(campaign, reference, name, (*NEEDED_BY.get(name, ()), *mine), now)
    spoilt: dict[str, list[str]] = {}
    for each in needs:
        if not lacking(each, reference.identity):
            for quirk in set(each.spoilt_by).intersection(now.quirks):
                spoilt.setdefault(quirk, []).append(each.kernel)
    for quirk in sorted(spoilt):
        yield _known(campaign, reference, quirk, spoilt[quirk], now)


def _known(
    campaign: Campaign, reference: Reference, what: str, kernels: tuple[str, ...] | list[str], now: DeviceIdentity
) -> Loss:
    today = day_of(campaign.created_at)
    about = [one for one in campaign.plan.known_losses if one.capability == what and one.driver.is_of(now)]
    in_force = next((one for one in about if is_in_force(one, today)), None)
    return Loss(
        platform=reference.platform,
        what=what,
        against=reference.name,
        kernels=tuple(dict.fromkeys(kernels)),
        known=in_force or next(iter(about), None),
        excused=in_force is not None,
    )
