"""What T3's comparisons of two variants say beside a load: of every launch, and of calm ones alone.

    python benchmarks/duels.py --platform pocl --kernels block packed --sizes 256 --duels 100
    python benchmarks/duels.py --load compile --sizes 512

Both meet again and again beside a busy loop, a compiler or copies of memory, which work for two to eight seconds and
pause for as long, by every launch and by calm ones alone in turn. ``pairs`` is the share of pairs in which the first
variant was slower than the second by more than the shipped policy's limit, ``fallbacks`` are the duels in which each
pair was, and ``none`` those that found too few calm pairs.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from beside_load import LOADS, beside
from in_process import launcher_of, opened

from pytest_weekops.core.selection.online import is_slower
from pytest_weekops.policies.files import default_policy

if TYPE_CHECKING:
    from pytest_weekops.device.launcher import Launcher
    from pytest_weekops.device.opened import OpenDevice


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", default="pocl")
    parser.add_argument("--kernels", nargs=2, default=["block", "packed"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256])
    parser.add_argument("--duels", type=int, default=100)
    parser.add_argument("--load", choices=(*LOADS, "none"), default="busy")
    options = parser.parse_args()
    with opened(options.platform) as device:
        print("| variants, size | launches | duels | fallbacks | none | pairs | ratios | s a duel |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for size in options.sizes:
            print("\n".join(rows(device, options.kernels, size, options.duels, options.load)), flush=True)
    return 0


def rows(device: OpenDevice, kernels: list[str], size: int, duels: int, load: str) -> list[str]:
    """Two rows for a size."""
    from pytest_weekops.device.duel import paired_ratios

    rules, host = default_policy().selector, default_policy().host
    first, second = (prepared(device, kernel, size) for kernel in kernels)
    limits = {"every": None, "calm": host.max_run_delay_percent}
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in limits}
    spent = dict.fromkeys(limits, 0.0)
    with beside(load, size):
        for number in range(2 * duels):
            name = ("every", "calm")[number % 2]
            began = time.monotonic()
            found[name].append(paired_ratios(device.queue, first, second, limits[name]))
            spent[name] += time.monotonic() - began
    first.release()
    second.release()
    lines = []
    for name, taken in found.items():
        some = [ratios for ratios in taken if ratios]
        every = sorted(ratio for ratios in some for ratio in ratios)
        beyond = sum(ratio > 1.0 + rules.max_slowdown for ratio in every) / max(1, len(every))
        fallbacks = sum(is_slower(rules, ratios) for ratios in some)
        seen = f"{every[0]:.2f} to {every[-1]:.2f}" if every else "-"
        lines.append(
            f"| {' against '.join(kernels)}, {size} | {name} | {len(taken)} | {fallbacks} | {len(taken) - len(some)} | "
            f"{100 * beyond:.1f} % | {seen} | {spent[name] / len(taken):.2f} |"
        )
    return lines


def prepared(device: OpenDevice, kernel: str, size: int) -> Launcher:
    """A launcher of a variant with its data on the device, warm."""
    from pytest_weekops.device.operation import Gemm, Shape
    from pytest_weekops.device.timing import time_launch

    launcher, _source = launcher_of(device, kernel, size)
    launcher.upload(Gemm().inputs(Shape(size, size, size), 1, 1))
    launcher.poison()
    for _ in range(3):
        time_launch(device.queue, launcher.enqueue)
    return launcher


if __name__ == "__main__":
    raise SystemExit(main())
