"""How long a verdict takes: the README's first line on each CPU driver, and a split of two of them.

    python benchmarks/fast.py measure
    python benchmarks/fast.py judge

``measure`` runs each line of ``RUNS`` in turn, ``--times`` of each, on an idle host, and adds how it ended to a file
(``--raw``, that which is kept beside this script), so that it can be broken off and gone on with. The table has the
wall time of the whole process; how much of the time from the first line of the journal to its last record was on or for
the device or its partner; and how many of the snapshots that the run might have taken it did not need. It is written
into docs/explanation/performance.md where the file is the kept one; ``judge`` prints it.
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
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import raw_files
from efficiency import shares

from pytest_weekops.evidence.stored_run import read_run

KEPT = raw_files.KEPT / "fast.jsonl.gz"  # judged again by a test
PERFORMANCE = raw_files.DECISION_QUALITY.with_name("performance.md")
SUITES = Path(__file__).resolve().parents[1] / "suites"
FIRST_LINE = ("weekly", "--sizes", "1400", "2048", "3072", "--platforms")
RUNS = {
    "first line, Debian's PoCL": (*FIRST_LINE, "pocl-system"),
    "first line, Intel's runtime": (*FIRST_LINE, "intel"),
    "first line, embedded PoCL": (*FIRST_LINE, "pocl-embedded"),
    "split, 2 lanes x 3 sizes x 2 seeds": (
        *("split", "--sizes", "1400", "2048", "3072", "--seeds", "11", "29"),
        *("--kernels", "auto_t3_controlled", "auto_t5_guarded"),
        *("--baseline-platform", "pocl-system", "--candidate-platform", "intel"),
    ),
}
ENDS = {0: "promote", 1: "iterate", 10: "iterate at SEV1", 11: "open"}

Run = dict[str, Any]


def table(runs: Sequence[Run]) -> list[str]:
    """One row per line: medians, and the longest wall time."""
    if not runs:
        return ["Nothing has been measured by it yet."]
    rows = [
        "| run | runs | ended in | wall time, longest | on the device | snapshots, of at most | saved |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in RUNS:
        mine = [run for run in runs if run["run"] == name]
        if not mine:
            continue
        ends = ", ".join(f"{count} {end}" for end, count in Counter(ENDS[run["status"]] for run in mine).most_common())
        walls = [run["seconds"] for run in mine]
        share = statistics.median(run["device_s"] / run["wall_s"] for run in mine)
        taken, most = (statistics.median(run[key] for run in mine) for key in ("snapshots", "most"))
        cells = [name, str(len(mine)), ends, f"{statistics.median(walls):.0f} s, {max(walls):.0f} s"]
        cells += [f"{100 * share:.0f} %", f"{taken:g}, {most:g}", f"{100 - 100 * taken / most:.0f} %"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def one_run(name: str) -> Run:
    """A run in a directory of its own, as its journal has it."""
    suite, *options = RUNS[name]
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pytest", str(SUITES / suite), f"--rootdir={directory}", "-q", *options]
        began = time.monotonic()
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        found = list(Path(directory).glob("reports/*/decision.json"))
        if done.returncode not in ENDS or len(found) != 1:
            sys.exit(f"{name} ended in {done.returncode} without a decision: {(done.stdout + done.stderr)[-2000:]}")
        certainty = json.loads(found[0].read_text(encoding="utf-8"))["verdict"]["certainty"]
        _phases, device_s, wall_s = shares(read_run(found[0].parent))
    return {
        "run": name,
        "day": datetime.now(UTC).date().isoformat(),
        "status": done.returncode,
        "seconds": round(seconds, 1),
        "wall_s": round(wall_s, 1),
        "device_s": round(device_s, 1),
        "snapshots": certainty["snapshots"],
        "most": certainty["looks"][-1],
        "open": certainty["open"],
        "void": certainty["void"],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure or judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["measure", "judge"])
    parser.add_argument("--raw", type=Path, default=KEPT)
    parser.add_argument("--runs", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--times", type=int, default=2, help="how many runs of each there are in the end")
    arguments = parser.parse_args(argv)
    if arguments.what == "measure":
        raw_files.pack(arguments.raw)
        with suppress(KeyboardInterrupt):
            taken = Counter(run["run"] for run in raw_files.read(arguments.raw))
            while left := [name for name in arguments.runs if taken[name] < arguments.times]:
                name = min(left, key=lambda each: taken[each])
                raw_files.add(arguments.raw, found := one_run(name))
                taken[name] += 1
                print(json.dumps(found), flush=True)
        raw_files.pack(arguments.raw)
    in_docs = arguments.what == "measure" and arguments.raw == KEPT
    raw_files.show(arguments.raw, table, "fast", in_docs=in_docs, page=PERFORMANCE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
