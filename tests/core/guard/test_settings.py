"""How a guard is set: what it looks at, in numbers and words, and that only full coverage is called that."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.guard.evidence import GuardTally, Lines
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.policy.policy import GuardRules
from tests.support.examples import examples


def test_full_coverage_is_the_default() -> None:
    """Of a policy that says nothing."""
    assert settings_of(GuardRules()) == GuardSettings()
    assert (GuardSettings().mode, GuardSettings().lines(30, 20), GuardSettings().coverage(30, 20)) == (
        "full",
        (30, 0),
        1,
    )


def test_residual_keys_alone_leave_the_full_guard_as_it_is() -> None:
    """They would only loosen it."""
    assert settings_of(GuardRules(residual_scale=1000, residual_floor=1.0)) == GuardSettings()


def test_the_chance_of_looking_at_a_fault_is_that_of_throwing_it_anywhere() -> None:
    """Counted over faults at random places of random launches."""
    asked = GuardSettings(period=3, row_samples=4, col_samples=2)
    generator = random.Random(1)
    hits = 0
    for _ in range(20_000):
        row, column, launch = generator.randrange(20), generator.randrange(10), generator.randrange(3)
        hits += launch == 0 and (row < 4 or column < 2)
    assert asked.coverage(20, 10) == pytest.approx(hits / 20_000, abs=0.01)


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 50), st.integers(0, 50), st.integers(1, 20))
def test_coverage_is_a_share_and_full_only_where_every_line_is(m: int, n: int, rows: int, columns: int, p: int) -> None:
    """Whatever the samples; more lines than there are are all of them."""
    asked = GuardSettings(row_samples=rows, col_samples=columns, period=p)
    share = asked.coverage(m, n)
    assert 0 < share <= 1 / p
    whole = asked.mode == "full" or rows >= m or columns >= n
    assert (share == 1 / p) == whole


def test_words_never_call_a_sampled_guard_full() -> None:
    """Period and lines are named."""
    assert GuardSettings(period=20, row_samples=3).words == "sampled: 3 rows and 0 columns of one launch in 20"
    assert GuardSettings(period=2).words == "full coverage of one launch in 2"


def test_evidence_carries_mode_lines_and_draws() -> None:
    """Lines per check after clamping, and which they were."""
    tally = GuardTally(GuardSettings(row_samples=3, col_samples=50, period=2), (10, 20))
    tally.tested("", 0.1)
    tally.checked(1000, 10, number=1, lines=Lines((1, 2, 3), tuple(range(20))))
    evidence = tally.evidence()
    assert (evidence.mode, evidence.row_samples, evidence.col_samples, evidence.period) == ("sampled", 3, 20, 2)
    assert (evidence.checked_launches, evidence.drawn_rows) == ((1,), ((1, 2, 3),))
    assert evidence.coverage_percent == pytest.approx(50.0)
    tried = GuardTally()
    tried.tried(6.5, 4)
    found = tried.evidence()
    assert (found.period, found.coverage_percent, found.tried_percent) == (4, 25.0, 6.5)
    full = GuardTally(GuardSettings(), (10, 20)).evidence()
    assert (full.mode, full.row_samples, full.coverage_percent) == ("full", 0, 100.0)


def test_a_residual_share_that_is_nan_stays() -> None:
    """A later good launch does not hide it."""
    tally = GuardTally()
    for share in (0.1, float("nan"), 0.2):
        tally.tested("", share)
    assert tally.evidence().residual_share != tally.evidence().residual_share
