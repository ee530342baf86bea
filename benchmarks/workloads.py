"""Workloads against what the same device and the same cores can do, interleaved in one run; ratios with intervals.

    python benchmarks/workloads.py --platforms pocl intel
    python benchmarks/workloads.py --platforms pocl --kernels transpose scan sort --rounds 8

Each round times, back to back, the triad (its bandwidth is the roof of what moves memory) and then every workload, each
verified, with what it is held against:

* ``reduce``, ``transpose``, ``stencil2d``, ``stencil3d``, ``spmv``, ``gather_scatter``, ``gather_scatter_long``:
  their own traffic per second, as a share of the triad's;
* ``scan``, ``sort``, ``sort_pairs``, ``histogram``: NumPy's ``cumsum``, ``sort``, stable ``argsort`` with what it
  orders, and ``bincount`` of the same data, on one core;
* ``fft``: SciPy's pocketfft on the same rows with as many workers as there are CPUs;
* ``nbody``: its own count of flops, as a share of the float arithmetic that ``weekops peak`` reaches on the device.

Sizes lie beyond the caches of a common CPU. A round gives one ratio of medians; printed are the geometric mean over
rounds and its 95 % interval (t on logarithms), and what is asked. Exit status 0 whatever the ratios are: they are read.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy.fft
from measuring import SEED, each, measure

from kernels import summary
from pytest_weekops.campaigns.peak import measure_item
from pytest_weekops.core.measurement.peak import ITEMS, PeakAmounts
from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads.fft import Fft
from pytest_weekops.device.workloads.histogram import Histogram
from pytest_weekops.device.workloads.scan import Scan
from pytest_weekops.device.workloads.sort import Sort
from pytest_weekops.device.workloads.sort_pairs import SortPairs
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.peak_messages import PeakRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

# Workload -> its size n, and the share that is asked of it; None where nothing is.
MEMORY = {
    "reduce": (4096, 0.8),
    "transpose": (4096, 0.5),
    "stencil2d": (4096, 0.6),
    "stencil3d": (4096, 0.6),
    "spmv": (4096, 0.5),
    "gather_scatter": (2048, None),
    "gather_scatter_long": (2048, None),
}
RIVALS = {
    "scan": (4096, 1.0),
    "sort": (2048, 1.0),
    "sort_pairs": (2048, 1.0),
    "histogram": (4096, None),
    "fft": (2048, 0.5),
}
ARITHMETIC = {"nbody": (2048, None)}
ALL: dict[str, tuple[int, float | None]] = {**MEMORY, **RIVALS, **ARITHMETIC}
TRIAD_SIZE = 4096


def seconds(function: Callable[[], object], least: int = 3) -> float:
    """The median of a few calls."""
    taken = []
    for _ in range(least):
        begun = time.perf_counter()
        function()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def rival(name: str, n: int) -> Callable[[], object]:
    """The same work on the host, on data made as the workload makes its own."""
    shape = Shape(n, n, n)
    if name == "scan":
        (values,) = (each.reshape(-1) for each in Scan().inputs(shape, SEED, 1).values())
        return lambda: np.cumsum(values, dtype=np.int32)
    if name == "sort":
        (keys,) = (each.reshape(-1) for each in Sort().inputs(shape, SEED, 1).values())
        return lambda: np.sort(keys)
    if name == "sort_pairs":
        keys, values = (half.reshape(-1) for half in np.split(SortPairs().inputs(shape, SEED, 1)["x"], 2))

        def by_keys() -> object:
            order = np.argsort(keys, kind="stable")
            return keys[order], values[order]

        return by_keys
    if name == "histogram":
        (bins,) = (each.reshape(-1) for each in Histogram().inputs(shape, SEED, 1).values())
        return lambda: np.bincount(bins >> 24, minlength=256)
    rows = Fft().inputs(shape, SEED, 1)["in"]
    numbers = np.ascontiguousarray(rows.reshape(rows.shape[0], -1)).view(np.complex64)
    return lambda: scipy.fft.fft(numbers, axis=1, workers=os.cpu_count() or 1)


def arithmetic_peak(supervisor: PlatformSupervisor) -> float:
    """GFLOPS of the fastest float chains of level 0."""
    item = ITEMS["arithmetic_float"]
    request = PeakRequest(item=item.name, kernel_dir=str(data_dir("kernels")), amounts=PeakAmounts())
    found = measure_item(supervisor, item, request)
    return found.value or math.nan


def one_round(
    supervisor: PlatformSupervisor, host: HostWorker, names: Sequence[str], launches: int
) -> dict[str, float]:
    """Each workload's ratio to what it is held against."""

    def timed(name: str, n: int) -> tuple[float, float, float]:
        answer = measure(
            supervisor, host, name, n, operation=name, iterations=launches, warmup_min=2, warmup_max=3, max_wait_s=0.0
        )
        ms = statistics.median(answer.sessions[0].wall_ns) * 1e-6
        return ms * 1e-3, answer.bytes_moved, answer.flops

    def triad() -> float:
        taken, moved, _flops = timed("triad", TRIAD_SIZE)
        return moved / taken

    found = {}
    roofs = [triad()]
    for name in names:
        n, _asked = ALL[name]
        taken, moved, flops = timed(name, n)
        if name in MEMORY:
            roofs.append(triad())
            found[name] = moved / taken / statistics.mean(roofs[-2:])
        elif name in RIVALS:
            found[name] = seconds(rival(name, n)) / taken
        else:
            found[name] = flops * 1e-9 / taken / arithmetic_peak(supervisor)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--kernels", nargs="+", choices=ALL, default=list(ALL), metavar="WORKLOAD")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--launches", type=int, default=5)
    arguments = parser.parse_args()
    scratch = Scratch()
    host = HostWorker(scratch.path, Deadlines())
    try:
        for supervisor in each(arguments.platforms, Path(scratch.path)):
            identity = supervisor.identity
            assert identity is not None
            print(f"\n{identity.platform_name}: {identity.device_name}, driver {identity.driver_version}\n", flush=True)
            rounds = [
                one_round(supervisor, host, arguments.kernels, arguments.launches) for _ in range(arguments.rounds)
            ]
            print("| workload | n | held against | ratio | asked |\n| --- | --- | --- | --- | --- |")
            for name in arguments.kernels:
                n, asked = ALL[name]
                against = "triad" if name in MEMORY else "NumPy or SciPy" if name in RIVALS else "peak arithmetic"
                mean, low, high = summary([found[name] for found in rounds])
                print(f"| {name} | {n} | {against} | {mean:.2f} [{low:.2f}, {high:.2f}] | {asked or '-'} |", flush=True)
    finally:
        host.close()
        scratch.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
