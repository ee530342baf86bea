"""Drops of a level that nothing known explains: which there are, and what answers one."""

from __future__ import annotations

import pytest

from pytest_weekops.core.week.history import Series, history
from pytest_weekops.core.week.history_terms import Change
from pytest_weekops.core.week.levels import Shift
from pytest_weekops.core.week.pins import Device, Pin
from pytest_weekops.core.week.unexplained import allowed_drop, unexplained
from tests.core.week.test_history import ran

DRIVER = ("run-3", Change("driver", "1", "2"))


def series(pinned: str = "") -> Series:
    """Nine runs of a cell, one of which is pinned where it is named."""
    pins = (Pin(1, "", Device("pocl", "a processor"), pinned),) if pinned else ()
    (found,) = history([ran(f"run-{place}") for place in range(9)], pins)
    return found


def test_a_drop_without_a_reason_is_a_sentence() -> None:
    """With its size, the run, the limit, and what to do."""
    (words,) = unexplained(series(), (Shift("run-3", -12.34, ()),), 10.0)
    assert words.startswith("pocl:auto:128 fell by 12.3 % with run run-3, and nothing that was recorded changed")
    assert "allows 10 %" in words
    assert "pin a run since then" in words


@pytest.mark.parametrize(
    ("shifts", "pinned"),
    [
        ((), ""),
        ((Shift("run-3", -10.0, ()),), ""),
        ((Shift("run-3", 40.0, ()),), ""),
        ((Shift("run-3", -40.0, (DRIVER,)),), ""),
        ((Shift("run-3", -20.0, ()), Shift("run-6", 15.0, ())), ""),
        ((Shift("run-3", -20.0, ()),), "run-3"),
        ((Shift("run-3", -20.0, ()),), "run-8"),
    ],
)
def test_what_is_no_such_drop_or_is_answered(shifts: tuple[Shift, ...], pinned: str) -> None:
    """Within the limit, upwards, with a driver that changed, come up again, or pinned since."""
    assert not list(unexplained(series(pinned), shifts, 10.0))


def test_what_answers_nothing() -> None:
    """A pin from before, a rise that leaves most of it, and each of two drops is told."""
    fell = Shift("run-3", -30.0, ())
    assert len(list(unexplained(series("run-2"), (fell,), 10.0))) == 1
    assert len(list(unexplained(series(), (fell, Shift("run-6", 5.0, ())), 10.0))) == 1
    assert len(list(unexplained(series(), (fell, Shift("run-6", -20.0, ())), 10.0))) == 2


def test_the_policy_of_the_run_asks() -> None:
    """Or does not: without the section, with nothing in it, and with what is no number."""
    asked = [{"history": rules} for rules in ({"max_unexplained_drop_percent": 10}, {}, None, "x")]
    assert [allowed_drop(ran("one", policy=policy)) for policy in (*asked, {})] == [10, None, None, None, None]
