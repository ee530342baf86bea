"""Five ways to go wrong in nine phases, with real processes: each is named, and the next case works."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import WorkerCrash, WorkerError, WorkerTimeout
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.worker.locking import DeviceLock
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.worker.conftest import CASE, DEADLINES, DOUBLE, REQUEST, SHORT_S

Supervise = Callable[..., PlatformSupervisor]
FAULTS = ("segv", "abort", "exit0", "hang", "exception")
SIGNALS = {"segv": "SIGSEGV", "abort": "SIGABRT"}
OPENING = ("import", "enumerate", "context")
MEASURING = ("build", "warm-up", "launch", "read-back", "send")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("phase", OPENING)
def test_a_fault_while_opening_is_named(supervise: Supervise, fault: str, phase: str) -> None:
    """start() raises with phase and signal, within the deadline, and the platform is lost, not the process."""
    deadlines = DEADLINES.model_copy(update={"import_s": 3.0}) if (fault, phase) == ("hang", "import") else DEADLINES
    supervisor = supervise(fault, phase, deadlines=deadlines)
    began = time.monotonic()
    with pytest.raises(WorkerError) as caught:
        supervisor.start()
    assert time.monotonic() - began < deadlines.import_s + SHORT_S + 2
    _named(caught.value, fault, phase)
    another = DeviceLock(supervisor.launch.label, wait_s=0.1)
    another.acquire()  # nobody measures there any more, so that another gate need not wait
    another.release()
    assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.LOST


def _named(error: WorkerError, fault: str, phase: str) -> None:
    if fault == "hang":
        assert isinstance(error, WorkerTimeout)
        assert error.phase == phase
        return
    assert isinstance(error, WorkerCrash)
    assert error.phase == phase
    assert error.signal == SIGNALS.get(fault)
    if fault == "exit0":
        assert "exit status 0" in str(error)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("phase", MEASURING)
def test_a_fault_while_measuring_is_a_measurement(supervise: Supervise, fault: str, phase: str) -> None:
    """The measurement has status, phase and signal; once the fault is gone the next case is measured."""
    supervisor = supervise(fault, phase, "flag")
    supervisor.start()
    began = time.monotonic()
    answer = supervisor.measure(CASE, REQUEST)
    assert time.monotonic() - began < 2 * SHORT_S + 5
    if fault == "hang":
        assert answer.status is MeasurementStatus.HUNG
        assert answer.phase == phase
    else:  # it misbehaves once: cured on the retry, which is flaky and never simply ok
        assert answer.flaky
        assert SIGNALS.get(fault, "") in answer.reason
    again = supervisor.measure(CASE, REQUEST)
    assert (again.status, again.flaky) == (MeasurementStatus.OK, False)


@pytest.mark.parametrize("fault", ["segv", "abort", "exit0", "exception"])
def test_the_same_crash_twice_is_crashed(supervise: Supervise, fault: str) -> None:
    """A crash that is not cured keeps phase, signal and the last lines of stderr."""
    supervisor = supervise(fault, "launch")
    supervisor.start()
    answer = supervisor.measure(CASE, REQUEST)
    assert answer.status is MeasurementStatus.CRASHED
    assert answer.phase == "launch"
    assert answer.signal == SIGNALS.get(fault)
    if fault in ("abort", "exception"):
        assert "double:" in answer.stderr_tail


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_closing_is_said(supervise: Supervise, fault: str) -> None:
    """close() never raises; done needs the goodbye and exit status 0, and what was missing is said."""
    supervisor = supervise(fault, "close")
    supervisor.start()
    assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.OK
    began = time.monotonic()
    problem = supervisor.close()
    assert time.monotonic() - began < SHORT_S + 7
    assert "close" in problem
    assert supervisor.close() == ""


@pytest.mark.parametrize("fault", ["garbage", "half"])
def test_nonsense_on_the_pipe_is_a_crash(supervise: Supervise, fault: str) -> None:
    """Bytes that are no frame, and half a frame, end the worker and are told apart from an answer."""
    supervisor = supervise(fault, "launch")
    supervisor.start()
    answer = supervisor.measure(CASE, REQUEST)
    assert answer.status is MeasurementStatus.CRASHED
    assert "nonsense" in answer.reason


def test_noise_on_stdout_is_harmless(supervise: Supervise) -> None:
    """A driver that prints cannot disturb the protocol."""
    supervisor = supervise("noise", "launch")
    supervisor.start()
    assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.OK


def test_the_restart_budget_ends(supervise: Supervise) -> None:
    """After four replacements the platform is lost; every later case says so at once."""
    supervisor = supervise("segv", "launch")
    supervisor.start()
    answers = [supervisor.measure(CASE, REQUEST) for _ in range(8)]
    assert answers[0].status is MeasurementStatus.CRASHED
    assert answers[-1].status is MeasurementStatus.LOST
    assert "replaced 4 times" in answers[-1].reason


def test_retries_stop_where_too_many_cases_failed(tmp_path: Path) -> None:
    """Three cases are tried twice; from the fourth on, more than 30 % have failed, and each is tried once."""
    command, said = (sys.executable, DOUBLE, "segv", "launch"), list[str]()
    launch = Launch(label=f"double-{tmp_path.name}", profile="d", open=OpenRequest(profile="d"), command=command)
    supervisor = PlatformSupervisor(launch, DEADLINES, tmp_path, said.append, restart_budget=100)
    supervisor.start()
    starts = []
    for _ in range(6):
        assert supervisor.measure(CASE, REQUEST).status is MeasurementStatus.CRASHED
        starts.append(sum("starting a fresh worker" in line for line in said))
    supervisor.close()
    assert starts == [1, 3, 5, 6, 7, 8]


def test_a_replaced_library_is_lost(supervise: Supervise) -> None:
    """When the restarted worker loads another library, its numbers are not mixed with the old one's."""
    supervisor = supervise("segv", "launch", "replaced")
    supervisor.start()
    answer = supervisor.measure(CASE, REQUEST)
    assert answer.status is MeasurementStatus.LOST
    assert "driver replaced" in answer.reason
    assert "libdouble.so aaaaaaaaaaaa became libdouble.so bbbbbbbbbbbb" in answer.reason
