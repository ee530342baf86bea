"""Tests of conformance suites that one driver is known to fail, each with a reason, an owner and a last day."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from pytest_weekops.core.measurement.expectation import MOST_EXPECTATIONS, DriverName
from pytest_weekops.core.record import Record, as_record

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def a_day(value: Any) -> date:
    """A day that a file states. Raises ``ValueError`` for anything else, a moment too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("must be a day such as 2026-12-31")


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must say something, in one line: whoever reads the verdict reads it")
    return text


Words = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_one_line)]


class KnownTest(Record):
    """One test of one suite that ends so (``kind``) on one driver, by its whole name; ``expires`` is the last day."""

    driver: DriverName
    suite: Literal["piglit", "cts", "deqp", "junit"]
    test: Annotated[str, Field(min_length=1, max_length=1000)]
    kind: Literal["fail", "crash", "timeout", "skip", "flaky"]
    reason: Words
    owner: Words
    expires: Annotated[date, BeforeValidator(a_day)]

    @property
    def words(self) -> str:
        """Until when, why, and whose it is."""
        return f"expected until {self.expires} ({self.reason}; {self.owner})"


class KnownTests(Record):
    """All of one file's."""

    conformance: Annotated[tuple[KnownTest, ...], Field(max_length=MOST_EXPECTATIONS)] = ()

    @field_validator("conformance")
    @classmethod
    def _each_once(cls, value: tuple[KnownTest, ...]) -> tuple[KnownTest, ...]:
        seen: list[tuple[DriverName, str, str]] = []
        for one in value:
            if (one.driver, one.suite, one.test) in seen:
                raise ValueError(f"{one.driver.profile} {one.suite} {one.test} stands there twice; a test ends one way")
            seen.append((one.driver, one.suite, one.test))
        return value


def parse_known_tests(data: Any, source: str) -> tuple[KnownTest, ...]:
    """Validate what stands under ``conformance``. Raises ``PolicyError`` that names file, key and value."""
    why = "An expectation that is not understood could excuse another test."
    return as_record(KnownTests, {"conformance": data}, what="Expectations", source=source, why=why).conformance
