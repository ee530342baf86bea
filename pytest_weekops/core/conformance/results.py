"""The results of one conformance suite on one driver, and why such results may be worth nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pytest_weekops.core.measurement.driver_files import DriverFile
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record

MOST_TESTS = 1_000_000
MOST_OUTPUT = 600  # characters of a test's output that are kept
_OUTPUT_LINES = 6
_CLOCK_SKEW_DAYS = 1.0
SUITES = ("piglit", "cts", "deqp", "junit")
Status = Literal["pass", "flaky", "skip", "fail", "timeout", "crash"]
_Text = Annotated[str, Field(min_length=1, max_length=1000)]


class Result(Record):
    """One test as it ended; ``seconds`` None where the suite does not tell, ``output`` the first lines of a bad one.

    ``flaky``: it failed, and passed when it was run again on the same driver.
    """

    test: _Text
    status: Status
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    output: Annotated[str, Field(max_length=MOST_OUTPUT)] = ""


class SuiteResults(Record):
    """All of one run of one suite on one driver.

    ``version`` names the suite as it was; results of two versions are not comparable. ``selection`` are the filters
    that the run was given, ``planned`` the tests that it was to run and ``of_suite`` those of the whole suite, each 0
    where nobody knows. ``ended``: the suite came to its end. ``identity`` and ``files`` say which driver answered.
    ``source_sha256`` is the hash of what was read.
    """

    suite: str
    version: str
    selection: tuple[str, ...] = ()
    planned: Annotated[int, Field(ge=0)] = 0
    of_suite: Annotated[int, Field(ge=0)] = 0
    ended: bool
    created_at: str
    source: str = ""
    source_sha256: str = ""
    identity: DeviceIdentity
    files: tuple[DriverFile, ...]
    tests: Annotated[tuple[Result, ...], Field(max_length=MOST_TESTS)]

    @property
    def by_test(self) -> dict[str, Result]:
        """The results by name; of a test that is there twice, the last."""
        return {each.test: each for each in self.tests}

    @property
    def counts(self) -> dict[str, int]:
        """How many tests ended in which status."""
        return dict(Counter(each.status for each in self.tests))

    @property
    def left_out_share(self) -> float:
        """Share of the suite's tests that a selection left out; all of them where filters stand and nobody knows."""
        if self.of_suite:
            return max(0.0, 1.0 - len(self.tests) / self.of_suite)
        return 1.0 if self.selection else 0.0


class ConformanceRecord(Record):
    """What one suite says in one run: of a platform under test (``tested``), or of what it is held against.

    ``results`` is None where there are none; ``problem`` says in words why. ``reference_run`` is the run whose promote
    made the reference driver the one in service; empty where the driver in service took part in this run.
    """

    type: Literal["conformance"] = "conformance"
    suite: str
    platform: str
    role: Literal["tested", "reference"]
    results: SuiteResults | None = None
    problem: str = ""
    reference_run: str = ""


def first_lines(text: str) -> str:
    """The first lines of an output that say something, as they are kept."""
    lines = (" ".join(line.split()) for line in text[: 40 * MOST_OUTPUT].splitlines())
    said = "\n".join([line for line in lines if line][:_OUTPUT_LINES])
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in said)[:MOST_OUTPUT]


def problems(results: SuiteResults, now: str, *, max_age_days: float, max_left_out_share: float) -> Iterator[str]:
    """Each reason why these results are no evidence, in words; none where they are."""
    names = Counter(each.test for each in results.tests)
    if not results.tests:
        yield "no test is in it"
    if not results.ended:
        yield "the suite was interrupted"
    if len(names) < results.planned:
        yield f"{len(names)} of {results.planned} planned tests have a result"
    if twice := [name for name, count in names.items() if count > 1]:
        yield f"{len(twice)} tests have two results, the first is {twice[0]}"
    if results.tests and all(each.status == "skip" for each in results.tests):
        yield "every test was skipped"
    elif results.tests and not any(each.status == "pass" for each in results.tests):
        yield "no test passed"
    if not results.version:
        yield "which version of the suite it was is not known"
    if not results.left_out_share <= max_left_out_share:
        chosen = " ".join(results.selection) or "an unknown selection"
        yield f"{100 * results.left_out_share:.0f} % of the suite was left out ({chosen})"
    yield from _age(results.created_at, now, max_age_days)


def _age(made: str, now: str, most: float) -> Iterator[str]:
    try:
        days = (datetime.fromisoformat(now) - datetime.fromisoformat(made)).total_seconds() / 86400
    except (ValueError, TypeError, OverflowError):
        yield "when it was made cannot be told"
        return
    if not -_CLOCK_SKEW_DAYS <= days <= most:
        yield f"it is {days:.0f} days old, of at most {most:g}"
