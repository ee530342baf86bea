"""How often real runs see a driver that is a little slower, held against a pinned baseline and the driver in service.

    python benchmarks/power.py measure --minutes 120
    python benchmarks/power.py judge

``measure`` runs `pytest suites/weekly` at 1400 with a driver that is PoCL and works on for some percent of each launch
(`slow_driver.c`; it needs gcc), idle and beside a busy loop that comes and goes, with the snapshots that a run takes by
itself; and the same with none longer, since a gate that never promotes sees everything. Whatever is furthest behind its
goal in ``WANTED`` comes next. For every fourth run that is held against a pin, the driver itself is measured and pinned
anew. Each run is added to a file (``--raw``, that which is kept beside this script), so that it can be broken off and
gone on with; ``--busy no`` takes those on an idle host alone, ``--against service`` those beside the driver in service.
Runs stand in the table by the share that was asked of them, so that those under an older policy are told apart. At the
end it is written into docs/explanation/decision-quality.md where the file is the kept one; ``judge`` prints it. Unknown
options are the runs'.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import raw_files

from pytest_weekops.campaigns.load import busy_loop
from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.evidence.judging import stored_campaign
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.policies.files import default_policy

KEPT = raw_files.KEPT / "power.jsonl.gz"  # judged again by a test
SUITE = Path(__file__).resolve().parents[1] / "suites" / "weekly"
DRIVER = Path(__file__).with_name("slow_driver.c")
RUNS_A_PIN = 4
STATUSES = {0: "promoted", 1: "fail", 10: "fail", 11: "open"}

Run = dict[str, Any]


@dataclass(frozen=True, order=True)
class Kind:
    """What a driver that takes ``slower`` percent longer is held against, by which share, and on which host."""

    against: str
    slower: float
    busy: bool
    share: float

    @property
    def name(self) -> str:
        """For the table."""
        how = "a pin" if self.against == "pin" else "the driver in service"
        return f"{self.slower:g} % longer, {self.share:g} of {how}, {'beside a busy loop' if self.busy else 'idle'}"


_FLOORS = default_policy().floors
SHARES = {"pin": _FLOORS.min_share_of_baseline_gflops, "service": _FLOORS.share_of_service}


def kind(against: str, slower: float, *, busy: bool) -> Kind:
    """That kind under the shipped policy."""
    return Kind(against, slower, busy, SHARES[against])


WANTED = {
    **{kind("pin", 3.0, busy=busy): 20 for busy in (False, True)},
    **{kind("service", 2.0, busy=busy): 20 for busy in (False, True)},
    kind("pin", 10.0, busy=True): 20,
    **{kind(against, 0.0, busy=busy): 10 for against in SHARES for busy in (False, True)},
}


def kind_of(run: Run) -> Kind:
    """What a run was of, by the share that it was held to then."""
    return Kind(run["against"], run["slower"], run["busy"], run["share"])


# -- judging ---------------------------------------------------------------------------------------------------------


def table(runs: Sequence[Run]) -> list[str]:
    """One row per kind, with 95 % intervals; ``certain`` are those which said by how much the driver is slower.

    ``measured`` is how much slower it was, in percent: the mean of the runs' mean log ratios, and their sd.
    """
    names = [
        "driver, held against, host",
        "runs",
        "promoted",
        "open",
        "fail",
        "measured (sd)",
        "certain",
        "snapshots",
        "void",
        "s a run",
    ]
    rows = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    for each in sorted(set(map(kind_of, runs))):
        mine = [run for run in runs if kind_of(run) == each]
        ends = Counter(STATUSES[run["status"]] for run in mine)
        low, high = clopper_pearson(ends["promoted"], len(mine))
        void = sum(run["void"] for run in mine) / sum(run["measured"] for run in mine)
        snapshots, seconds = (statistics.fmean(run[name] for run in mine) for name in ("snapshots", "seconds"))
        cells = [each.name, len(mine), f"{ends['promoted']} ({100 * low:.0f} to {100 * high:.0f} %)", ends["open"]]
        certain = sum(any("slower" in change for change in run["changes"]) for run in mine)
        cells += [ends["fail"], _measured(mine), certain]
        rows.append(f"| {' | '.join(map(str, cells))} | {snapshots:.1f} | {100 * void:.0f} % | {seconds:.0f} |")
    return rows


def _measured(runs: Sequence[Run]) -> str:
    slower = [-100.0 * statistics.fmean(floor["logs"]) for run in runs for floor in run["floors"]]
    if len(slower) < 2:
        return f"{slower[0]:.1f} %" if slower else "-"
    return f"{statistics.fmean(slower):.1f} % ({statistics.stdev(slower):.2f})"


# -- measuring -------------------------------------------------------------------------------------------------------


def build(directory: Path, percent: float) -> Path:
    """A PoCL that takes so many percent longer. Raises ``CalledProcessError`` where gcc refuses."""
    (pocl,) = resolve_platforms(["pocl"], scratch=directory)
    library = directory / f"slower-{percent:g}" / "libslower.so"
    library.parent.mkdir(exist_ok=True)
    defined = [f'-DREAL="{pocl.open.expected[0]}"', f"-DPERCENT={percent}"]
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(DRIVER), *defined, "-ldl"], check=True)
    return library


def weekly(directory: Path, *options: str) -> tuple[int, Path]:
    """A weekly run in a directory: its exit status, and the directory of the run."""
    command = [sys.executable, "-m", "pytest", str(SUITE), f"--rootdir={directory}", "-q", "--sizes", "1400", *options]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    found = sorted(directory.glob("reports/*/decision.json"), key=lambda path: path.stat().st_mtime)
    if done.returncode not in STATUSES or not found:
        sys.exit(f"a run ended in {done.returncode} without a decision: {(done.stdout + done.stderr)[-2000:]}")
    return done.returncode, found[-1].parent


def pinned(directory: Path, options: Sequence[str]) -> Path:
    """The baseline of PoCL itself, measured now on an idle host and pinned."""
    directory.mkdir()
    for _ in range(5):
        status, run = weekly(directory, "--platforms", "pocl", *options)
        if status == 0:
            words = [sys.executable, "-m", "pytest_weekops.cli", "baseline", "pin", str(run)]
            subprocess.run(words, cwd=directory, check=True, capture_output=True)
            (found,) = directory.glob("reports/baselines/*.json")
            return found
    sys.exit("five runs of the driver itself in a row did not promote, so that there is nothing to pin")


def one_run(of: Kind, driver: Path, pin: Path | None, options: Sequence[str], number: int) -> Run:
    """A weekly run of the slower driver, as its journal has it."""
    held = ["--against", "served=pocl"] if pin is None else ["--baseline", str(pin)]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        if of.busy:
            stack.enter_context(busy_loop(number, float(number % 16)))
        began = time.monotonic()
        status, directory = weekly(Path(name), "--platforms", f"pocl@{driver}", *held, *options)
        seconds = time.monotonic() - began
        decision = json.loads((directory / "decision.json").read_text(encoding="utf-8"))
        run = read_run(directory)
    certainty, findings = decision["verdict"]["certainty"], decision["verdict"]["findings"]
    every = answers(run.policy, stored_campaign(run))
    found = of_kind(every, "baseline", "service")
    return {
        "against": of.against,
        "slower": of.slower,
        "busy": of.busy,
        "share": of.share,
        "status": status,
        "snapshots": certainty["snapshots"],
        "void": certainty["void"],
        "measured": certainty["measured"],
        "seconds": round(seconds, 1),
        "changes": [each.change for each in found if each.change],
        "failed": [f["check"] for f in findings if f["status"] == "fail"],
        "open": list(decision["inconclusive_checks"]),
        # how far inside of its limit each p95 is estimated to be, a log ratio
        "p95": [round(each.answer.interval.estimate, 6) for each in of_kind(every, "p95")],
        "floors": [
            {
                "logs": [round(log, 6) for log in each.asked.requirement.values],
                "limit": each.asked.requirement.limit,
                "sd": each.asked.requirement.spread.sd if each.asked.requirement.spread else None,
                "answer": each.status.value,
            }
            for each in found
            if each.asked.requirement is not None
        ],
    }


def measure(raw: Path, minutes: float, loads: Sequence[bool], held_to: Sequence[str], options: Sequence[str]) -> None:
    """Add runs to the file until the time is over."""
    wanted = {of: count for of, count in WANTED.items() if of.busy in loads and of.against in held_to}
    ends = time.monotonic() + 60.0 * minutes
    raw_files.pack(raw)
    taken = Counter(map(kind_of, raw_files.read(raw)))
    with tempfile.TemporaryDirectory() as name:
        scratch, pins, used = Path(name), 0, 0
        drivers = {percent: build(scratch, percent) for percent in {of.slower for of in wanted}}
        pin: Path | None = None
        while time.monotonic() < ends:
            of = min(wanted, key=lambda each: taken[each] / wanted[each])
            if of.against == "pin":
                if pin is None or used == RUNS_A_PIN:
                    pin, pins, used = pinned(scratch / f"pin-{pins}", options), pins + 1, 0
                used += 1
            held = pin if of.against == "pin" else None
            found = one_run(of, drivers[of.slower], held, options, taken.total())
            taken[of] += 1
            raw_files.add(raw, found)
            print(taken.total(), json.dumps(found), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "judge"])
    parser.add_argument("--raw", type=Path, default=KEPT)
    parser.add_argument("--busy", choices=[*raw_files.HOSTS], default="both")
    parser.add_argument("--against", nargs="+", choices=[*SHARES], default=[*SHARES])
    parser.add_argument("--minutes", type=float, default=120.0)
    arguments, options = parser.parse_known_args(argv)
    if arguments.what == "measure":
        with suppress(KeyboardInterrupt):
            loads = raw_files.HOSTS[arguments.busy]
            options = options or ["--kernels", "auto"]
            measure(arguments.raw, arguments.minutes, loads, arguments.against, options)
        raw_files.pack(arguments.raw)
    in_docs = arguments.what == "measure" and arguments.raw == KEPT
    raw_files.show(arguments.raw, table, "power", in_docs=in_docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
