"""Shares behind counts: intervals against published ones, and when a share is certainly beyond a limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.binomial import clopper_pearson, is_beyond
from tests.support.examples import examples


# Published: Newcombe, Two-sided confidence intervals for the single proportion, Stat. Med. 17 (1998), table I.
@pytest.mark.parametrize(
    ("caught", "tried", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_gives_published_intervals(caught: int, tried: int, low: float, high: float) -> None:
    """To the four digits that are printed there."""
    assert list(clopper_pearson(caught, tried)) == pytest.approx([low, high], abs=6e-5)


def test_an_interval_that_doubles_cannot_tell_from_1_is_one() -> None:
    """Where so many were caught that the search for its lower end rounds up to 1."""
    assert clopper_pearson(10**17, 10**17) == (1.0, 1.0)


def test_no_miss_in_2995_is_more_than_999_per_mille() -> None:
    """The least number of flips that shows 99.9 % one-sided at 95 %."""
    assert clopper_pearson(2995, 2995, confidence=0.90)[0] >= 0.999
    assert clopper_pearson(2994, 2994, confidence=0.90)[0] < 0.999


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 7000), st.data())
def test_the_interval_holds_the_share_and_mirrors(tried: int, data: st.DataObject) -> None:
    """For any count; swapping caught and missed mirrors it."""
    caught = data.draw(st.integers(0, tried))
    low, high = clopper_pearson(caught, tried)
    assert 0.0 <= low <= caught / tried <= high <= 1.0
    mirrored = clopper_pearson(tried - caught, tried)
    assert list(mirrored) == pytest.approx([1 - high, 1 - low], abs=1e-9)


@pytest.mark.parametrize(
    ("found", "tried", "limit", "beyond"),
    [
        *[(1, 1, 0.08, False), (1, 3, 0.08, False), (2, 3, 0.08, False), (3, 3, 0.08, True), (3, 6, 0.08, True)],
        *[(3, 7, 0.08, False), (0, 0, 0.0, False), (0, 9, 0.0, False), (1, 9, 0.0, True)],
    ],
)
def test_few_of_few_are_not_certainly_beyond_a_limit(found: int, tried: int, limit: float, *, beyond: bool) -> None:
    """P(X >= 3) for 6 of a share of 0.08 is 0.85 %, for 7 it is 1.4 %."""
    assert is_beyond(found, tried, limit) is beyond


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 200), st.floats(0.0, 1.0), st.data())
def test_more_of_as_many_never_stop_being_beyond(tried: int, limit: float, data: st.DataObject) -> None:
    """One more found, or a lower limit, makes nothing milder."""
    found = data.draw(st.integers(0, tried - 1))
    assert is_beyond(found + 1, tried, limit) >= is_beyond(found, tried, limit)
    assert is_beyond(found, tried, limit / 2.0) >= is_beyond(found, tried, limit)
