"""What an exception carries: a sentence for people, and the facts of it as attributes."""

from __future__ import annotations

import pytest

from pytest_weekops.core.errors import (
    BuildError,
    DeviceError,
    InputError,
    SourceChanged,
    WeekopsError,
    WorkerCrash,
    WorkerError,
    WorkerTimeout,
    last_words,
)


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


def test_a_changed_source_names_its_file() -> None:
    """Whoever catches it asks which, without reading the sentence."""
    error = SourceChanged("It changed.", name="gemm.cl")
    assert (str(error), error.name) == ("It changed.", "gemm.cl")
    assert isinstance(error, InputError)


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (
            "no ld\n\n  give up \nTraceback (most recent call last):\n  ours",
            "It ended.; its last words: no ld | give up",
        ),
        ("Fatal Python error: Aborted\n  stack", "It ended."),
        ("", "It ended."),
    ],
)
def test_last_words_are_the_drivers(tail: str, said: str) -> None:
    """What it wrote before it went down belongs to the message; the interpreter's stack does not."""
    assert last_words(WorkerCrash("It ended.", status="signal 6", stderr_tail=tail)) == said
    assert last_words(WorkerTimeout("It ended.", deadline_s=1.0, stderr_tail=tail)) == said


def test_an_error_without_a_process_has_no_last_words() -> None:
    """Its sentence is all there is."""
    assert last_words(DeviceError("None found.")) == "None found."
