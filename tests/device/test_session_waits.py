"""A session without a partner that waits for its neighbours; the launches are made up, the loop is the real one."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from pytest_weekops.core.measurement.patience import PATIENCE
from pytest_weekops.device.run_delay import Scheduled
from pytest_weekops.device.session import Session
from pytest_weekops.device.timing import Launch
from pytest_weekops.worker import load
from pytest_weekops.worker.protocol import MeasureRequest

MS = 1_000_000
REQUEST = MeasureRequest(kernel="auto", m=8, n=8, k=8, seed=1, sessions=1, iterations=5, max_run_delay_percent=5.0)


class Made(Session):
    """Launches of a millisecond, of which the first ``busy`` wait for a CPU all the time."""

    busy = 0
    wrong_at = -1

    def launch(self, *, last: bool) -> None:
        """One more, and one less of the neighbour."""
        self.timed.append(self._made(len(self.timed) < self.busy))
        if len(self.timed) == self.wrong_at:
            self.caught = "row 3 is wrong"

    def _warm_launch(self) -> None:
        self.warm.append(self._made(disturbed=False))

    @staticmethod
    def _made(disturbed: bool) -> Launch:
        return Launch(0, MS, None, Scheduled(cpu_ns=MS, delay_ns=MS if disturbed else 0))


def made(busy: int, wrong_at: int = -1) -> Made:
    """A session beside a neighbour of so many launches."""
    nothing = cast("Any", None)
    session = Made(nothing, REQUEST, nothing, nothing, nothing, nothing, nothing, 1, nothing)
    session.busy, session.wrong_at = busy, wrong_at
    return session


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves, and a busy host; what was slept."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(found))
    monkeypatch.setattr(load.LoadMeter, "percent", lambda _self: 50.0)
    return found


def test_it_pauses_and_warms_up_behind_each_pause(slept: list[float]) -> None:
    """A neighbour of forty launches is waited out, and none of the planned five is lost."""
    session = made(40)
    assert session.run(20.0) == pytest.approx(sum(slept) + 0.001 * 33)
    assert len(session.timed) == 45
    assert len(session.warm) == len(slept) == 33  # from the eighth on, and the first calm one


def test_without_time_to_wait_it_does_not_sleep(slept: list[float]) -> None:
    """As ever: three times the launches."""
    session = made(1000)
    assert session.run() == 0.0
    assert (len(session.timed), slept) == (PATIENCE * 5, [])


def test_on_a_quiet_host_it_waits_for_its_own_threads_no_longer_than_a_second(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver with more threads than CPUs is never calm, and nobody else is there."""
    monkeypatch.setattr(load.LoadMeter, "percent", lambda _self: 0.5)
    session = made(1000)
    session.run(20.0)
    assert 1.0 <= sum(slept) < 1.5


def test_a_wrong_result_ends_it(slept: list[float]) -> None:
    """Nothing is launched behind it."""
    session = made(0, wrong_at=3)
    session.run(20.0)
    assert (len(session.timed), slept) == (3, [])
