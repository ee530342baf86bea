"""ISO weeks: which week a moment belongs to, and when an answer is due. Every time is UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pytest_weekops.core.errors import InputError

_WEEK = re.compile(r"[0-9]{4}-W[0-9]{2}")


@dataclass(frozen=True, order=True)
class Week:
    """One ISO 8601 week; orders by time."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.number:02d}"

    @property
    def monday(self) -> date:
        """First day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """Last day."""
        return date.fromisocalendar(self.year, self.number, 7)

    @property
    def before(self) -> Week:
        """The week before."""
        year, number, _day = (self.monday - timedelta(days=7)).isocalendar()
        return Week(year, number)


def parse_week(text: str) -> Week:
    """Read ``2026-W48``. Raises ``InputError`` for anything else, and for a week that the year does not have."""
    try:
        year, number = map(int, text.split("-W")) if _WEEK.fullmatch(text) else (0, 0)
        week = Week(year, number)
        _ = week.monday
    except ValueError as error:
        raise InputError(
            f"--week {text!r:.60} is not an ISO week. The week names the directory and the runs it speaks of. "
            "Give year and week, for example --week 2026-W48."
        ) from error
    return week


def parse_time(text: str) -> datetime:
    """Read an ISO time stamp as UTC; one without an offset is taken as UTC. Raises ``InputError``."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(
            f"Time stamp {text!r:.60} is not ISO 8601. Without it nobody knows which week a run belongs to. "
            "Use the record as the program wrote it."
        ) from error


def week_of(text: str) -> Week:
    """The week of an ISO time stamp."""
    year, number, _day = parse_time(text).isocalendar()
    return Week(year, number)


def deadline(created_at: str, minutes: int) -> str:
    """When an answer to something made at ``created_at`` is due, as an ISO time stamp in UTC."""
    return (parse_time(created_at) + timedelta(minutes=minutes)).isoformat(timespec="seconds")
