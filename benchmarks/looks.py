"""What it costs that every launch is looked at: extra time beside each launch, and what it does to the launch itself.

    chrt -r 1 python benchmarks/looks.py --platform pocl --kernel auto --sizes 256 512 1400

Two series take turns: one as a session launches (two sets of inputs in turn, a digest behind each launch), one as
sessions used to (one set, nothing behind it). ``shift`` is the median of the pairs' log ratios of launch times, with
the middle half of them; ``beside`` is the digest's own time as a share of the launch.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

from in_process import launcher_of, opened


def main() -> int:
    """Print a line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", default="pocl")
    parser.add_argument("--kernel", default="auto")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 1400, 2048])
    parser.add_argument("--pairs", type=int, default=60)
    options = parser.parse_args()
    with opened(options.platform) as device:
        for size in options.sizes:
            print(line(device, options.kernel, size, options.pairs), flush=True)
    return 0


def line(device: object, kernel: str, size: int, pairs: int) -> str:
    """One size in words."""
    from pytest_weekops.device.digest import Digest
    from pytest_weekops.device.known_operations import OPERATIONS
    from pytest_weekops.device.opened import OpenDevice
    from pytest_weekops.device.operation import Gemm, Shape
    from pytest_weekops.device.timing import time_launch

    assert isinstance(device, OpenDevice)
    shape = Shape(size, size, size)
    operation = "triad" if kernel == "triad" else "gemm"
    rule = OPERATIONS[operation]
    assert isinstance(rule, Gemm) or hasattr(rule, "rolled")
    inputs = rule.inputs(shape, 1, 1)
    launcher, source = launcher_of(device, kernel, size, operation)
    launcher.upload(inputs, 0)
    launcher.upload(rule.rolled(shape, inputs), 1)
    launcher.poison()
    digest = Digest(device.queue, device.programs, device.identity, launcher.output, launcher.area)
    for slot in (0, 1, 0):
        launcher.use(slot)
        time_launch(device.queue, launcher.enqueue)
        digest.take()
    plain: list[int] = []
    looked: list[int] = []
    beside: list[float] = []
    for number in range(pairs):
        for kind in ("plain", "looked") if number % 2 else ("looked", "plain"):
            # Each kind comes twice and its second launch counts: the first one follows the other kind's.
            for again in (False, True):
                launcher.use(number % 2 ^ again if kind == "looked" else 0)
                taken = time_launch(device.queue, launcher.enqueue).wall_ns
                began = time.perf_counter_ns()
                if kind == "looked":
                    digest.take()
                    beside.append((time.perf_counter_ns() - began) / taken)
                if again:
                    (looked if kind == "looked" else plain).append(taken)
    logs = sorted(math.log(b / a) for a, b in zip(plain, looked, strict=True))
    low, middle, high = (100 * q for q in statistics.quantiles(logs, n=4))
    launcher.release()
    digest.release()
    return (
        f"{source.entry.mode:>8} {size:>5}: launch {statistics.median(plain) * 1e-6:8.3f} ms, "
        f"shift {middle:+6.2f} % ({low:+.2f} to {high:+.2f}), beside {100 * statistics.median(beside):6.2f} %"
    )


if __name__ == "__main__":
    raise SystemExit(main())
