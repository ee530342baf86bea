"""What a recorded campaign set out to measure, drawn from its own shape and metadata, and what of it is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from pytest_weekops.core.numbers import as_number, as_whole
from pytest_weekops.core.recorded.campaign import RecordedCampaign, seed_text

MOST_NAMED = 1000  # a stranger's metadata may plan any number of runs


def missing_runs(campaign: RecordedCampaign) -> tuple[str, ...]:
    """The runs that leave a hole in the grid of platform, ``kernel:size``, snapshot and seed.

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
    distinct = {
        (str(pulse.get("platform_selector")).lower(), seed_text(pulse.get("seed")), seed_text(pulse.get("snapshot")))
        for pulse in pulses
    }
    counts = Counter(on for on, _seed, _snapshot in distinct)
    rounds = max([len(_planned_seeds(campaign)), *map(len, _rounds_by_size(campaign).values())])
    platforms = sorted({run.on for run in campaign.runs})
    return tuple(f"{on}: {counts[on]} of {rounds}" for on in platforms if counts[on] < rounds)


def unreadable_plan(campaign: RecordedCampaign) -> tuple[str, ...]:
    """Sentences about metadata that plans something which cannot be told, so that nobody can say what is missing."""
    found = []
    readers: dict[str, Callable[[object], object]] = {"kernels": _word, "sizes": as_whole, "seeds": as_whole}
    for name, read in {**readers, "snapshots": as_whole}.items():
        listed = campaign.metadata.get(name, [])
        if not isinstance(listed, list):
            found.append(f"metadata.{name} is no list")
        elif odd := [entry for entry in listed if read(entry) is None]:
            found.append(f"metadata.{name} lists {odd[0]!r:.40}, which is none")
    if campaign.is_split and not any(_whole_in_metadata(campaign, name) for name in ("seeds", "snapshots")):
        found.append("metadata lists neither seeds nor snapshots, so that nothing tells how many there were")
    return tuple(found)


def contradictions(campaign: RecordedCampaign) -> tuple[str, ...]:
    """Where the file's own list of snapshots, if it has one, tells of a failure or a rollback that the runs do not."""
    found = [f"{name} was rolled back" for name in campaign.rolled_back]
    told = {run.case for run in campaign.runs if not run.is_ok}
    failed = (copy for copy in campaign.copies if not copy.is_ok and copy.case not in told)
    found += [f"its {copy.name} is {copy.status[:20]}" for copy in failed]
    return tuple(islice(found, MOST_NAMED))


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole_in_metadata(campaign: RecordedCampaign, name: str) -> list[int]:
    listed = campaign.metadata.get(name)
    found = (as_whole(entry) for entry in (listed if isinstance(listed, list) else ()))
    return list(dict.fromkeys(number for number in found if number is not None))


def _planned(campaign: RecordedCampaign) -> list[tuple[str, int]]:
    """Kernel and size of everything that ran, and of everything the metadata lists."""
    ran = dict.fromkeys((run.kernel, run.size) for run in campaign.runs)
    sizes, kernels = _whole_in_metadata(campaign, "sizes"), campaign.metadata.get("kernels")
    listed = (
        (kernel, size)
        for kernel in (kernels if isinstance(kernels, list) else ())
        if isinstance(kernel, str)
        for size in sizes
    )
    return list(dict.fromkeys([*ran, *islice((cell for cell in listed if cell not in ran), MOST_NAMED)]))


def _planned_snapshots(campaign: RecordedCampaign) -> list[int]:
    """The snapshots that the metadata lists, or a split's pulse belongs to; a week's metadata counts them."""
    pulses = (as_whole(pulse.get("snapshot")) for pulse in (campaign.pressure or () if campaign.is_split else ()))
    listed = _whole_in_metadata(campaign, "snapshots")
    return list(dict.fromkeys([*listed, *(number for number in pulses if number is not None)]))


def _snapshots(campaign: RecordedCampaign) -> list[int]:
    """Every snapshot that the file speaks of."""
    ran = {run.snapshot for run in campaign.runs if run.snapshot is not None}
    return sorted(ran | set(islice(_planned_snapshots(campaign), MOST_NAMED)))


def _in_weekly(campaign: RecordedCampaign) -> Iterator[str]:
    seeds: dict[tuple[str, int, int | None], set[str]] = {}
    of_size: dict[tuple[int, int | None], set[str]] = {}
    for run in campaign.runs:
        seeds.setdefault((run.kernel, run.size, run.snapshot), set()).add(run.seed_key)
        of_size.setdefault((run.size, run.snapshot), set()).add(run.seed_key)
    most = max(map(len, seeds.values()), default=0)
    snapshots = _snapshots(campaign)
    for kernel, size in _planned(campaign):
        for snapshot in snapshots:
            there = seeds.get((kernel, size, snapshot), set())
            if not there:
                yield f"{kernel[:40]}:{size} in snapshot {snapshot}"
            elif len(there) < most or there != of_size[size, snapshot]:
                yield f"a seed of {kernel[:40]}:{size} in snapshot {snapshot}, which other cells have"


Round = tuple[str, int | None]  # seed and snapshot


def _rounds_by_size(campaign: RecordedCampaign) -> dict[int, dict[Round, None]]:
    """The seeds, with their snapshots, of each size that ran, over both platforms and all kernels."""
    found: dict[int, dict[Round, None]] = {}
    for run in campaign.runs:
        found.setdefault(run.size, {})[run.seed_key, run.snapshot] = None
    return found


def _planned_seeds(campaign: RecordedCampaign) -> list[str]:
    """The seeds that the metadata lists for every size, where it lists any."""
    return list(map(seed_text, _whole_in_metadata(campaign, "seeds")))


def _in_split(campaign: RecordedCampaign) -> Iterator[str]:
    there = {run.case for run in campaign.runs}
    platforms = sorted({run.on for run in campaign.runs})
    by_size, seeds, snapshots = _rounds_by_size(campaign), _planned_seeds(campaign), _snapshots(campaign)
    most = max([len(seeds), *map(len, by_size.values())])
    for kernel, size in _planned(campaign):
        rounds = by_size.get(size, {})
        if len(rounds) < most or (seeds and {seed for seed, _snapshot in rounds} != set(seeds)):
            yield f"{kernel[:40]}:{size} has {len(rounds)} seeds of {most}, or others than planned"
        ran = Counter(snapshot for _seed, snapshot in rounds)
        fullest = max(ran.values(), default=1)
        yield from (f"{kernel[:40]}:{size} in snapshot {number}" for number in snapshots if ran[number] < fullest)
        for on in platforms:
            for seed, snapshot in rounds:
                if (on, kernel, size, seed, snapshot) not in there:
                    yield f"{on[:40]} {kernel[:40]}:{size} seed {seed[:20]}"
