"""What the script that simulates ladders makes of them: the share of right answers that is promised."""

from __future__ import annotations

import random
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
import bisect_ladders
from bisect_ladders import Asked, Outcome, ladder


def outcomes(count: int, **changes: object) -> list[Outcome]:
    """So many ladders of sixteen builds, one of which adds 5 %, at the noise of a calm machine."""
    facts = {"builds": 16, "slower": 0.05, "noise": "normal", "sd": 0.01, "budget": 40, "error": 0.05, **changes}
    draw = random.Random(11)
    return [ladder(Asked(**facts), draw) for _ in range(count)]  # type: ignore[arg-type]


def test_95_of_100_ladders_end_with_the_right_build() -> None:
    """In four steps besides the one of the ends, and with no more error than was asked."""
    found = outcomes(100)
    assert Counter(each.how for each in found)["right"] >= 95
    assert max(each.steps for each in found if each.how == "right") <= 7
    assert max(each.error for each in found) <= 0.05 + 1e-9


def test_builds_that_cannot_be_judged_leave_a_range_that_has_the_right_one() -> None:
    """Some of them; and the answer is not wrong for it."""
    found = Counter(each.how for each in outcomes(40, mute=0.4, sd=0.003))
    assert found["range"] > 5
    assert found["wrong"] == 0


def test_ends_that_noise_hides_are_not_searched() -> None:
    """Rather than anything being found."""
    assert {each.how for each in outcomes(5, sd=0.3, budget=6)} == {"ends"}


def test_the_script_says_whether_enough_were_right(capsys: pytest.CaptureFixture[str]) -> None:
    """A line per noise, and 1 where fewer than asked were."""
    words = ["--noises", "normal", "--spreads", "0.003", "--budgets", "12", "--ladders", "4"]
    assert bisect_ladders.main(words) == 0
    assert "| normal | 0.003 | 12 | 4 | 0 | 0 | 0 |" in capsys.readouterr().out
    assert bisect_ladders.main([*words, "--asked", "101"]) == 1
