"""Work by several processes: in order, with what went wrong, and done all the same where one of them is killed."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.week.site_work import made, processes

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
