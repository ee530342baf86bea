"""What the fixed work quanta cost the launches beside them: python benchmarks/host_pace.py.

Rounds of four measurements, with quanta, without, without, with; neighbours make a pair, whose ratio is that of their
mean launches. Printed are the median ratio with its 95 % interval (sign test: a host that changes its speed inside a
pair must not decide), and the quantum on an idle host and beside the launches, in CPU microseconds: median, 5th and
95th percentile.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from measuring import each, measure

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.stats import median_interval
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor


def mean_ms(supervisor: PlatformSupervisor, host: HostWorker, size: int) -> float:
    """Mean launch of ``auto`` over half a second, verified."""
    answer = measure(supervisor, host, "auto", size, iterations=8, least_session_ms=500.0)
    return statistics.fmean(answer.sessions[0].wall_ns) * 1e-6


def spread(cpu_us: list[float]) -> str:
    """Median and the two percentiles of what quanta took."""
    ordered = sorted(cpu_us)
    low, high = ordered[len(ordered) // 20], ordered[-1 - len(ordered) // 20]
    return f"{statistics.median(ordered):.0f} ({low:.0f} to {high:.0f})"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 1400])
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args(argv)
    print("| platform, n | launch with / without | quantum beside launches, us | on an idle host |")
    print("| --- | --- | --- | --- |")
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        host.begin_quanta()
        time.sleep(3.0)
        idle = [ns * 1e-3 for ns in host.end_quanta().cpu_ns]
        for supervisor in each(arguments.platforms, scratch):
            for size in arguments.sizes:
                ratios, beside = [], []
                for _round in range(arguments.rounds):
                    found: dict[bool, list[float]] = {True: [], False: []}
                    for watched in (True, False, False, True):
                        if watched:
                            host.begin_quanta()
                        found[watched].append(mean_ms(supervisor, host, size))
                        if watched:
                            beside += [ns * 1e-3 for ns in host.end_quanta().cpu_ns]
                    ratios += [one / other for one, other in zip(found[True], found[False], strict=True)]
                low, high = median_interval(ratios)
                words = f"{statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}]"
                print(
                    f"| {supervisor.launch.label}, {size} | {words} | {spread(beside)} | {spread(idle)} |", flush=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
