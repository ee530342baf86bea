"""How often change points are found where nothing changed, and where something did, on real series.

    WEEKOPS_RECORDED=DIR python benchmarks/change_points.py

Each cell's mean throughput over the campaigns of one card, in order of time, is a series of one driver; so are the idle
snapshots of a driver beside itself that ``aa_gates.py`` has kept of another machine, three of them a run. A false alarm
is a series with a change point: as it was, where nothing is known to have made it slower (the card's host got another
kernel on the way), and in drawn orders, in which nothing can have changed. A step is put into the middle of each drawn
order, and counts as found where a change point lies within a run of it. Without ``WEEKOPS_RECORDED`` the kept snapshots
alone are looked at.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import aa_gates
import raw_files

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.levels import LEAST_RUNS
from pytest_weekops.evidence.recorded import read_campaign
from pytest_weekops.week.change_points import level_starts

TIME = re.compile(r"\d{8}_\d{6}")


SNAPSHOTS = 3  # a run that ends at its first look


def main() -> int:
    """Print a block for each source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=50, help="drawn orders of each series")
    options = parser.parse_args()
    if place := os.environ.get("WEEKOPS_RECORDED"):
        look_at("recorded campaigns of one card", recorded(Path(place) / "campaigns"), options.orders)
    look_at("runs of a driver beside itself", beside_itself(), options.orders)
    return 0


def look_at(what: str, series: Sequence[Sequence[float]], orders: int) -> None:
    """Print three lines of these series, and one for each step."""
    lengths = sorted(map(len, series))
    print(f"{what}: {len(series)} series of {lengths[0]} to {lengths[-1]}")
    print(f"  as they were: {share([bool(level_starts(each)) for each in series])} have a change point")
    rng = random.Random(590)
    drawn = [rng.sample(each, len(each)) for each in series for _ in range(orders)]
    print(f"  in drawn orders: {share([bool(level_starts(each)) for each in drawn])} have one")
    for step in (1.0, 2.0, 5.0, 10.0):
        print(f"  slower by {step:g} % from the middle on: {share([is_found(each, step) for each in drawn])} found")


def beside_itself() -> list[list[float]]:
    """The speed of each run that the kept idle snapshots of an unchanged driver make, oldest first, at each size."""
    kept = raw_files.read(aa_gates.KEPT)
    drivers = dict.fromkeys(snapshot["platform"] for snapshot in kept)
    found = []
    for snapshots in (aa_gates.series(kept, aa_gates.Kind(driver)) for driver in drivers):
        for place in range(len(aa_gates.SIZES)):
            times = [snapshot["cells"][place]["ms"] for snapshot in snapshots]
            runs = [times[start : start + SNAPSHOTS] for start in range(0, len(times) - SNAPSHOTS + 1, SNAPSHOTS)]
            found.append([1.0 / statistics.fmean(run) for run in runs])
    return [numbers for numbers in found if len(numbers) >= LEAST_RUNS]


def recorded(place: Path) -> list[list[float]]:
    """Each cell's mean GFLOPS over the campaigns that have it, oldest first, where there are enough of them."""
    found: dict[object, list[float]] = defaultdict(list)
    dated = ((match.group(), path) for path in place.glob("*.json") if (match := TIME.search(path.name)))
    for _moment, path in sorted(dated):
        cells: dict[object, list[float]] = defaultdict(list)
        try:
            campaign = read_campaign(path)
        except InputError:  # reports on campaigns, which have no runs of their own
            continue
        for run in campaign.ok_runs:
            number = run.number_of("avg_mean_gflops")
            if number is not None and number > 0:
                cells[run.on, run.kernel, run.size].append(number)
        for cell, numbers in cells.items():
            found[cell].append(statistics.fmean(numbers))
    return [numbers for numbers in found.values() if len(numbers) >= LEAST_RUNS]


def is_found(numbers: Sequence[float], percent: float) -> bool:
    """Whether a step in the middle is found to a run."""
    middle = len(numbers) // 2
    stepped = [number * (1.0 - percent / 100.0 * (place >= middle)) for place, number in enumerate(numbers)]
    return any(abs(place - middle) <= 1 for place in level_starts(stepped))


def share(found: Sequence[bool]) -> str:
    """So many of so many, in percent."""
    return f"{sum(found)} of {len(found)} ({100.0 * sum(found) / len(found):.1f} %)"


if __name__ == "__main__":
    raise SystemExit(main())
