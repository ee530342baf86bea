"""What a recorded campaign set out to measure, drawn from its own shape and metadata, and what of it is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from pytest_weekops.core.recorded.campaign import RecordedCampaign, as_number, seed_text

MOST_NAMED = 1000  # a stranger's metadata may plan any number of runs


def missing_runs(campaign: RecordedCampaign) -> tuple[str, ...]:
    """The runs that leave a hole in the grid of platform, ``kernel:size`` and snapshot (in a split: seed).

    Without this, a run that went wrong could be left out of the file and the rest would look whole. At most
    ``MOST_NAMED`` are named.
    """
    found = _in_split(campaign) if campaign.is_split else _in_weekly(campaign)
    return tuple(islice(found, MOST_NAMED))


def missing_pulses(campaign: RecordedCampaign) -> tuple[str, ...]:
    """The snapshots (in a split: platform and seed, or platform and snapshot) without a record of their pressure."""
    pulses = campaign.pressure or ()
    if not pulses:
        return ()
    if not campaign.is_split:
        seen = {as_number(pulse.get("snapshot")) for pulse in pulses}
        wanted = sorted({run.snapshot for run in campaign.runs if run.snapshot is not None})
        return tuple(f"snapshot {number}" for number in wanted if number not in seen)
    # A split's seeds may differ between sizes while its pulses go by snapshot: what both have is a count per platform.
    counts = Counter(str(pulse.get("platform_selector")).lower() for pulse in pulses)
    rounds = _rounds(campaign, _seeds_by_size(campaign))
    platforms = sorted({run.on for run in campaign.runs})
    return tuple(f"{on}: {counts[on]} of {rounds}" for on in platforms if counts[on] < rounds)


def _planned(campaign: RecordedCampaign) -> list[tuple[str, int]]:
    """Kernel and size of everything that ran, and of everything the metadata lists."""
    ran = dict.fromkeys((run.kernel, run.size) for run in campaign.runs)
    sizes, kernels = (campaign.metadata.get(name) for name in ("sizes", "kernels"))
    listed = (
        (kernel, int(size))
        for kernel in (kernels if isinstance(kernels, list) else ())
        for size in (sizes if isinstance(sizes, list) else ())
        if isinstance(kernel, str) and isinstance(size, int)
    )
    return list(dict.fromkeys([*ran, *islice((cell for cell in listed if cell not in ran), MOST_NAMED)]))


def _in_weekly(campaign: RecordedCampaign) -> Iterator[str]:
    there = {(run.kernel, run.size, run.snapshot) for run in campaign.runs}
    snapshots = sorted({run.snapshot for run in campaign.runs if run.snapshot is not None})
    for kernel, size in _planned(campaign):
        for snapshot in snapshots:
            if (kernel, size, snapshot) not in there:
                yield f"{kernel[:40]}:{size} in snapshot {snapshot}"


def _seeds_by_size(campaign: RecordedCampaign) -> dict[int, dict[str, None]]:
    """The seeds of each size that ran, over both platforms and all kernels."""
    found: dict[int, dict[str, None]] = {}
    for run in campaign.runs:
        found.setdefault(run.size, {})[run.seed_key] = None
    return found


def _planned_seeds(campaign: RecordedCampaign) -> list[str]:
    """The seeds that the metadata lists for every size, where it lists any."""
    listed = campaign.metadata.get("seeds")
    return list(dict.fromkeys(map(seed_text, listed))) if isinstance(listed, list) else []


def _rounds(campaign: RecordedCampaign, seeds: dict[int, dict[str, None]]) -> int:
    return max([len(_planned_seeds(campaign)), *map(len, seeds.values())])


def _in_split(campaign: RecordedCampaign) -> Iterator[str]:
    there = {(run.on, run.kernel, run.size, run.seed_key) for run in campaign.runs}
    platforms = sorted({run.on for run in campaign.runs})
    seeds = _seeds_by_size(campaign)
    rounds = _rounds(campaign, seeds)
    foreign = set(_planned_seeds(campaign))
    for kernel, size in _planned(campaign):
        of_size = seeds.get(size, {})
        if len(of_size) < rounds or (foreign and not foreign >= set(of_size)):
            yield f"{kernel[:40]}:{size} has {len(of_size)} seeds of {rounds}, or others than planned"
        for on in platforms:
            for seed in of_size:
                if (on, kernel, size, seed) not in there:
                    yield f"{on[:40]} {kernel[:40]}:{size} seed {seed[:20]}"
