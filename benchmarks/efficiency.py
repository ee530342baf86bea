"""How much of a run's wall time was work on or for the device: python benchmarks/efficiency.py RUN-DIRECTORY.

Counts warm-up, timed launches, read-back and verification as the worker timed them, the launches of a partner, and the
anchor. A worker that waits for its turn is in the phase ``send``, which counts for nothing. The
wall time goes from the journal's first line to its last record, so workers' starts, builds, uploads and gates all count
against it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pytest_weekops.core.measurement.records import Measurement, SessionSamples
from pytest_weekops.evidence.stored_run import StoredRun, read_run

COUNTED = ("warm-up", "launch", "read-back", "verify")
ANCHOR_S = 0.055  # each anchor runs for at least 50 ms; two per measurement


def spent(measured: Sequence[Measurement]) -> dict[str, float]:
    """Seconds by phase, of all measurements of a run."""
    found: dict[str, float] = defaultdict(float)
    for measurement in measured:
        for phase, seconds in measurement.phase_s.items():
            found[phase] += seconds
        if measurement.turns is not None and measurement.turns.partner is not None:
            theirs = measurement.turns.partner.sessions
            found["partner"] += sum(_seconds(theirs, name) for name in ("warmup_ns", "wall_ns"))
    found["anchor"] = 2 * ANCHOR_S * len(measured)
    return found


def _seconds(sessions: Sequence[SessionSamples], name: str) -> float:
    return sum(sum(getattr(session, name)) for session in sessions) * 1e-9


def shares(run: StoredRun) -> tuple[dict[str, float], float, float]:
    """Seconds by phase, seconds on or for the device or its partner, and the wall time."""
    measured = [record for record in run.records if isinstance(record, Measurement)]
    phases = spent(measured)
    last = measured[-1]
    began = datetime.fromisoformat(run.created_at)
    wall = (datetime.fromisoformat(last.started_at) - began).total_seconds() + last.elapsed_s
    return phases, sum(phases.get(phase, 0.0) for phase in (*COUNTED, "partner", "anchor")), wall


def main(path: str) -> int:
    """Print the shares of one run."""
    phases, useful, wall = shares(read_run(Path(path)))
    for phase, seconds in sorted(phases.items(), key=lambda item: -item[1]):
        print(f"{phase:<10} {seconds:8.2f} s  {100 * seconds / wall:5.1f} %")
    print(f"wall time  {wall:8.2f} s, of which {100 * useful / wall:.1f} % on or for the device")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
