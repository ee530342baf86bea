"""SIGTERM inside one process: Ctrl-C the first time, nothing afterwards, and never in somebody else's place."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from pytest_weekops.plugin.termination import Termination


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """The default before each test, and what was there after it."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_first_one_interrupts_and_the_next_does_not() -> None:
    """A second one would break off the writing of the verdict."""
    termination = Termination()
    termination.begin()
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    assert termination.came
    termination.end()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_one_that_comes_with_the_verdict_is_noted_only() -> None:
    """The run has ended by itself: it is judged as it is."""
    termination = Termination()
    termination.begin()
    termination.ending()
    os.kill(os.getpid(), signal.SIGTERM)
    assert termination.came


def test_somebody_elses_handler_stays() -> None:
    """A user's own handler, set before or since, is neither replaced nor removed."""
    mine = signal.SIG_IGN
    signal.signal(signal.SIGTERM, mine)
    termination = Termination()
    termination.begin()
    assert signal.getsignal(signal.SIGTERM) is mine
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    termination.begin()
    signal.signal(signal.SIGTERM, mine)
    termination.end()
    assert signal.getsignal(signal.SIGTERM) is mine


def test_another_thread_changes_nothing() -> None:
    """Python lets the main thread alone set handlers, and a gate elsewhere must not fail for it."""
    thread = threading.Thread(target=Termination().begin)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
