"""What T3 costs and finds from a cold start: python benchmarks/selection.py --platforms pocl --sizes 1400 2048.

The static arm is tile20, the slowest that one would name. Printed per size: launches spent on finding out, what was
taken, its time against the best variant's (each measured by itself, back to back, in two rounds), and the regret.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import closing

from measuring import each, measure

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.files.catalog import kernel_operations
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import SelectorRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

FAR_BEHIND = ("scalar",)  # minutes at large sizes, and never the best


def trial(
    supervisor: PlatformSupervisor, host: HostWorker, kernel: str, size: int, selector: SelectorRequest | None = None
) -> Measurement:
    """One short measurement, verified."""
    return measure(supervisor, host, kernel, size, iterations=4, warmup_min=1, warmup_max=2, selector=selector)


def median_ms(answer: Measurement) -> float:
    """Median milliseconds of its launches."""
    return statistics.median(answer.sessions[0].wall_ns) * 1e-6


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1400, 2048])
    parser.add_argument("--static", default="tile20")
    arguments = parser.parse_args()
    known = kernel_operations([str(data_dir("kernels"))])
    arms = [name for name, operation in known.items() if operation.is_gemm and name not in FAR_BEHIND]
    print("| platform | n | launches to find out | taken | time / best | times as fast as the static arm | regret |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        for supervisor in each(arguments.platforms, scratch):
            label = supervisor.launch.label
            for size in arguments.sizes:
                rules = SelectorRules(static_arm=arguments.static, epsilon=0.0)
                memory = str(scratch / f"{label}-{size}.json")
                found = trial(supervisor, host, "auto_t3_controlled", size, SelectorRequest(rules=rules, memory=memory))
                if found.selector is None:
                    sys.exit("the measurement carries no evidence of a selection")
                # A variant's first trial at a size is two launches, of which the second is timed.
                tried = [trial.arm for trial in found.selector.trials if trial.size == size]
                spent = len(tried) + len(set(tried))
                times = {arm: min(median_ms(trial(supervisor, host, arm, size)) for _ in range(2)) for arm in arms}
                best = min(times.values())
                print(
                    f"| {label} | {size} | {spent} | {found.variant} | {times[found.variant] / best:.2f} | "
                    f"{times[arguments.static] / times[found.variant]:.1f} | {found.selector.regret_launches:.1f} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
