"""Two variants against each other on the same data, in pairs: a host that changes its speed changes both alike."""

from __future__ import annotations

import statistics
import time
from typing import Any

from pytest_weekops.device.launcher import Launcher
from pytest_weekops.device.timing import SHORT_NS, time_launch

SPAN_NS, MOST_SHORT = 20_000_000, 100
LEAST_PAIRS, MOST_PAIRS, ENOUGH_S = 3, 7, 1.0
FAR_APART = 2.0  # a first pair of long launches beyond this factor either way settles it


def batch_ns(queue: Any, launcher: Launcher) -> list[int]:
    """Wall times of one launch, or of as many short ones as fill the span: a single short launch says little."""
    times = [time_launch(queue, launcher.enqueue).wall_ns]
    while times[0] < SHORT_NS and len(times) < MOST_SHORT and sum(times) < SPAN_NS:
        times.append(time_launch(queue, launcher.enqueue).wall_ns)
    return times


def paired_ratios(queue: Any, challenger: Launcher, static: Launcher) -> tuple[float, ...]:
    """Challenger time / static time, one ratio per pair of batches that follow each other, their order in turn.

    Both were launched on these data before, so that nothing here compiles. At least three pairs, more while they are
    quick, and always an odd number; one where launches are long and far apart.
    """
    ratios: list[float] = []
    began = time.monotonic()
    while len(ratios) < LEAST_PAIRS or (len(ratios) < MOST_PAIRS and time.monotonic() - began < ENOUGH_S):
        for _ in range(1 if not ratios else 2):
            order = (challenger, static) if len(ratios) % 2 else (static, challenger)
            taken = [statistics.median(batch_ns(queue, launcher)) for launcher in order]
            ratios.append(taken[0] / taken[1] if order[0] is challenger else taken[1] / taken[0])
        if time.monotonic() - began > ENOUGH_S / 2 and not 1.0 / FAR_APART < ratios[0] < FAR_APART:
            break
    return tuple(ratios)
