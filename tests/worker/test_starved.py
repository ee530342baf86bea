"""Deadlines on a busy host: what a worker waited for a CPU is no time of its own, and no hang is kept alive by it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.worker import starved
from pytest_weekops.worker.starved import Deadline, waited_s
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.worker.conftest import CASE, DEADLINES, REQUEST

Supervise = Callable[..., PlatformSupervisor]


def test_a_process_tells_how_long_it_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second number of its schedstat; nothing where there is none, or none that can be read."""
    assert waited_s(os.getpid()) >= 0.0
    (tmp_path / "7").mkdir()
    monkeypatch.setattr(starved, "_PROC", tmp_path)
    assert waited_s(7) == 0.0
    for text, expected in (("5000000000 2500000000 9\n", 2.5), ("5000000000", 0.0), ("x y z", 0.0)):
        (tmp_path / "7" / "schedstat").write_text(text, encoding="ascii")
        assert waited_s(7) == expected


@pytest.mark.parametrize(
    ("waited", "looks", "more"),
    [
        (0.0, True, 0.0),  # it hangs on a quiet host
        (0.005, True, 0.0),  # as the scheduler always has it
        (4.0, True, 4.0),
        (1000.0, True, 30.0),  # three times as much, and no more
        (-5.0, True, 0.0),
        (4.0, False, 0.0),  # in a launch nobody looks
    ],
)
def test_what_it_waited_is_added(waited: float, looks: bool, more: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within bounds, so that one that spins on a busy host is ended as well."""
    clock, told = [100.0], [7.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(starved, "waited_s", lambda _pid: told[0])
    deadline = Deadline(1, 10.0, looks=looks)
    clock[0], told[0] = deadline.ends, 7.0 + waited
    assert deadline.more_s() == pytest.approx(more)
    clock[0] += more
    assert deadline.more_s() == 0.0


def test_a_worker_that_had_no_cpu_is_not_called_hung(supervise: Supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    """It builds and ends more slowly than its deadlines, on a host that others keep busy; on a quiet one it hangs."""
    slow = DEADLINES.model_copy(update={"first_build_s": 0.8, "build_s": 0.8, "close_s": 0.8})
    for phase in ("build", "close"):
        with monkeypatch.context() as patch:
            began = time.monotonic()
            patch.setattr(starved, "waited_s", lambda _pid, began=began: time.monotonic() - began)
            busy = supervise("slow", phase, deadlines=slow)
            busy.start()
            assert busy.measure(CASE, REQUEST).status is MeasurementStatus.OK
            assert busy.close() == ""
    quiet = supervise("slow", "build", deadlines=slow)
    quiet.start()
    hung = quiet.measure(CASE, REQUEST)
    assert hung.status is MeasurementStatus.HUNG
    assert "stayed in phase build for more than 0.8 s and was killed" in hung.reason
