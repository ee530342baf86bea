"""How a run's drivers differ from others: from the pinned baseline's, and the two sides of a split from each other."""

from __future__ import annotations

from pytest_weekops.core.judge.beside import clock_of
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.measurement.driver_change import driver_changes, listed
from pytest_weekops.core.measurement.driver_files import DriverFile

_SHOWN = 6


def since_baseline(campaign: Campaign) -> tuple[str, ...]:
    """A sentence per platform whose driver is another than that of the baseline that it is held against.

    That is what a baseline is for, so it is no finding; but a change of speed has its causes here.
    """
    notes = []
    for platform, identity in campaign.identities.items():
        baseline = campaign.baseline_for(platform)
        if baseline is None:
            continue
        changes = driver_changes(baseline.identity, identity, baseline.files, campaign.driver_files(platform))
        if changes:
            notes.append(f"{platform}: since baseline {baseline.run_id}: {listed(changes)}")
    return tuple(notes)


def by_another_clock(campaign: Campaign) -> tuple[str, ...]:
    """A sentence per platform whose baseline stood beside another reference driver than this run does."""
    return tuple(
        f"{platform}: its baseline was pinned beside another reference driver, or beside another kernel of it, so that "
        "floors go by the host's clock: name that driver with --reference-driver, or pin a run anew"
        for platform in campaign.identities
        if _goes_by_another(campaign, platform)
    )


def _goes_by_another(campaign: Campaign, platform: str) -> bool:
    baseline = campaign.baseline_for(platform)
    rows = baseline.rows if baseline is not None else ()
    clocks = ((row.beside.driver, clock_of(campaign, (platform, row.kernel, row.size))) for row in rows if row.beside)
    return any(now is not None and then != now for then, now in clocks)


_ROLES = {"service": "the driver in service", "reference": "the reference driver, a clock"}


def beside_partner(campaign: Campaign) -> tuple[str, ...]:
    """Who took turns with the drivers under test, in a sentence; nothing without one."""
    if (aside := campaign.stood_aside) is not None:
        return (f"the reference driver took no turns: {aside.aside}",)
    found = campaign.partner
    if found is None:
        return ()
    who = found.identity
    name = f"{found.label} ({who.platform_name} {who.driver_version}, {who.library_sha256[:12]})"
    return (f"{name} took turns with what was measured, launch by launch, as {_ROLES[found.role]}; it is not judged",)


def split_drivers(campaign: Campaign) -> tuple[str, ...]:
    """Which files the two drivers of a split share, and which each has for itself; none where nobody looked."""
    plan = campaign.plan
    base, candidate = str(plan.baseline_platform), str(plan.candidate_platform)
    sides = [campaign.driver_files(platform) for platform in (base, candidate)]
    if not all(sides):
        return ()
    return tuple(files_apart((base, candidate), (sides[0], sides[1])))


def files_apart(
    names: tuple[str, str], sides: tuple[tuple[DriverFile, ...], tuple[DriverFile, ...]]
) -> tuple[str, ...]:
    """Lines: how many files two drivers share, then what only one has, or has in other contents."""
    hashes = [{(file.name, file.sha256) for file in files} for files in sides]
    lines = [f"driver files: {names[0]} and {names[1]} have {len(hashes[0] & hashes[1])} in common"]
    for name, mine, other in zip(names, hashes, reversed(hashes), strict=True):
        only = sorted(mine - other, key=_by_weight)
        if only:
            lines.append(f"only in {name}: {listed([f'{file} {digest[:12]}' for file, digest in only], _SHOWN)}")
    return tuple(lines)


def _by_weight(file: tuple[str, str]) -> tuple[bool, str]:
    """Libraries before what compilers include."""
    return ".so" not in file[0], file[0]
