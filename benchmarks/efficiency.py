"""How much of a run's wall time was work on or for the device: python benchmarks/efficiency.py RUN-DIRECTORY.

Counts warm-up, timed launches, read-back and verification as the worker timed them, and the anchor. The wall time goes
from the journal's first line to its last record, so workers' starts, builds, uploads and gates all count against it.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.stored_run import read_run

COUNTED = ("warm-up", "launch", "read-back", "verify")
ANCHOR_S = 0.055  # each anchor runs for at least 50 ms; two per measurement


def main(path: str) -> int:
    """Print the shares of one run."""
    run = read_run(Path(path))
    measured = [record for record in run.records if isinstance(record, Measurement)]
    spent: dict[str, float] = {}
    for measurement in measured:
        for phase, seconds in measurement.phase_s.items():
            spent[phase] = spent.get(phase, 0.0) + seconds
    anchor = 2 * ANCHOR_S * len(measured)
    last = measured[-1]
    began = datetime.fromisoformat(run.created_at)
    wall = (datetime.fromisoformat(last.started_at) - began).total_seconds() + last.elapsed_s
    useful = sum(spent.get(phase, 0.0) for phase in COUNTED) + anchor
    for phase, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{phase:<10} {seconds:8.2f} s  {100 * seconds / wall:5.1f} %")
    print(f"{'anchor':<10} {anchor:8.2f} s  {100 * anchor / wall:5.1f} %")
    print(f"wall time  {wall:8.2f} s, of which {100 * useful / wall:.1f} % on or for the device")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
