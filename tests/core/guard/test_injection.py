"""The fault campaign's arithmetic: exact intervals, and every way in which a campaign does not suffice."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_weekops.core.guard.injection import (
    WHOLE_FAULT,
    BitRecall,
    Demands,
    FaultRecall,
    Injection,
    control_problem,
    shortfalls,
)
from pytest_weekops.core.guard.settings import GuardSettings


def campaign(**changes: Any) -> Injection:
    """A campaign that suffices, then changed."""
    facts: dict[str, Any] = {
        "variant": "packed",
        "size": 512,
        "z": 8.0,
        "bits": tuple(BitRecall(bit=bit, tried=200, caught=200 if bit >= 17 else 0) for bit in range(32)),
        "critical": FaultRecall(name="critical flips", tried=3000, caught=3000),
        "faults": (FaultRecall(name="a launch dropped", tried=20, caught=20),),
        "clean_launches": 3000,
        "false_alarms": 0,
        "largest_residual_share": 0.3,
    }
    return Injection.model_validate({**facts, **changes})


def test_a_good_campaign_suffices() -> None:
    """And its sums are those of its bits."""
    found = campaign()
    assert shortfalls(found, Demands()) == ()
    assert (found.uniform.tried, found.uniform.caught) == (6400, 3000)
    assert (found.exponent_and_sign.tried, found.exponent_and_sign.caught) == (1800, 1800)


SHORT: dict[str, tuple[dict[str, Any], str]] = {
    "self-test": ({"self_test": "no row"}, "self-test"),
    "missed": ({"critical": FaultRecall(name="critical flips", tried=4000, caught=3999)}, "3999 of 4000"),
    "few flips": ({"critical": FaultRecall(name="critical flips", tried=2999, caught=2999)}, "2999 critical"),
    "none": ({"critical": FaultRecall(name="critical flips", tried=0, caught=0), "bits": ()}, "0 critical"),
    "fault missed": ({"faults": (FaultRecall(name="half", tried=20, caught=19),)}, "19 of 20"),
    "fault not planted": ({"faults": (FaultRecall(name="half", tried=0, caught=0),)}, "0 of 0"),
    "no faults": ({"faults": ()}, "no fault but flips"),
    "false alarm": ({"false_alarms": 1}, "1 false alarms"),
    "few clean": ({"clean_launches": 299}, "299 launches"),
    "no headroom": ({"largest_residual_share": 0.5}, "half is the most"),
    "nan headroom": ({"largest_residual_share": math.nan}, "half is the most"),
}


@pytest.mark.parametrize("name", SHORT)
def test_what_does_not_suffice_is_said(name: str) -> None:
    """Each shortfall by its sentence."""
    changes, words = SHORT[name]
    assert any(words in text for text in shortfalls(campaign(**changes), Demands()))


def test_a_uniform_recall_is_demanded_where_asked() -> None:
    """46.9 % of all bits' flips is what this campaign shows."""
    assert shortfalls(campaign(), Demands(uniform_recall=0.46)) == ()
    assert shortfalls(campaign(), Demands(uniform_recall=0.47)) != ()


SAMPLED = GuardSettings(row_samples=3, col_samples=3, period=4)
MISSED = (
    FaultRecall(name=WHOLE_FAULT, tried=20, caught=20),
    FaultRecall(name="a work-group skipped", tried=20, caught=3),
)


def test_a_sampled_campaign_owes_the_faults_of_every_line_only() -> None:
    """A dropped launch must be seen; a tile may lie where nobody looks, and is shown all the same."""
    low = Demands(critical_recall=0.2)
    found = campaign(settings=SAMPLED, faults=MISSED)
    assert shortfalls(found, low) == ()
    assert shortfalls(found.model_copy(update={"settings": None}), low) != ()
    dropped = (FaultRecall(name=WHOLE_FAULT, tried=20, caught=19),)
    assert any("19 of 20" in text for text in shortfalls(campaign(settings=SAMPLED, faults=dropped), low))
    assert shortfalls(campaign(settings=SAMPLED, faults=MISSED[1:]), low) != ()


def test_a_period_is_part_of_what_a_campaign_shows() -> None:
    """All flips in every fourth launch are a quarter of all launches' flips."""
    found = campaign(settings=SAMPLED.model_copy(update={"row_samples": 0, "col_samples": 0}))
    assert shortfalls(found, Demands(critical_recall=0.25)) == ()
    (text,) = shortfalls(found, Demands(critical_recall=0.26))
    assert "3000 of 3000 caught, in one launch of 4; 26 % are needed" in text


BROKEN: dict[str, Any] = {
    "self_test": "no row",
    "critical": FaultRecall(name="critical flips", tried=150, caught=20),
    "clean_launches": 24,
}


def test_a_control_fails_by_what_it_saw() -> None:
    """Its self-test and its misses; or its alarms, where the check does nothing."""
    assert control_problem(campaign(**BROKEN)) == ""
    idle = {**BROKEN, "critical": FaultRecall(name="critical flips", tried=150, caught=150), "false_alarms": 24}
    assert control_problem(campaign(**idle)) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"self_test": ""},
        {"critical": FaultRecall(name="critical flips", tried=150, caught=150)},
        {"critical": FaultRecall(name="critical flips", tried=0, caught=0)},
    ],
    ids=["trusted", "all caught", "nothing planted"],
)
def test_a_control_that_does_not_fail_is_said(changes: dict[str, Any]) -> None:
    """Few flips and few clean launches alone are no failure of a broken guard."""
    assert control_problem(campaign(**{**BROKEN, **changes})) != ""
