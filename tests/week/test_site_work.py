"""Work by several processes: in order, with what went wrong, and done all the same where one of them is killed."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.week import site_work
from pytest_weekops.week.site_work import Ahead, made, processes

HERE = os.getpid()


def _die_elsewhere(word: str) -> str:
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return word


def _refuse() -> str:
    raise InputError("no")


def test_what_is_made_stands_in_order() -> None:
    """By other processes, or by this one."""
    makes = [partial(str, number) for number in range(9)]
    assert made(makes, 2) == made(makes, 1) == [str(number) for number in range(9)]
    assert made([os.getpid], 2) == [HERE]
    assert HERE not in made([os.getpid] * 4, 2)
    assert processes() >= 1


def test_a_killed_process_loses_nothing() -> None:
    """This one makes it then."""
    assert made([partial(_die_elsewhere, word) for word in "abc"], 2) == ["a", "b", "c"]


def test_what_goes_wrong_is_raised_here() -> None:
    """As the same error, whoever met it."""
    with pytest.raises(InputError, match="no"):
        made([_refuse, _refuse], 2)


def test_a_process_that_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes everything, in order; it is not made where it is not worth it, and loses nothing where it is killed."""
    monkeypatch.setattr(site_work, "processes", lambda: 2)
    makes = [partial(str, number) for number in range(9)]
    with Ahead(os.getpid, is_worth=True) as ahead:
        assert ahead.begun(makes, 2)() == ahead.begun(makes, 1)() == [str(number) for number in range(9)]
        assert HERE not in ahead.begun([os.getpid], 1)()
        assert ahead.begun([], 1)() == []
        with pytest.raises(InputError, match="no"):
            ahead.begun([_refuse], 1)()
        assert ahead.begun([partial(_die_elsewhere, word) for word in "abc"], 1)() == ["a", "b", "c"]
    with Ahead(os.getpid, is_worth=False) as ahead:
        assert ahead.begun([os.getpid], 1)() == [HERE]


def test_whoever_is_not_ready_gets_ready_before_others_are_made() -> None:
    """What is loaded then is not loaded in each of them."""
    ready: list[bool] = []
    with Ahead(partial(ready.append, True), is_worth=False) as ahead:
        assert ahead.begun([os.getpid], 1)() == [HERE]
        assert not ready
        ahead.begun([os.getpid] * 2, 2)()
        assert ready
