"""What an exception carries: a sentence for people, and the facts of it as attributes."""

from __future__ import annotations

import pytest

from pytest_weekops.core.errors import BuildError, DeviceError, WeekopsError, WorkerCrash, WorkerError, WorkerTimeout


def test_a_build_failure_keeps_the_compilers_words() -> None:
    """Apart from the sentence, which stays short; it is the device's failure and no worker's."""
    error = BuildError("It does not compile.", options=("-DMR=4",), log="line 3: no", source="gemm.cl")
    assert (str(error), error.options, error.log, error.source) == (
        "It does not compile.",
        ("-DMR=4",),
        "line 3: no",
        "gemm.cl",
    )
    assert isinstance(error, DeviceError)


def test_a_crash_says_how_and_where() -> None:
    """The wait status in words, the signal where there was one, the phase, and what was said last."""
    error = WorkerCrash("It ended.", status="signal 11", signal="SIGSEGV", stderr_tail="boom", phase="build")
    assert (str(error), error.status, error.signal, error.stderr_tail, error.phase) == (
        "It ended.",
        "signal 11",
        "SIGSEGV",
        "boom",
        "build",
    )
    assert WorkerCrash("It ended.", status="exit status 0").signal is None


def test_a_timeout_says_which_deadline_was_missed() -> None:
    """In seconds, with the phase it was set for."""
    error = WorkerTimeout("It hung.", deadline_s=30.0, stderr_tail="...", phase="launch")
    assert (str(error), error.deadline_s, error.stderr_tail, error.phase) == ("It hung.", 30.0, "...", "launch")


@pytest.mark.parametrize("kind", [WorkerCrash, WorkerTimeout])
def test_crash_and_timeout_are_told_apart_and_are_both_the_workers(kind: type[Exception]) -> None:
    """Who catches the one must not get the other; who catches both asks for the worker's errors."""
    other = WorkerTimeout if kind is WorkerCrash else WorkerCrash
    assert issubclass(kind, WorkerError)
    assert issubclass(kind, WeekopsError)
    assert not issubclass(kind, (other, DeviceError))
