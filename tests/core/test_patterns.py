"""What is wrong with a regular expression is told before it is used."""

from __future__ import annotations

import pytest

from pytest_weekops.core.patterns import pattern_problem


@pytest.mark.parametrize("pattern", ["", "AMD.*gfx", r"\[gfx90a\]", "(a|b)+"])
def test_what_the_parser_takes_is_taken(pattern: str) -> None:
    """Without a word."""
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing )"),
        ("a{99999999999999999999}", "too large"),
        ("[[a]", "nested set"),
        ("(" * 100_000 + ")" * 100_000, "nested too deeply"),
    ],
    ids=["error", "overflow", "warning", "depth"],
)
def test_whatever_the_parser_says_is_told(pattern: str, words: str) -> None:
    """Also what it only warns of, which ends whoever has made warnings errors."""
    assert words in pattern_problem(pattern)
