"""Two variants against each other on the same data, in pairs: a host that changes its speed changes both alike.

What other programs take from a launch they do not take from both alike, and neither do a driver's threads that the
scheduler puts on one CPU: variants differ in how they use the CPUs. So only pairs of calm launches count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.measurement.calm import is_enough, limit_beside
from pytest_weekops.device.launcher import Launcher
from pytest_weekops.device.timing import SHORT_NS, Launch, time_launch
from pytest_weekops.worker.load import LoadMeter

SPAN_NS, MOST_SHORT = 20_000_000, 100
LEAST_PAIRS, MOST_PAIRS, ENOUGH_S = 3, 7, 1.0
FAR_APART = 2.0  # a first pair of long launches beyond this factor either way settles it
PATIENCE_S = 10.0  # for calm pairs, while other programs run


def batch(queue: Any, launcher: Launcher) -> list[Launch]:
    """One launch, or as many short ones as fill the span: a single short launch says little."""
    taken = [time_launch(queue, launcher.enqueue)]
    while taken[0].wall_ns < SHORT_NS and len(taken) < MOST_SHORT and sum(launch.wall_ns for launch in taken) < SPAN_NS:
        taken.append(time_launch(queue, launcher.enqueue))
    return taken


def paired_ratios(
    queue: Any, challenger: Launcher, static: Launcher, most_percent: float | None = None
) -> tuple[float, ...]:
    """Challenger time / static time, one ratio per pair of batches that follow each other, their order in turn.

    Both were launched on these data before, so that nothing here compiles. At least three pairs, more while they are
    quick, and always an odd number; one where launches are long and far apart. Only pairs of calm launches count
    (``most_percent`` of run delay, the policy's limit; None asks nobody). Where there are too few within its patience,
    each pair counts if no other program ran, since the driver's threads wait for each other then; else there is
    nothing, and no ratio is known.
    """
    calm: list[float] = []
    every: list[float] = []
    meter, began, counted_s = LoadMeter(), time.monotonic(), 0.0
    while True:
        pair_began = time.monotonic()
        order = (challenger, static) if len(every) % 2 else (static, challenger)
        first, second = (batch(queue, launcher) for launcher in order)
        times = [statistics.median(launch.wall_ns for launch in each) for each in (first, second)]
        every.append(times[0] / times[1] if order[0] is challenger else times[1] / times[0])
        if is_calm_batch(first, most_percent) and is_calm_batch(second, most_percent):
            calm.append(every[-1])
            counted_s += time.monotonic() - pair_began
        settled = calm and counted_s > ENOUGH_S / 2 and not 1.0 / FAR_APART < calm[0] < FAR_APART
        enough = len(calm) >= MOST_PAIRS or (len(calm) >= LEAST_PAIRS and counted_s >= ENOUGH_S)
        if settled or (enough and len(calm) % 2):
            return _odd(calm)
        if len(every) >= LEAST_PAIRS and time.monotonic() - began > PATIENCE_S:
            break
    if len(calm) >= LEAST_PAIRS:
        return _odd(calm)
    others = meter.percent()
    return _odd(every) if others is not None and limit_beside(others, most_percent) is None else ()


def _odd(ratios: list[float]) -> tuple[float, ...]:
    return tuple(ratios[: len(ratios) - 1 + len(ratios) % 2])


def is_calm_batch(launches: Sequence[Launch], most_percent: float | None) -> bool:
    """Whether at least half of a batch's launches were calm; unwatched ones count as calm."""
    return 2 * sum(is_enough(launch.wall_ns, launch.delay_ns, most_percent) for launch in launches) >= len(launches)
