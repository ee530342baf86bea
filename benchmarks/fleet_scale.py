"""How a fleet's coordinator scales: python benchmarks/fleet_scale.py [--hosts 10 100 1000] [--plot FILE.svg].

Writes one journal for each host (`fleet_journals.py`: 36 cases in each of 12 snapshots), then, for each number of
hosts in a process of its own, goes the coordinator's way from journals that have come in: each one is read and judged
and its outcome kept, by as many processes as a fleet run uses; each host's run is entered into a ledger, in a file of
SQLite and in a PostgreSQL that is started for it; the fleet is judged, its decision written and entered, its page made.
What came in before, line by line while hosts measured, is timed for a few hosts.

Prints for each step wall time and CPU time of all processes, the memory of the coordinator at its peak and of each
process beside it, the size of the page, and how throughput goes with the number of hosts, as the slope of log hosts per
second over log hosts: 0 is a coordinator that does not care how many there are.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from fleet_journals import recorded, write_host

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.evidence.artifacts import read_decision
from pytest_weekops.fleet import running
from pytest_weekops.fleet.book import FleetBook
from pytest_weekops.fleet.judged import AskedOfHost
from pytest_weekops.fleet.judges import judged_beside, processes
from pytest_weekops.fleet.messages import PIECE_BYTES, Piece
from pytest_weekops.fleet.page import fleet_page_text
from pytest_weekops.fleet.received import Expected, ReceivedJournal
from pytest_weekops.policies.files import load_policy
from pytest_weekops.week.ledger_sharing import join_ledger
from pytest_weekops.week.run_record import record_run

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOTS = 12
SIZES = (1400, 2048, 3072)
MOST_SECONDS, MOST_MEMORY_MIB, MOST_PAGE_KIB = 120.0, 2048.0, 2048.0
RECEIVED = 5  # hosts whose coming in is timed
STEPS = ("judge", "sqlite", "postgresql", "verdict", "page")


@dataclass(frozen=True)
class Step:
    """One step: seconds by the clock, and of CPU time of this process and of those it started."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Scale:
    """What one number of hosts took."""

    hosts: int
    decision: str
    steps: dict[str, Step]
    memory_mib: float
    beside_mib: float
    page_kib: float

    def per_second(self, *names: str) -> float:
        """Hosts in a second, of these steps together."""
        return self.hosts / max(sum(self.steps[name].wall_s for name in names if name in self.steps), 1e-9)


# -- one number of hosts, in a process of its own ------------------------------------------------------------------


class Watch:
    """Times steps."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done meanwhile, in this process and in those that it started."""
        began, used = time.perf_counter(), _cpu_s()
        yield
        self.steps[name] = Step(time.perf_counter() - began, _cpu_s() - used)


def _cpu_s() -> float:
    """CPU seconds of this process, and of its children by what the kernel says of each."""
    total, tick = time.process_time(), os.sysconf("SC_CLK_TCK")
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = stat.read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / tick if int(fields[1]) == os.getpid() else 0.0
    return total


def _beside_mib() -> float:
    """The memory of the largest child at its peak."""
    most = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
            most = max(most, int(facts["VmHWM"].split()[0]) / 1024 if int(facts["PPid"]) == os.getpid() else 0.0)
    return most


def measured(journals: Path, count: int, server: str) -> Scale:
    """The coordinator's way with so many hosts. ``server`` is the address of a PostgreSQL, or nothing."""
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="weekops-scale-") as scratch:
        book = begun(Path(scratch) / "reports", journals, count)
        asked = running.asked_of_hosts(book.asked())
        with watch.step("judge"):
            outcomes = asyncio.run(judged(book, asked, processes(book.asked().fleet)))
        beside = _beside_mib()
        documents = [(book.host(host.host).name, read_decision(book.host(host.host)) or {}) for host in asked]
        with watch.step("sqlite"):
            enter(Path(scratch) / "one", documents)
        if server:
            shared = Path(scratch) / "shared"
            shared.mkdir()
            os.environ["WEEKOPS_LEDGER"] = server
            join_ledger(shared, f"hosts-{count}", new=True)
            with watch.step("postgresql"):
                enter(shared, documents)
            del os.environ["WEEKOPS_LEDGER"]
        with watch.step("verdict"):
            decision = running.conclude(book, book.asked(), outcomes)
        with watch.step("page"):
            page = fleet_page_text(book, decision)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Scale(count, decision.decision, watch.steps, memory, beside, len(page.encode()) / 1024)


def begun(reports: Path, journals: Path, count: int) -> FleetBook:
    """A fleet run of so many hosts, whose journals have come in."""
    names = [f"host-{number:04d}" for number in range(count)]
    document = {
        "version": 1,
        "fleet_id": "simulated",
        "pools": {"rack": {"label": "cpu", "scheduler": "tcp://nobody:1", "hosts": names}},
        "labels": {"cpu": {"profiles": ["pocl"]}},
        "promotes": {"cpu": {"share": 0.9}},
    }
    wanted = running.Wanted("weekly", SIZES)
    book = running.begin(reports, FleetFile.model_validate(document), reports, wanted)
    for name in names:
        book.host(name).mkdir(parents=True)
        os.link(journals / f"{name}.jsonl", book.journal(name))
    return book


async def judged(book: FleetBook, asked: Sequence[AskedOfHost], count: int) -> list[HostOutcome]:
    """Every host judged as its gate ends, and what became of it kept."""

    async def one(host: AskedOfHost) -> HostOutcome:
        outcome = await judged_beside(host, book.journal(host.host), count)
        book.keep_outcome(outcome)
        return outcome

    return list(await asyncio.gather(*map(one, asked)))


def enter(reports: Path, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Each host's run, as a host enters it."""
    for name, document in documents:
        record_run(reports / "ledger.sqlite", {**document, "run_dir": name})


# -- journals ------------------------------------------------------------------------------------------------------


def write_journals(place: Path, count: int) -> None:
    """One journal for each host that has none yet, by every CPU."""
    place.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(_write, [place] * count, range(count), chunksize=4))


def _write(place: Path, number: int) -> None:
    path = place / f"host-{number:04d}.jsonl"
    if path.exists():
        return
    moment, policy = datetime.now(UTC).isoformat(timespec="seconds"), load_policy("portable.yaml")
    being = path.with_suffix(".being-written")
    being.unlink(missing_ok=True)
    write_host(recorded(SNAPSHOTS), being, f"gate-{number:04d}", moment, policy, number)
    being.rename(path)


def came_in(journal: Path, place: Path) -> Step:
    """A journal coming in: looked at line by line, and kept."""
    from pytest_weekops import __version__
    from pytest_weekops.evidence.journal import read_journal
    from pytest_weekops.fleet.program import hash_of_kernels

    first = read_journal(journal)[0].data
    moment = datetime.fromisoformat(first["created_at"])
    received = ReceivedJournal(place, Expected("gate", __version__, hash_of_kernels(first["kernels"]), moment, moment))
    text, watch = journal.read_text("ascii"), Watch()
    with watch.step("came in"):
        for start in range(0, len(text), PIECE_BYTES):
            part = text[start : start + PIECE_BYTES]
            received.take(Piece(task="simulated", offset=start, text=part, state="running"))
    received.close()
    return watch.steps["came in"]


# -- what is printed -----------------------------------------------------------------------------------------------


def alone(journals: Path, count: int, server: str) -> Scale:
    """The same in a process of its own, so that memory is its own."""
    command = [sys.executable, __file__, "--one", str(count), "--journals", str(journals), "--server", server]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return Scale(**{**told, "steps": {name: Step(**step) for name, step in told["steps"].items()}})


def slope(scales: Sequence[Scale], *names: str) -> float:
    """The slope of log hosts per second over log hosts, by least squares."""
    points = [(math.log(scale.hosts), math.log(scale.per_second(*names))) for scale in scales]
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else math.nan


def lines(scales: Sequence[Scale]) -> Iterator[str]:
    """The tables."""
    yield f"{'hosts':>6} {'step':<12}{'wall s':>9}{'CPU s':>9}{'hosts/s':>9}"
    for scale in scales:
        for name, step in scale.steps.items():
            yield f"{scale.hosts:>6} {name:<12}{step.wall_s:>9.2f}{step.cpu_s:>9.2f}{scale.per_second(name):>9.1f}"
    for scale in scales:
        yield (
            f"{scale.hosts} hosts: {scale.decision}; coordinator at most {scale.memory_mib:.0f} MiB of "
            f"{MOST_MEMORY_MIB:.0f}, each judge {scale.beside_mib:.0f} MiB, page {scale.page_kib:.0f} KiB of "
            f"{MOST_PAGE_KIB:.0f}"
        )
        for ledger in ("sqlite", "postgresql"):
            if ledger in scale.steps:
                took = sum(scale.steps[name].wall_s for name in ("judge", ledger, "verdict"))
                yield f"{scale.hosts} hosts judged and entered, {ledger}: {took:.1f} s of {MOST_SECONDS:.0f}"
    for names in (("judge",), ("sqlite",), ("postgresql",), ("judge", "sqlite", "verdict")):
        if all(name in scale.steps for scale in scales for name in names):
            yield f"slope of {' + '.join(names)}: {slope(scales, *names):+.2f}"


def plot(scales: Sequence[Scale], place: Path) -> None:
    """Hosts per second over hosts, for each step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in STEPS:
        mine = [scale for scale in scales if name in scale.steps]
        if mine:
            label = f"{name}, slope {slope(mine, name):+.2f}"
            axes.loglog([s.hosts for s in mine], [s.per_second(name) for s in mine], "o-", label=label)
    axes.set_xlabel("hosts")
    axes.set_ylabel("hosts per second")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(place, metadata={"Date": None} if place.suffix == ".svg" else None)


@contextlib.contextmanager
def postgresql(*, is_wanted: bool) -> Iterator[str]:
    """The address of a PostgreSQL of its own; nothing where none is wanted or installed."""
    sys.path.insert(0, str(ROOT))
    from tests.support import postgres

    if not is_wanted or postgres.programs() is None:
        yield ""
        return
    with postgres.started() as server:
        yield server.url()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", nargs="+", type=int, default=[10, 100, 1000], metavar="N")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="where to draw hosts per second")
    parser.add_argument("--no-postgresql", action="store_true", help="SQLite alone")
    parser.add_argument("--journals", type=Path, metavar="DIR", help="where journals are kept, and used again")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--server", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(dataclasses.asdict(measured(arguments.journals, arguments.one, arguments.server))))
        return
    own = arguments.journals is None
    journals = arguments.journals or Path(tempfile.mkdtemp(prefix="weekops-scale-"))
    try:
        _print(journals, sorted(arguments.hosts), is_wanted=not arguments.no_postgresql, picture=arguments.plot)
    finally:
        if own:
            shutil.rmtree(journals, ignore_errors=True)


def _print(journals: Path, hosts: Sequence[int], *, is_wanted: bool, picture: Path | None) -> None:
    say = partial(print, flush=True)
    if len(list(journals.glob("host-*.jsonl"))) < hosts[-1]:
        write_journals(journals, hosts[-1])
    size = statistics.fmean(path.stat().st_size for path in journals.glob("host-*.jsonl")) / 2**20
    say(f"{len(os.sched_getaffinity(0))} CPUs; journals of {SNAPSHOTS * 36} measurements, {size:.2f} MiB each")
    with tempfile.TemporaryDirectory() as scratch:
        steps = [
            came_in(journals / f"host-{n:04d}.jsonl", Path(scratch) / f"{n}") for n in range(min(RECEIVED, hosts[0]))
        ]
    say(f"a journal comes in with {statistics.median(step.cpu_s for step in steps):.2f} s of CPU time")
    with postgresql(is_wanted=is_wanted) as server:
        scales = [alone(journals, count, server) for count in hosts]
    for line in lines(scales):
        say(line)
    if picture is not None:
        plot(scales, picture)


if __name__ == "__main__":
    main()
