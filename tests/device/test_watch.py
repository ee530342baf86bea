"""Which launches have their check enqueued right behind them, and that the two ways of checking see the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.timing import SHORT_NS
from pytest_weekops.device.watch import Watched
from pytest_weekops.worker.protocol import GuardRequest
from tests.support.benches import Bench


class Counting:
    """A guard without a device, which counts the checks that were enqueued behind a launch."""

    def __init__(self, *, period: int = 1, can_follow: bool = True) -> None:
        self.settings = GuardSettings(period=period)
        self.can_follow = can_follow
        self.followed = 0

    def follow(self, _slot: int) -> None:
        """Count."""
        self.followed += 1


def watch_of(guard: Any) -> Watched:
    """A watch before its first launch."""
    return Watched(guard, Shape(64, 64, 64))


def test_only_a_short_launch_is_followed() -> None:
    """Beside a long one the host's way to the device and back is nothing."""
    guard = Counting()
    assert watch_of(guard).behind(SHORT_NS) is None
    follow = watch_of(guard).behind(SHORT_NS - 1)
    assert follow is not None
    follow()
    assert guard.followed == 1
    assert watch_of(Counting(can_follow=False)).behind(1.0) is None


def test_only_a_launch_that_is_due_is_followed() -> None:
    """The same launches are followed as are checked."""
    watch = watch_of(Counting(period=3))
    due = []
    for _ in range(7):
        due.append(watch.behind(1.0) is not None)
        watch._number += 1
    assert due == [True, False, False, True, False, False, True]


# Of the second shape the check takes as long as the launch, so that it is still running when that is done.
SHAPES = [("pocl", (64, 64, 64)), ("pocl", (2000, 800, 32)), ("rusticl", (64, 64, 64)), ("clover", (64, 64, 64))]


@pytest.mark.parametrize(("platform", "shape"), SHAPES)
def test_checks_behind_their_launches_are_all_answered(
    benches: Callable[[str], Bench], platform: str, shape: tuple[int, int, int]
) -> None:
    """Two hundred short launches in a row: each check has its own answer, none is late, none is another's."""
    answer = benches(platform).measure("auto_t5_guarded", shape, iterations=200, guard=GuardRequest())
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert min(answer.sessions[0].wall_ns) < SHORT_NS  # on a busy machine the usual one is longer, and checked at once
    assert answer.guard is not None
    assert (answer.guard.checks, answer.guard.false_alarms) == (200, 0)
