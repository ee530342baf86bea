"""Short gates on a real driver, each with a fault drawn by its seed, and what they lost, leaked or got wrong.

``python benchmarks/soak.py --gates 20`` runs them one after the other in one project and prints the counts: lost
records, processes, scratch and files that stayed, and wrong verdicts. All of them are to be 0. Sittings add up in
``docs/soaked.json``, which is written behind each gate: the next one goes on with the seed behind the last.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_weekops.files.atomic import write_atomic

ROOT = Path(__file__).resolve().parents[1]
MARK = "WEEKOPS_SOAK"
POLICY = """\
version: 1
policy_id: soak
inherits: portable.yaml
guardrails: {max_abs_throughput_drift_percent: 95, max_throughput_deviation_percent: 95, drift_reason: a busy machine}
evidence: {min_p95_launches: 20}
host: {max_pace_change_percent: 900, max_anchor_change_percent: 900, max_steal_percent: 90, max_run_delay_percent: null}
"""
SMALL = (
    *("--sizes", "96", "--snapshots", "2", "--max-snapshots", "2", "--sessions", "2", "--iterations", "15"),
    *("--session-ms", "20", "--pressure-size", "64", "--kernels", "auto"),
)
MEASURED = re.compile(r"^ +\d+/\d+ +s\d+ ", re.MULTILINE)
LONGEST_S = 180.0
USAGE = 4  # nothing was begun
OWN_LOCK = {"WEEKOPS_LOCK_NAMESPACE": f"soak-{os.getpid()}"}  # other gates on this machine are not waited for
GONE_S = 20.0  # until processes that notice by themselves are gone
KEPT = ROOT / "docs" / "soaked.json"
COUNTS = (
    *("lost records", "leaked processes", "leaked scratch", "leaked files", "wrong verdicts", "hung gates"),
    "gates that never began",
)


@dataclass
class Soak:
    """One project, its gates so far, and what was counted."""

    place: Path
    platform: str
    longest_s: float = LONGEST_S
    found: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    @property
    def reports(self) -> Path:
        """The project's report directory."""
        return self.place / "project" / "reports"

    def lay_out(self) -> None:
        """An empty project with a policy that a busy machine meets."""
        (self.place / "tmp").mkdir(parents=True)
        (self.place / "project").mkdir()
        (self.place / "project" / "policy.yaml").write_text(POLICY, encoding="utf-8")
        (self.place / "project" / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    def gate(self, number: int, seed: int) -> bool:
        """Run one gate with the fault that its seed draws, and count; whether it was one: it began a run."""
        draw = random.Random(seed)
        name = draw.choice(list(FAULTS))
        before = {path.name for path in self.reports.glob("*")} if self.reports.exists() else set()
        status, output, did = self._run(name, draw)
        runs = [p for p in sorted(self.reports.glob("*")) if p.name not in before and p.is_dir()]
        line = f"gate {number}: {name}{'' if did else ' (it came too late)'}, exit status {status}"
        print(line, flush=True)
        if status == USAGE and not runs:
            self._note("gates that never began", f"{line}: {output[-400:]}")
            return False
        self.faults[name] += 1
        self._count(f"{line}: ", status, output, runs, harmed=did and name in FATAL)
        return True

    def _run(self, name: str, draw: random.Random) -> tuple[int | None, str, bool]:
        suite = ROOT / "suites" / "weekly"
        line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={self.place / 'project'}"]
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [*line, str(suite), "--policy", "policy.yaml", "--platforms", self.platform, *SMALL],
                cwd=self.place / "project",
                env={**os.environ, "TMPDIR": str(self.place / "tmp"), MARK: str(self.place), **OWN_LOCK},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            did = FAULTS[name](self, process, draw)
            try:
                process.wait(self.longest_s)
            except subprocess.TimeoutExpired:
                self.found["hung gates"] += 1
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            return process.returncode, output.read(), did

    def _count(self, line: str, status: int | None, output: str, runs: Sequence[Path], *, harmed: bool) -> None:
        until = time.monotonic() + GONE_S  # workers notice by themselves that their controller is gone
        while self.processes() and time.monotonic() < until:
            time.sleep(0.2)
        for pid in self.processes():
            self._note("leaked processes", f"{line}process {pid}")
        printed = len(MEASURED.findall(output))
        kept = sum(_measurements(run / "journal.jsonl") for run in runs)
        if kept < printed:
            self._note("lost records", f"{line}{printed} were told, {kept} are in the journal")
        if status == 0 and harmed:
            self._note("wrong verdicts", f"{line}a gate with a fault promoted")
        if status == 0 and any(_decision(run) != "promote" for run in runs):
            self._note("wrong verdicts", f"{line}0 and no promote on disk")
        if status not in (0, 1, 2, 3, 10, 11, -9, -15, None):
            self._note("wrong verdicts", f"{line}an exit status that nobody knows")

    def last(self) -> None:
        """After one more gate that nobody disturbs: what still lies there is a leak."""
        status, _output, _did = self._run("nothing", random.Random(0))
        if status != 0:
            self._note("wrong verdicts", f"the last gate, without a fault, ended with {status}")
        for path in sorted((self.place / "tmp").glob("weekops-*")):
            if not path.name.startswith("weekops-locks"):  # the devices' locks, which all gates of a user share
                self._note("leaked scratch", path.name)
        known = {"policy.yaml", "pytest.ini", "reports", ".benchmarks"}  # the last is pytest-benchmark's
        for path in sorted((self.place / "project").iterdir()):
            if path.name not in known:
                self._note("leaked files", path.name)
        for path in self.reports.rglob(".*"):
            self._note("leaked files", str(path.relative_to(self.reports)))

    def processes(self) -> list[int]:
        """Processes that a gate of this soak started, and that live."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"{MARK}={self.place}".encode() in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def _note(self, what: str, words: str) -> None:
        self.found[what] += 1
        self.told.append(f"{what}: {words}")


def _measurements(journal: Path) -> int:
    lines = journal.read_bytes().splitlines() if journal.exists() else []
    return sum(b'"type":"measurement"' in line for line in lines)


def _decision(run: Path) -> str:
    path = run / "decision.json"
    return str(json.loads(path.read_text(encoding="utf-8"))["decision"]) if path.exists() else ""


# -- faults: each returns whether it came in time -----------------------------------------------------------------


def _nothing(_soak: Soak, _process: subprocess.Popen[bytes], _draw: random.Random) -> bool:
    return True


def _signalled(number: int) -> Callable[[Soak, subprocess.Popen[bytes], random.Random], bool]:
    def strike(soak: Soak, process: subprocess.Popen[bytes], draw: random.Random) -> bool:
        if not _in_time(soak, process, draw):
            return False
        decided = (_latest(soak).parent / "decision.json").exists()  # the page is made behind the verdict
        return _kill(process.pid, number) and not decided

    return strike


def _worker(soak: Soak, process: subprocess.Popen[bytes], draw: random.Random) -> bool:
    """A worker dies, as by a driver's segmentation fault."""
    if not _in_time(soak, process, draw):
        return False
    workers = [pid for pid in soak.processes() if pid != process.pid]
    return bool(workers) and _kill(draw.choice(sorted(workers)), signal.SIGSEGV)


def _journal(soak: Soak, process: subprocess.Popen[bytes], draw: random.Random) -> bool:
    """Somebody cuts the journal of the run that goes on."""
    if not _in_time(soak, process, draw):
        return False
    journal = _latest(soak)
    if (journal.parent / "decision.json").exists():  # judged by now: `weekops status --verify` would find it
        return False
    if not journal.stat().st_size:  # nothing is in it yet, so nothing is cut
        return False
    os.truncate(journal, journal.stat().st_size // 2)
    return True


def _latest(soak: Soak) -> Path:
    """The journal that was written last."""
    return max(soak.reports.glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime)


def _in_time(soak: Soak, process: subprocess.Popen[bytes], draw: random.Random) -> bool:
    """Wait until this gate has a journal, and a while that is drawn; whether it still goes on then."""
    there = set(soak.reports.glob("*/journal.jsonl")) if soak.reports.exists() else set()
    until = time.monotonic() + soak.longest_s
    while process.poll() is None and time.monotonic() < until:
        if set(soak.reports.glob("*/journal.jsonl")) - there:
            time.sleep(draw.uniform(0.0, 3.0))
            return process.poll() is None
        time.sleep(0.05)
    return False


def _kill(pid: int, number: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


FAULTS: dict[str, Callable[[Soak, subprocess.Popen[bytes], random.Random], bool]] = {
    "nothing": _nothing,
    "SIGKILL of pytest": _signalled(signal.SIGKILL),
    "SIGTERM of pytest": _signalled(signal.SIGTERM),
    "SIGINT of pytest": _signalled(signal.SIGINT),
    "SIGSEGV of a worker": _worker,
    "the journal cut": _journal,
}


# A worker that dies may be the host's, or idle: another one takes its place, and the gate may promote.
FATAL = tuple(name for name in FAULTS if name not in ("nothing", "SIGSEGV of a worker"))


@dataclass
class Sittings:
    """What all sittings came to: gates, faults that were drawn, what was counted; and the seed of the next gate."""

    file: Path
    gates: int = 0
    next_seed: int = 1
    faults: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, file: Path) -> Sittings:
        """Those before this one; none where there is no file."""
        if not file.exists():
            return cls(file)
        told = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, told["gates"], told["next_seed"], Counter(told["faults"]), Counter(told["found"]))

    def add(self, soak: Soak, *, gates: int) -> None:
        """Add what a soak has counted since the last time, and begin its counting anew."""
        self.gates += gates
        self.next_seed += gates
        self.faults.update(soak.faults)
        self.found.update(soak.found)
        soak.faults.clear()
        soak.found.clear()
        told = {"gates": self.gates, "next_seed": self.next_seed, "faults": dict(sorted(self.faults.items()))}
        text = json.dumps({**told, "found": {name: self.found[name] for name in COUNTS}}, indent=2)
        write_atomic(self.file, text + "\n")


def main(words: Sequence[str] | None = None) -> int:
    """Soak, and print what was counted. Exit status 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=20, help="at most")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no further gate is begun")
    parser.add_argument("--longest", type=float, default=LONGEST_S, help="seconds after which a gate hangs")
    parser.add_argument("--platform", default="pocl")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where sittings add up")
    asked = parser.parse_args(words)
    # A shell starts what stands in the background with this signal ignored, and gates would not hear theirs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    until, sittings = time.monotonic() + asked.minutes * 60, Sittings.read(asked.kept)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        soak = Soak(Path(place) / "soak", asked.platform, asked.longest)
        soak.lay_out()
        for _gate in range(asked.gates):
            if time.monotonic() < until:
                if not soak.gate(sittings.gates + 1, sittings.next_seed):
                    break
                sittings.add(soak, gates=1)
        soak.last()
        sittings.add(soak, gates=0)
    for words_told in soak.told:
        print(words_told)
    drawn = ", ".join(f"{count} {name}" for name, count in sorted(sittings.faults.items()))
    print(f"{sittings.gates} gates in all sittings: {drawn}")
    print(", ".join(f"{sittings.found[name]} {name}" for name in COUNTS))
    return 1 if soak.told else 0


if __name__ == "__main__":
    sys.exit(main())
