"""What fault campaigns share, GEMM's and the workloads': counting planted faults, and launches without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pytest_weekops.core.guard.injection import FaultRecall


def planted(kinds: Sequence[tuple[str, Callable[[], bool]]], count: int) -> Iterator[FaultRecall]:
    """How many of ``count`` faults of each kind were caught; a kind plants one and says whether it was."""
    for name, plant in kinds:
        caught = sum(plant() for _ in range(count))
        yield FaultRecall(name=name, tried=count, caught=caught)


def clean_launches(
    count: int, prepare: Callable[[int], None], residual_share: Callable[[int], float], cries: Callable[[int], bool]
) -> tuple[int, int, float]:
    """Real launches without a fault, with new data every hundred: alarms, launches, largest residual share.

    ``prepare`` takes a session, ``residual_share`` a slot, and ``cries`` launches for a slot and asks the guard.
    """
    alarms, share = 0, 0.0
    for number in range(count):
        if number % 100 == 0:
            prepare(2 + number // 100)
            for slot in (0, 1):
                found = residual_share(slot)
                share = share if np.isnan(share) or found <= share else found
        alarms += cries(number % 2)
    return alarms, count, share
