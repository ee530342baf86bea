"""Weekly runs of an unchanged driver while other programs come and go: how they end, and how much was void.

    python benchmarks/beside_load.py --load busy compile memory --runs 20
    python benchmarks/beside_load.py --load none --runs 20 --sizes 1400 --raw 1400.jsonl.gz

Each run is `pytest suites/weekly` in a directory of its own; unknown options are the run's. Beside
it a load runs for 2 to 8 s and pauses for as long, drawn: a busy loop in one process, a compiler at work on C files, or
copies of 64 MiB arrays. Each run is printed and added to a file (``--raw``, that which is kept beside this script), up
to so many of each load, so that it can be broken off and gone on with. At real-time priority (``chrt -r 9`` before the
command) it runs, as do the loads, and those are runs of their own. Then there is a row per load and priority, with 95 %
intervals, in docs/explanation/decision-quality.md too where the file is the kept one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import raw_files

from pytest_weekops.campaigns.load import LONGEST_S, SHORTEST_S
from pytest_weekops.core.binomial import clopper_pearson

KEPT = raw_files.KEPT / "beside_load.jsonl.gz"  # judged again by a test
SUITE = Path(__file__).resolve().parents[1] / "suites" / "weekly"
SOURCE = "\n".join(
    f"double f{n}(double x) {{ return x * {n} + (x > {n} ? f{n - 1}(x - 1) : 0); }}" for n in range(1, 400)
)


def busy(until: float) -> None:
    """Count."""
    count = 0
    while time.monotonic() < until:
        count += 1


def compile_c(until: float) -> None:
    """Compile four hundred functions again and again."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "load.c")
        path.write_text("double f0(double x) { return x; }\n" + SOURCE, encoding="utf-8")
        while time.monotonic() < until:
            subprocess.run(["cc", "-O2", "-c", str(path), "-o", f"{directory}/load.o"], check=True)


def memory(until: float) -> None:
    """Copy what no cache holds."""
    source = np.zeros(8 << 20)
    target = np.empty_like(source)
    while time.monotonic() < until:
        np.copyto(target, source)


LOADS = {"busy": busy, "compile": compile_c, "memory": memory}


def come_and_go(name: str, seed: int, stop: Event) -> None:
    """Work and pause in turns of drawn length until told to stop."""
    draw = random.Random(seed)
    while not stop.is_set():
        LOADS[name](time.monotonic() + draw.uniform(SHORTEST_S, LONGEST_S))
        stop.wait(draw.uniform(SHORTEST_S, LONGEST_S))


@contextmanager
def beside(load: str, seed: int) -> Iterator[None]:
    """While the load comes and goes; nothing does for ``none``."""
    stop = multiprocessing.Event()
    neighbour = None if load == "none" else multiprocessing.Process(target=come_and_go, args=(load, seed, stop))
    if neighbour is not None:
        neighbour.start()
    try:
        yield
    finally:
        stop.set()
        if neighbour is not None:
            neighbour.join()


@dataclass(frozen=True)
class Outcome:
    """How one run ended."""

    status: int
    seconds: float
    snapshots: int
    void: int
    measured: int
    failed: tuple[str, ...]
    unsure: tuple[str, ...]
    real_time: bool  # the priority of run and load


def one_run(arguments: argparse.Namespace, more: Sequence[str], load: str, seed: int) -> Outcome:
    """A weekly run beside a load, as its decision says."""
    with tempfile.TemporaryDirectory() as directory:
        begun = time.monotonic()
        options = ["--platforms", arguments.platform, "--sizes", *map(str, arguments.sizes), *more]
        command = [sys.executable, "-m", "pytest", str(SUITE), f"--rootdir={directory}", "-q", *options]
        with beside(load, seed):
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun
        found = list(Path(directory).glob("reports/*/decision.json"))
        if len(found) != 1:
            sys.exit(f"a run ended in {done.returncode} without a decision: {(done.stdout + done.stderr)[-2000:]}")
        document = json.loads(found[0].read_text(encoding="utf-8"))
    certainty, findings = document["verdict"]["certainty"], document["verdict"]["findings"]
    return Outcome(
        status=document["exit_status"],
        seconds=round(seconds, 1),
        snapshots=certainty["snapshots"],
        void=certainty["void"],
        measured=certainty["measured"],
        failed=tuple(f"{f['check']}: {f['message']}" for f in findings if f["status"] == "fail"),
        unsure=tuple(f"{f['check']}: {f['message']}" for f in findings if f["status"] == "inconclusive"),
        real_time=at_real_time(),
    )


def at_real_time() -> bool:
    """Whether this process has a real-time priority, which what it starts inherits."""
    return os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)


def row(load: str, runs: Sequence[Outcome]) -> str:
    """One row of the table."""
    promotes, opens = (sum(run.status == status for run in runs) for status in (0, 11))
    low, high = clopper_pearson(promotes, len(runs))
    void = sum(run.void for run in runs) / max(1, sum(run.measured for run in runs))
    snapshots, seconds = (statistics.fmean(getattr(run, name) for run in runs) for name in ("snapshots", "seconds"))
    return (
        f"| {load} | {len(runs)} | {promotes} ({100 * low:.0f} to {100 * high:.0f} %) | {opens} | "
        f"{len(runs) - promotes - opens} | {snapshots:.1f} | {100 * void:.0f} % | {seconds:.0f} |"
    )


def table(lines: Sequence[dict[str, Any]]) -> list[str]:
    """One row per load and priority."""
    rows = ["| load, priority | runs | promote | open | fail | snapshots | void | s a run |", "| --- " * 8 + "|"]
    names = [field.name for field in fields(Outcome)]
    runs: dict[str, list[Outcome]] = {}
    for line in lines:
        run = Outcome(*(line[name] for name in names))
        runs.setdefault(f"{line['load']}, {'real time' if run.real_time else 'normal'}", []).append(run)
    return [*rows, *(row(beside, runs[beside]) for beside in sorted(runs))]


def main() -> int:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", nargs="+", choices=["none", *LOADS], default=["none", *LOADS])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 512])
    parser.add_argument("--platform", default="pocl")
    parser.add_argument("--raw", type=Path, default=KEPT)
    arguments, more = parser.parse_known_args()
    raw_files.pack(arguments.raw)
    taken = Counter(line["load"] for line in raw_files.read(arguments.raw) if line["real_time"] == at_real_time())
    with suppress(KeyboardInterrupt):
        for number in range(arguments.runs):
            for load in (load for load in arguments.load if taken[load] <= number):
                found = {"load": load, **asdict(one_run(arguments, more, load, number))}
                raw_files.add(arguments.raw, found)
                print(number + 1, json.dumps(found), flush=True)
    raw_files.pack(arguments.raw)
    rows = table(raw_files.read(arguments.raw))
    print("\n".join(rows))
    if arguments.raw == KEPT and len(rows) > 2:
        raw_files.put_into_docs("beside-load", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
