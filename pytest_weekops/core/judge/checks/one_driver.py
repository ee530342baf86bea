"""The check on the driver as one piece: every file of it the same from the first record to the last."""

from __future__ import annotations

from itertools import pairwise

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed, listed, no_data, passed
from pytest_weekops.core.measurement.driver_files import DriverListing, replaced_files
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Policy


def one_driver(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Each file of a driver is the same from first to last, and each measurement says which files were there.

    A driver may load more of itself later. Records of versions that did not look at files are taken as they are.
    """
    check = "one_driver"
    partner = campaign.plan.partner  # what became of it is another check's business: it is not judged
    judged = {name: found for name, found in campaign.listings.items() if partner is None or name != partner.label}
    changed = [words for listings in judged.values() for words in _changes(listings)]
    if changed:
        message = (
            f"the driver changed while it was measured: {listed(changed)}. The numbers belong to two drivers. Run "
            "again when nothing is being installed."
        )
        return failed(check, "changed", message, rows=tuple(judged), observed=len(changed), required=0)
    last = [listings[-1] for listings in campaign.listings.values()]
    unread = [f"{listing.platform}: {file.path}" for listing in last for file in listing.files if not file.sha256]
    if unread:
        message = f"which files these were cannot be told, they were replaced or could not be read: {listed(unread)}"
        return no_data(check, "unreadable", message, rows=tuple(unread), observed=len(unread), required=0)
    unnamed = [m.case.id for m in campaign.counted if _owes_files(campaign, m) and not _has_files(campaign, m)]
    if unnamed:
        message = f"no listing of the driver's files: {listed(unnamed)}. Whether it stayed the same cannot be told."
        return no_data(check, "no_files", message, rows=tuple(unnamed), observed=len(unnamed), required=0)
    if lost := [platform for platform, listings in campaign.listings.items() if not _whole(listings)]:
        message = f"a listing of the driver's files is missing for {listed(lost)}. What changed there cannot be told."
        return no_data(check, "no_files", message, rows=tuple(lost), observed=len(lost), required=0)
    count = sum(len(listing.files) for listing in last)
    if not count:
        return passed(check, "written by a version that did not look at the files of a driver")
    return passed(check, f"{count} files of drivers, the same from first to last", observed=0, required=0)


def _changes(listings: tuple[DriverListing, ...]) -> list[str]:
    """Files that a later listing has in other contents than the one before."""
    return [
        f"{after.platform}: {change}"
        for before, after in pairwise(listings)
        for change in replaced_files(before.files, after.files)
    ]


def _whole(listings: tuple[DriverListing, ...]) -> bool:
    """Whether each listing follows one that is there; each part of a run that was resumed begins anew."""
    known = {""} | {listing.digest for listing in listings}
    return not listings or (not listings[0].after and all(listing.after in known for listing in listings))


def _owes_files(campaign: Campaign, m: Measurement) -> bool:
    """Whether the version that wrote this looked at files: its identities tell of the kernel, too."""
    identity = campaign.identities.get(m.case.platform)
    return m.case.platform in campaign.listings or (identity is not None and identity.kernel is not None)


def _has_files(campaign: Campaign, m: Measurement) -> bool:
    return m.driver_files in {listing.digest for listing in campaign.listings.get(m.case.platform, ())}
