"""How long a session waits: in launches while calm ones come, in pauses while none does, and never without end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.patience import IN_A_ROW, PATIENCE, PAUSE_S, Patience


def taken(patience: Patience, calm: list[bool], seconds: float = 0.01) -> int:
    """How many launches a session takes whose launches are these, and then calm; pauses take what they ask for."""
    number = 0
    while True:
        if pause_s := patience.pause_s:
            patience.paused(pause_s)
        may_be_last = patience.may_be_last
        number += 1
        patience.note([calm[number - 1] if number <= len(calm) else True], seconds)
        if patience.is_over:
            assert may_be_last  # so that its result was compared as a whole
            return number


def test_a_quiet_session_takes_what_is_planned() -> None:
    """No pause, no launch more."""
    patience = Patience(5, wait_s=20.0)
    assert taken(patience, []) == 5
    assert patience.waited_s == 0.0


def test_a_disturbed_last_launch_ends_nothing() -> None:
    """It is tried again: one calm launch too few would void all of the session."""
    assert taken(Patience(5), [True] * 4 + [False]) == 6
    assert taken(Patience(5), [True] * 4 + [False] * 1000) == PATIENCE * 5


def test_without_time_to_wait_it_gives_up_after_three_times_as_many() -> None:
    """The budget in launches stands."""
    assert taken(Patience(5), [False] * 1000) == PATIENCE * 5


def test_it_pauses_while_a_neighbour_works_and_counts_the_waiting() -> None:
    """A neighbour of many launches' length is waited out, though three times the launches would not reach its end."""
    patience = Patience(5, wait_s=20.0)
    assert taken(patience, [False] * 100) == 100 + 5
    assert patience.calm == 5
    assert patience.waited_s == pytest.approx((100 - IN_A_ROW + 1) * (PAUSE_S + 0.01))  # the last try is calm


def test_waiting_ends_with_its_budget() -> None:
    """Then the launches that are left follow without a pause; long launches behind pauses spend the budget too."""
    short, long = Patience(5, wait_s=1.0), Patience(5, wait_s=1.0)
    assert taken(short, [False] * 1000) <= PATIENCE * 5 + 1.0 / PAUSE_S
    assert short.waited_s == pytest.approx(1.0, abs=0.02)
    assert taken(long, [False] * 1000, seconds=2.0) == PATIENCE * 5 + 1
    assert (long.waited_s, long.pause_s) == (PAUSE_S + 2.0, 0.0)


def test_giving_up_ends_the_pauses() -> None:
    """Where nobody is there to wait for."""
    patience = Patience(5, wait_s=20.0)
    patience.note([False] * IN_A_ROW, 0.0)
    assert patience.pause_s == PAUSE_S
    patience.give_up()
    assert patience.pause_s == 0.0


def test_a_calm_launch_ends_the_pauses() -> None:
    """Pauses come behind disturbed launches in a row, however many there were in all."""
    patience = Patience(100, wait_s=20.0)
    for _ in range(5):
        patience.note([False] * (IN_A_ROW - 1) + [True], 0.0)
    assert patience.pause_s == 0.0


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 20), st.floats(0, 5))
def test_no_session_is_without_end(calm: list[bool], planned: int, wait_s: float) -> None:
    """Launches and waiting are bounded, whatever comes."""
    patience = Patience(planned, wait_s)
    number = taken(patience, [*calm, *[False] * 1000])
    assert number <= PATIENCE * planned + wait_s / PAUSE_S + 2
    assert patience.waited_s <= wait_s + PAUSE_S + 0.02
