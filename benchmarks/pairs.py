"""What taking turns is worth: python benchmarks/pairs.py [--busy].

Two workers of one driver (or of two) run ``auto`` in turns, as the two sides of a split do, with turns of one launch
(2 ms at least) and of 25 and 120 ms. Per snapshot there is one log ratio, the median of its calm pairs; printed are its
mean and standard deviation over the snapshots, those of all pairs, and how many pairs were calm.
``--busy`` runs a busy loop of 2 to 8 s beside it that comes and goes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from pytest_weekops.core.measurement.calm import pair_logs, turn_times
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ReferenceRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.turns import Comparison, Side, TurnTaker

LIMIT = 5.0
_HOG = """
import random, time
while True:
    ends = time.monotonic() + random.uniform(2, 8)
    while time.monotonic() < ends:
        pass
    time.sleep(random.uniform(1, 4))
"""


@contextmanager
def hog(wanted: bool) -> Iterator[None]:  # noqa: FBT001
    """A busy loop on one CPU that comes and goes, where it is wanted."""
    process = subprocess.Popen([sys.executable, "-c", _HOG]) if wanted else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def request(host: HostWorker, size: int) -> MeasureRequest:
    """One session in turns at size x size x size that fills a second."""
    reference = host.reference(ReferenceRequest(m=size, n=size, k=size, seed=3, session=1, path=""))
    return MeasureRequest(
        kernel="auto",
        m=size,
        n=size,
        k=size,
        seed=3,
        sessions=1,
        iterations=8,
        least_session_ms=1000.0,
        references={1: str(reference)},
        kernel_dirs=(str(data_dir("kernels")),),
        k_scaled_bound=12.0,
        max_run_delay_percent=LIMIT,
        in_turns=True,
    )


def logs(found: Comparison, limit: float | None) -> list[float]:
    """Log ratio of each pair; of the calm ones where there is a limit."""
    sides = (turn_times(m.sessions, found.launches, limit) for m in (found.first, found.second))
    return pair_logs(*sides)


def row(name: str, snapshots: list[Comparison]) -> str:
    """One line of the table."""
    calm, every = ([logs(found, limit) for found in snapshots] for limit in (LIMIT, None))
    cells = [name]
    for pairs in (calm, every):
        ratios = [statistics.median(each) for each in pairs if each]
        few = len(ratios) < 2
        cells.append("-" if few else f"{statistics.fmean(ratios):+.4f}, {statistics.stdev(ratios):.4f}")
    cells.append(f"{100 * sum(map(len, calm)) / max(1, sum(map(len, every))):.0f} %")
    return "| " + " | ".join(cells) + " |"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs=2, default=["pocl", "pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1400])
    parser.add_argument("--snapshots", type=int, default=8)
    parser.add_argument("--busy", action="store_true")
    arguments = parser.parse_args(argv)
    print("| n, turns of | calm pairs: mean, sd | all pairs: mean, sd | calm |")
    print("| --- | --- | --- | --- |")
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host, hog(arguments.busy):
        for size in arguments.sizes:
            asked = request(host, size)
            for name, turn_ns in (("one launch", 2e6), ("25 ms", 25e6), ("120 ms", 120e6)):
                found = [
                    compare(arguments.platforms, scratch, asked, turn_ns, number)
                    for number in range(arguments.snapshots)
                ]
                print(row(f"{size}, {name}", found), flush=True)
    return 0


def compare(platforms: list[str], scratch: Path, asked: MeasureRequest, turn_ns: float, number: int) -> Comparison:
    """One snapshot: fresh workers, one session in turns."""
    with ExitStack() as stack:
        sides = []
        for letter, name in zip("AB", platforms, strict=True):
            (launch,) = resolve_platforms([name], scratch=scratch)
            label = f"{launch.label}-{letter}"
            supervisor = PlatformSupervisor(launch.model_copy(update={"label": label}), Deadlines(), scratch)
            stack.callback(supervisor.close)
            supervisor.start()
            case = Case(platform=label, kernel="auto", size=asked.n, seed=asked.seed, snapshot=number + 1)
            sides.append(Side(supervisor, case, asked))
        found = TurnTaker((sides[0], sides[1]), random.Random(number), LIMIT, turn_ns).compare()
    for measurement in (found.first, found.second):
        if measurement.status != "ok":
            sys.exit(f"{measurement.case.platform}: {measurement.status}: {measurement.reason}")
    return found


if __name__ == "__main__":
    sys.exit(main())
