"""How sure an answer is: sums that are bounds, and a spread that is not taken for smaller than it may be."""

from __future__ import annotations

import random

import pytest

from pytest_weekops.core.bisect.surety import (
    LARGEST_STEP_ERROR,
    answer_error,
    halfway,
    missed_share,
    spread_percent,
    step_error,
)


@pytest.mark.parametrize("last", [1, 2, 15, 16, 1000])
def test_steps_together_err_no_more_than_asked(last: int) -> None:
    """The one of the two ends among them."""
    steps = 1 + (last - 1).bit_length()
    assert steps * step_error(0.05, last) == pytest.approx(0.05)


def test_a_steps_error_is_one_that_a_policy_takes() -> None:
    """However much the answer may err."""
    assert step_error(0.4, 2) == LARGEST_STEP_ERROR


def test_an_answers_error_is_the_sum_of_its_steps() -> None:
    """At most certain to be wrong; not known where a step's is not."""
    assert answer_error([0.01, 0.02]) == pytest.approx(0.03)
    assert answer_error([]) == 0.0
    assert answer_error([0.9, 0.9]) == 1.0
    assert answer_error([0.01, None]) is None


def test_halfway_is_as_far_from_both_ends() -> None:
    """By its logarithm."""
    assert halfway(-0.1) ** 2 == pytest.approx(2.718281828**-0.1)


def test_a_spread_is_seldom_taken_for_smaller_than_it_is() -> None:
    """In one of seven series of six, and it is not far off."""
    draw = random.Random(7)
    found = [spread_percent([draw.gauss(-0.05, 0.01) for _ in range(6)]) or 0.0 for _ in range(1000)]
    below = sum(each < 1.0 for each in found) / len(found)
    assert 0.08 < below < 0.18
    assert sum(found) / len(found) < 2.0


def test_a_disturbed_snapshot_is_not_taken_for_the_noise_of_all() -> None:
    """It moves what decides a ratio as little."""
    assert 1.0 < (spread_percent([0.01, -0.01, 0.0, 0.01, -0.02, 0.01, -0.01, -0.26]) or 0.0) < 6.0


def test_a_spread_has_ends() -> None:
    """Two values tell none, equal ones not that there is none."""
    assert spread_percent([0.0, 0.1]) is None
    assert spread_percent([0.0, 0.0, 0.0]) == 0.1
    assert spread_percent([-9.0, 0.0, 9.0]) == 50.0


def test_what_is_missed_gets_rarer_with_tries() -> None:
    """Nothing tried, everything missed."""
    assert missed_share(0) == 1.0
    assert (1.0 - missed_share(8)) ** 8 == pytest.approx(0.05)
