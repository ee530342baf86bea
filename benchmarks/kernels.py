"""Kernels against NumPy with OpenBLAS and against tile20, interleaved in one run; prints ratios with their ranges.

    python benchmarks/kernels.py --platforms pocl --sizes 1400 2048 3072
    python benchmarks/kernels.py --platforms rusticl clover --sizes 512

Each round times, back to back and for each size, NumPy's float32 product in a process of its own and then every kernel
on every platform. Results are verified by the K-scaled bound alone: tile20 at 3072 is beyond the absolute one.
 A round gives one ratio of median times; printed are the median over rounds and the range.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from pytest_weekops.core.plan import Deadlines
from pytest_weekops.core.records import Case
from pytest_weekops.platforms import resolve_platforms
from pytest_weekops.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ReferenceRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor


def numpy_ms(host: HostWorker, size: int) -> float:
    """Median milliseconds of NumPy's product of two size x size float32 matrices."""
    return host.anchor(min_ms=200.0, size=size)


def kernel_ms(supervisor: PlatformSupervisor, host: HostWorker, kernel: str, size: int, launches: int) -> float:
    """Median milliseconds of one kernel, packing included, verified."""
    reference = host.reference(ReferenceRequest(m=size, n=size, k=size, seed=3, session=1, path=""))
    request = MeasureRequest(
        kernel=kernel,
        m=size,
        n=size,
        k=size,
        seed=3,
        sessions=1,
        iterations=launches,
        warmup_min=2,
        warmup_max=3,
        references={1: str(reference)},
        kernel_dirs=(str(data_dir("kernels")),),
        k_scaled_bound=12.0,
    )
    answer = supervisor.measure(Case(platform="b", kernel=kernel, size=size, seed=3, snapshot=1), request)
    if answer.status != "ok":
        sys.exit(f"{kernel} at {size}: {answer.status}: {answer.reason}")
    return statistics.median(answer.sessions[0].wall_ns) * 1e-6


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platforms", nargs="+", default=["pocl"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1400, 2048, 3072])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--launches", type=int, default=3)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="weekops-"))
    host = HostWorker(scratch, Deadlines())
    supervisors = {
        launch.label: PlatformSupervisor(launch, Deadlines(), scratch)
        for launch in resolve_platforms(arguments.platforms, scratch=scratch)
    }
    for label, supervisor in supervisors.items():
        identity = supervisor.start()
        print(f"{label}: {identity.device_name}, driver {identity.driver_version}, {identity.hardware}")
    print("\n| platform | n | GFLOPS auto | auto / NumPy | range | auto / tile20 | range |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    try:
        for size in arguments.sizes:
            _one_size(size, supervisors, host, arguments.rounds, arguments.launches)
    finally:
        for supervisor in supervisors.values():
            supervisor.close()
        host.close()
    return 0


def _one_size(
    size: int, supervisors: dict[str, PlatformSupervisor], host: HostWorker, rounds: int, launches: int
) -> None:
    over_numpy: dict[str, list[float]] = {label: [] for label in supervisors}
    over_tile: dict[str, list[float]] = {label: [] for label in supervisors}
    speed: dict[str, list[float]] = {label: [] for label in supervisors}
    for _round in range(rounds):
        for label, supervisor in supervisors.items():
            reference = numpy_ms(host, size)
            auto = kernel_ms(supervisor, host, "auto", size, launches)
            tile = kernel_ms(supervisor, host, "tile20", size, 1)
            over_numpy[label].append(reference / auto)
            over_tile[label].append(tile / auto)
            speed[label].append(2e-6 * size**3 / auto)
    for label in supervisors:
        blas, tiles = over_numpy[label], over_tile[label]
        print(
            f"| {label} | {size} | {statistics.median(speed[label]):.0f} | {statistics.median(blas):.2f} | "
            f"{min(blas):.2f} to {max(blas):.2f} | {statistics.median(tiles):.1f} | "
            f"{min(tiles):.1f} to {max(tiles):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
