"""What a run's page costs beside the run: python benchmarks/page.py [RUN...].

Makes the page of each run (default: the shipped one) as ``weekops page`` does, in a process of its own, and prints its
CPU time, imports and judging the journal again among it, beside the time that the run took by its own journal.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.evidence.stored_run import read_run

EXAMPLE = Path(__file__).resolve().parents[1] / "reports" / "example"


def lasted_s(run: Path) -> float:
    """Seconds from the beginning of a run to its last measurement."""
    stored = read_run(run)
    taken = [event.data for event in stored.events if event.type == "measurement"]
    began = parse_time(stored.created_at)
    ends = [(parse_time(each["started_at"]) - began).total_seconds() + float(each["elapsed_s"]) for each in taken]
    return max(ends)


def cost_s(run: Path, output: Path) -> float:
    """Seconds of CPU time in which its page is made."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "pytest_weekops.cli", "page", str(run), "--output", str(output)],
        check=True,
        capture_output=True,
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """A line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, default=[EXAMPLE])
    with tempfile.TemporaryDirectory() as scratch:
        for run in parser.parse_args().runs:
            output = Path(scratch) / "report.html"
            cost, lasted = statistics.median(cost_s(run, output) for _ in range(5)), lasted_s(run)
            size = output.stat().st_size / 1024
            share = f"{100 * cost / lasted:.2f} % of the {lasted:.0f} s that it took"
            print(f"{run.name}: {size:.0f} KiB in {cost:.2f} s of CPU time, {share}")


if __name__ == "__main__":
    main()
