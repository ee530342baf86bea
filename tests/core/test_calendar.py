"""ISO weeks: where a year begins and ends, which texts name a week, and when an answer is due."""

from __future__ import annotations

import pytest

from pytest_weekops.core.calendar import Week, deadline, parse_time, parse_week, week_of
from pytest_weekops.core.errors import InputError


def test_a_week_goes_from_monday_to_sunday() -> None:
    """Over the end of a year too: the last days of 2026 belong to its week 53."""
    week = Week(2026, 53)
    assert (str(week.monday), str(week.sunday)) == ("2026-12-28", "2027-01-03")
    assert week_of("2027-01-03T23:59:59+00:00") == week


def test_the_week_before_the_first_is_the_last_of_the_year_before() -> None:
    """Which is 53 in a long year and 52 in any other."""
    assert Week(2027, 1).before == Week(2026, 53)
    assert Week(2026, 1).before == Week(2025, 52)
    assert Week(2026, 48).before == Week(2026, 47)


def test_a_week_is_read_as_it_is_written() -> None:
    """Four digits, two digits, and nothing around them."""
    assert parse_week(str(Week(2026, 7))) == Week(2026, 7)
    assert parse_week("2026-W53") == Week(2026, 53)


@pytest.mark.parametrize(
    "text", ["2025-W53", "2026-W00", "2026-W54", "0000-W01", "2026-48", "2026-W7", " 2026-W07", ""]
)
def test_what_names_no_week_is_refused(text: str) -> None:
    """A week that its year does not have is none: closing it would close nothing."""
    with pytest.raises(InputError, match="is not an ISO week"):
        parse_week(text)


def test_an_answer_is_due_in_utc() -> None:
    """Whatever offset the time stamp has; one without is UTC already."""
    assert deadline("2026-11-24T13:00:00+00:00", 15) == "2026-11-24T13:15:00+00:00"
    assert deadline("2026-11-24T23:50:00-05:00", 15) == "2026-11-25T05:05:00+00:00"
    assert deadline("2026-11-24T13:00:00", 0) == "2026-11-24T13:00:00+00:00"


@pytest.mark.parametrize("text", ["yesterday", "", "2026-02-30T00:00:00", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    """Nobody knows which week such a run belongs to."""
    with pytest.raises(InputError, match="is not ISO 8601"):
        parse_time(text)
