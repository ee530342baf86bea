"""What the T5 guard costs, and that it is the same for any number of launches: python benchmarks/guard_overhead.py.

Per platform and size, measurements of 4, 8 and 40 iterations take turns, round by round, so that a change of the host
meets all three. Printed are percent of the launch: per check (median over all launches, with its 95 % interval),
amortised (sum of checks / sum of launches), the worst launch and the number of spikes, and the median relative to the
pooled one of all three. The last column is the alternative that was rejected: filling C with NaN before each launch,
timed between launches in a process of its own. ``--t5-policy`` prices a sampled guard, per check.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from in_process import launcher_of
from measuring import SEED, each
from measuring import measure as measured

from pytest_weekops.core.guard.evidence import SPIKE
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.stats import median_interval
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.policies.files import default_policy, load_lane_policy
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

ITERATIONS = (4, 8, 40)

Pairs = list[tuple[int, int]]  # nanoseconds of a launch and of its check


def measure(
    supervisor: PlatformSupervisor, host: HostWorker, size: int, iterations: int, guard: GuardSettings
) -> Pairs:
    """One guarded measurement's launches that were checked, each with its check."""
    answer = measured(supervisor, host, "auto_t5_guarded", size, iterations=iterations, guard=guard)
    if answer.guard is None or answer.guard.checks != iterations:
        sys.exit(f"n = {size}, {iterations} iterations: not every launch was checked")
    return list(zip(answer.sessions[0].wall_ns, answer.guard.check_ns, strict=True))


def poison_child(request: str, size: int, launches: int) -> int:
    """In a process of its own: NaN fills between launches, as percent of the launch; one JSON list."""
    from pytest_weekops.device.opened import OpenDevice
    from pytest_weekops.device.operation import Gemm, Shape
    from pytest_weekops.device.timing import time_launch

    device = OpenDevice(OpenRequest.model_validate_json(request), lambda _phase: None)
    shape = Shape(size, size, size)
    launcher, _source = launcher_of(device, "auto", size)
    launcher.upload(Gemm().inputs(shape, SEED, 1))

    def poison() -> tuple[()]:
        launcher.poison()
        return ()

    pairs = []
    for number in range(launches + 3):
        fill = time_launch(device.queue, poison).wall_ns
        launch = time_launch(device.queue, launcher.enqueue).wall_ns
        if number >= 3:  # the first three warm up
            pairs.append(100.0 * fill / launch)
    launcher.release()
    print(json.dumps(pairs))
    return 0


def poison_percent(launch: Launch, size: int, launches: int) -> float:
    """Median cost of a NaN fill in percent of its launch."""
    command = [sys.executable, __file__, "--poison", launch.open.model_dump_json(), str(size), str(launches)]
    environment = {**os.environ, **launch.environment, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(statistics.median(json.loads(done.stdout.splitlines()[-1])))


def row(name: str, pairs: Pairs, pooled: float, poison: float) -> str:
    """One line of the table."""
    shares = [100.0 * check / launch for launch, check in pairs]
    middle, (low, high) = statistics.median(shares), median_interval(shares)
    amortised = 100.0 * sum(check for _launch, check in pairs) / sum(launch for launch, _check in pairs)
    spikes = sum(share > SPIKE * middle for share in shares)
    ms = statistics.median(launch for launch, _check in pairs) * 1e-6
    return (
        f"| {name} | {ms:.3f} | {middle:.2f} [{low:.2f}, {high:.2f}] | {amortised:.2f} | {max(shares):.1f} | "
        f"{spikes} of {len(shares)} | {middle / pooled:.2f} | {poison:.2f} |"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["--poison"]:
        return poison_child(words[1], int(words[2]), int(words[3]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1400])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--t5-policy", type=Path, help="an older T5 policy, for a sampled guard")
    arguments = parser.parse_args(words)
    policy = default_policy()
    if arguments.t5_policy:
        policy = load_lane_policy(policy, "t5", arguments.t5_policy)
    guard = settings_of(policy.guard).model_copy(update={"period": 1})  # the cost of a check, whatever the period
    print(f"{guard.words}, {guard.projections} sign vectors; percent of the launch\n")
    print("| platform, n, iterations | launch ms | per check | amortised | worst | spikes | / pooled | NaN fill |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with Scratch() as scratch, closing(HostWorker(scratch, Deadlines())) as host:
        for supervisor in each(arguments.platforms, scratch):
            for size in arguments.sizes:
                found: dict[int, Pairs] = {iterations: [] for iterations in ITERATIONS}
                fills = []
                for number in range(arguments.rounds):
                    turn = number % len(ITERATIONS)
                    for iterations in (*ITERATIONS[turn:], *ITERATIONS[:turn]):
                        found[iterations] += measure(supervisor, host, size, iterations, guard)
                    fills.append(poison_percent(supervisor.launch, size, ITERATIONS[1]))
                pooled = statistics.median(100.0 * c / t for pairs in found.values() for t, c in pairs)
                for iterations, pairs in found.items():
                    name = f"{supervisor.launch.label}, {size}, {iterations}"
                    print(row(name, pairs, pooled, statistics.median(fills)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
