"""What taking turns is worth, and what it costs: python benchmarks/pairs.py [--busy both].

Two workers of one driver (or of two) run ``auto`` in turns, as the two sides of a split do, with turns of one launch
(2 ms at least) and of 25 and 120 ms, each beside nothing, or beside a busy loop of 2 to 8 s that comes and goes; and
with turns of one launch where the workers' arrays lie on pages of 4 KiB, as malloc leaves them by itself. Per
snapshot there is one log ratio, the median of its calm pairs; the table has its standard deviation and mean over the
snapshots, the same of all pairs, how many pairs were calm, and the first side's median launch: a worker that waited for
its turn has colder caches. Each snapshot is added to a file (``--raw``, that which is kept beside this script), up to
so many of each kind, so that it can be broken off and gone on with. The table is written into
docs/explanation/performance.md where the file is the kept one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import raw_files

from pytest_weekops.campaigns.load import LONGEST_S, busy_loop
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

KEPT = raw_files.KEPT / "pairs.jsonl.gz"  # judged again by a test
PERFORMANCE = raw_files.DECISION_QUALITY.with_name("performance.md")
LIMIT = 5.0
SMALL_PAGES = "one launch, 4 KiB pages"
TURNS_NS = {"one launch": 2e6, SMALL_PAGES: 2e6, "25 ms": 25e6, "120 ms": 120e6}

Kind = tuple[int, bool, str]


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


def line(kind: Kind, found: Comparison) -> dict[str, Any]:
    """What is kept of a snapshot."""
    size, busy, turns = kind
    calm, every = logs(found, LIMIT), logs(found, None)
    launches = [ns * 1e-6 for session in found.first.sessions for ns in session.wall_ns]
    medians = {name: round(statistics.median(of), 6) if of else None for name, of in (("log", calm), ("all", every))}
    facts = {"calm": len(calm), "pairs": len(every), "ms": round(statistics.median(launches), 5)}
    return {"size": size, "busy": busy, "turns": turns, **medians, **facts}


def table(lines: Sequence[dict[str, Any]]) -> list[str]:
    """One row per size, load and length of turns."""
    rows = [
        "| n, host, turns of | snapshots | calm pairs: sd, mean | all pairs: sd, mean | calm | launch, ms |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    kinds = sorted({(each["size"], each["busy"]) for each in lines})
    for size, busy, turns in ((*kind, turns) for kind in kinds for turns in TURNS_NS):
        mine = [each for each in lines if (each["size"], each["busy"], each["turns"]) == (size, busy, turns)]
        if not mine:
            continue
        cells = [f"{size}, {'busy' if busy else 'idle'}, {turns}", str(len(mine))]
        for name in ("log", "all"):
            of = [each[name] for each in mine if each[name] is not None]
            cells.append(f"{statistics.stdev(of):.4f}, {statistics.fmean(of):+.4f}" if len(of) > 1 else "-")
        calm = sum(each["calm"] for each in mine) / max(1, sum(each["pairs"] for each in mine))
        rows.append(f"| {' | '.join(cells)} | {100 * calm:.0f} % | {statistics.median(e['ms'] for e in mine):.3f} |")
    return rows


def measure(arguments: argparse.Namespace) -> None:
    """Add snapshots to the file until there are enough of each kind."""
    kinds = [
        (size, busy, turns)
        for size in arguments.sizes
        for busy in raw_files.HOSTS[arguments.busy]
        for turns in TURNS_NS
    ]
    taken = Counter((each["size"], each["busy"], each["turns"]) for each in raw_files.read(arguments.raw))
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        while left := [kind for kind in kinds if taken[kind] < arguments.snapshots]:
            kind = min(left, key=lambda each: taken[each])
            number, draw = taken.total(), random.Random(taken.total())
            with ExitStack() as stack:
                if kind[1]:
                    stack.enter_context(busy_loop(number, draw.uniform(0.0, 2.0 * LONGEST_S)))
                asked = request(host, kind[0])
                found = line(kind, compare(arguments.platforms, scratch, asked, kind[2], number))
            taken[kind] += 1
            raw_files.add(arguments.raw, found)
            print(number, found, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platforms", nargs=2, default=["pocl", "pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1400])
    parser.add_argument("--snapshots", type=int, default=8, help="how many of each kind there are in the end")
    parser.add_argument("--busy", choices=[*raw_files.HOSTS], default="both")
    parser.add_argument("--raw", type=Path, default=KEPT)
    arguments = parser.parse_args(argv)
    raw_files.pack(arguments.raw)
    with suppress(KeyboardInterrupt):
        measure(arguments)
    raw_files.pack(arguments.raw)
    rows = table(raw_files.read(arguments.raw))
    print("\n".join(rows))
    if arguments.raw == KEPT and len(rows) > 2:
        raw_files.put_into_docs("pairs", rows, PERFORMANCE)
    return 0


def compare(platforms: list[str], scratch: Path, asked: MeasureRequest, turns: str, number: int) -> Comparison:
    """One snapshot: fresh workers, one session in turns."""
    with ExitStack() as stack:
        sides = []
        for letter, name in zip("AB", platforms, strict=True):
            (launch,) = resolve_platforms([name], scratch=scratch)
            label = f"{launch.label}-{letter}"
            if turns == SMALL_PAGES:
                launch.environment["GLIBC_TUNABLES"] = ""
            supervisor = PlatformSupervisor(launch.model_copy(update={"label": label}), Deadlines(), scratch)
            stack.callback(supervisor.close)
            supervisor.start()
            case = Case(platform=label, kernel="auto", size=asked.n, seed=asked.seed, snapshot=number + 1)
            sides.append(Side(supervisor, case, asked))
        found = TurnTaker((sides[0], sides[1]), random.Random(number), LIMIT, TURNS_NS[turns]).compare()
    for measurement in (found.first, found.second):
        if measurement.status != "ok":
            sys.exit(f"{measurement.case.platform}: {measurement.status}: {measurement.reason}")
    return found


if __name__ == "__main__":
    sys.exit(main())
