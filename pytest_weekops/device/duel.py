"""Two variants against each other on the same data, in pairs: a host that changes its speed changes both alike.

What other programs take from a launch it does not take from both alike: variants differ in how they use the CPUs. So
only pairs of calm launches count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from pytest_weekops.core.measurement.calm import is_enough
from pytest_weekops.device.launcher import Launcher
from pytest_weekops.device.timing import SHORT_NS, Launch, time_launch
from pytest_weekops.worker.load import Neighbours

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
    quick, and always an odd number; one where launches are long and far apart. Nothing where other programs left fewer
    calm pairs than that (``most_percent`` of run delay, the policy's limit; None asks nobody): no ratio is known then.
    """
    ratios: list[float] = []
    neighbours, tried, began = Neighbours(most_percent), 0, time.monotonic()
    counted_s = 0.0  # what the pairs took that count
    neighbours.waits_for_itself()  # looks from here on
    while True:
        pair_began = time.monotonic()
        order = (challenger, static) if tried % 2 else (static, challenger)
        first, second = (calm_median_ns(batch(queue, launcher), most_percent) for launcher in order)
        tried += 1
        if first is not None and second is not None:
            ratios.append(first / second if order[0] is challenger else second / first)
            counted_s += time.monotonic() - pair_began
        elif neighbours.waits_for_itself():
            most_percent = None
        if ratios and counted_s > ENOUGH_S / 2 and not 1.0 / FAR_APART < ratios[0] < FAR_APART:
            break
        if len(ratios) >= LEAST_PAIRS and len(ratios) % 2 and (len(ratios) >= MOST_PAIRS or counted_s >= ENOUGH_S):
            break
        if tried >= LEAST_PAIRS and time.monotonic() - began > PATIENCE_S:
            ratios = ratios if len(ratios) >= LEAST_PAIRS else []
            break
    return tuple(ratios[: len(ratios) - 1 + len(ratios) % 2])


def calm_median_ns(launches: Sequence[Launch], most_percent: float | None) -> float | None:
    """The middle wall time of a batch's calm launches, or None where most of them were not; unwatched ones count."""
    calm = [
        launch.wall_ns
        for launch in launches
        if is_enough(launch.wall_ns, launch.scheduled.delay_ns if launch.scheduled else None, most_percent)
    ]
    return statistics.median(calm) if 2 * len(calm) >= len(launches) else None
