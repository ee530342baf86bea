"""Results that are no evidence say why: each way in which a file of green tests may be worth nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.conformance.results import MOST_OUTPUT, Result, SuiteResults, first_lines, problems
from tests.support.conformance import results

NOW = "2026-11-26T12:00:00+00:00"


def found(one: SuiteResults, now: str = NOW, share: float = 0.0) -> list[str]:
    """What is wrong with results, by the shipped limits."""
    return list(problems(one, now, max_age_days=30, max_left_out_share=share))


def test_whole_results_are_evidence() -> None:
    """Nothing is wrong with results that are whole and new, and their counts add up."""
    assert found(results()) == []
    assert results().counts == {"pass": 2, "fail": 1, "skip": 1}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"tests": (), "planned": 0, "of_suite": 0}, "no test is in it"),
        ({"ended": False}, "the suite was interrupted"),
        ({"planned": 5}, "4 of 5 planned tests have a result"),
        ({"version": ""}, "which version of the suite it was is not known"),
        ({"of_suite": 40, "selection": ("-t api",)}, "90 % of the suite was left out (-t api)"),
        ({"of_suite": 0, "selection": ("-x bad",)}, "100 % of the suite was left out (-x bad)"),
        ({"of_suite": 8}, "50 % of the suite was left out (an unknown selection)"),
        ({"created_at": "2026-10-01T00:00:00+00:00"}, "it is 56 days old, of at most 30"),
        ({"created_at": "2027-10-01T00:00:00+00:00"}, "it is -308 days old, of at most 30"),
        ({"created_at": "yesterday"}, "when it was made cannot be told"),
        ({"created_at": "2026-11-25T00:00:00"}, "when it was made cannot be told"),
    ],
)
def test_what_is_no_evidence_says_why(facts: dict[str, Any], words: str) -> None:
    """Each lack by itself."""
    assert found(results(**facts)) == [words]


def test_results_in_which_nothing_passed_are_no_evidence() -> None:
    """A driver that skips all, or of which nothing works, may not be held against one that is as bad."""
    assert found(results({"a": "skip", "b": "skip"})) == ["every test was skipped"]
    assert found(results({"a": "skip", "b": "fail"})) == ["no test passed"]


def test_two_results_of_one_test_are_no_evidence() -> None:
    """Which of the two counts is not for the reader to choose."""
    twice = (Result(test="a", status="pass"), Result(test="a", status="fail"))
    assert found(results(tests=twice, planned=0, of_suite=0)) == ["1 tests have two results, the first is a"]


def test_a_policy_may_allow_a_part_of_the_suite() -> None:
    """Up to its share, and not beyond."""
    part = results(of_suite=8, selection=("-t api",))
    assert found(part, share=0.5) == []
    assert len(found(part, share=0.4)) == 1


def test_output_is_kept_short_and_printable() -> None:
    """The first lines that say something, and no control characters of somebody's terminal."""
    text = "\n\n  one   two\x1b[31m\n" + "\n".join(map(str, range(20)))
    assert first_lines(text).splitlines() == ["one two?[31m", "0", "1", "2", "3", "4"]
    assert len(first_lines("x" * 10_000)) == MOST_OUTPUT
