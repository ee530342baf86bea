"""The policy as data: which plans it refuses, and words that must say something."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.policy.policy import Policy, SeverityLevel
from tests.support.synthetic import make_plan

ROWS = {"auto:128": {"min_avg_gflops": 1.0}, "auto:256": {"waiver": "later"}}


def policy(**facts: Any) -> Policy:
    """A policy with a row for one size of the synthetic plan and a waiver for the other."""
    return Policy.model_validate({"policy_id": "mine", "rows": ROWS, **facts})


def test_a_plan_that_every_row_speaks_of_is_not_refused() -> None:
    """A limit, a waiver in words, or a waiver for all."""
    assert policy().refuses(make_plan()) == ""
    assert policy(rows={}, floors={"waiver": "none pinned yet"}).refuses(make_plan()) == ""


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another kind": (
        {"scope": {"kinds": ["split", "canonical"]}},
        "weekly",
        "is for split, canonical runs, this one is weekly",
    ),
    "another platform": ({"scope": {"platform": "rusticl"}}, "weekly", "is for rusticl, this run measures pocl"),
    "a part of the name": ({"scope": {"platform": "poc"}}, "weekly", "is for poc"),
    "a size without a row": (
        {"rows": {"auto:128": ROWS["auto:128"]}},
        "weekly",
        "neither a row nor a waiver for auto:256.",
    ),
    "a row without a limit": ({"rows": {**ROWS, "auto:128": {"notes": "soon"}}}, "weekly", "for auto:128."),
    "no row at all": ({"rows": {}}, "weekly", "or measure what the policy covers: nothing."),
    "of a split": ({"rows": {}}, "split", "for auto:128, auto:256."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_plan_that_the_policy_cannot_judge_is_refused(name: str) -> None:
    """Before anything is measured, by what is missing."""
    facts, kind, words = REFUSED[name]
    assert words in policy(**facts).refuses(make_plan(kind))


def test_a_platform_is_known_by_its_profile() -> None:
    """Whatever stands behind the @, and in any case; among several it has to be one."""
    mine = policy(scope={"platform": "PoCL"})
    assert mine.refuses(make_plan(platforms=("pocl@2",))) == ""
    assert mine.refuses(make_plan(platforms=("clover", "pocl"))) == ""


def test_a_canonical_gate_needs_no_rows() -> None:
    """It measures no cell, and is refused by its kind alone."""
    other = policy(rows={}, scope={"platform": "rusticl"})
    assert other.refuses(make_plan("canonical")) == ""
    assert "runs" in policy(scope={"kinds": ["weekly"]}).refuses(make_plan("canonical"))


@pytest.mark.parametrize("name", ["action", "owner"])
@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_severity_has_to_say_what_to_do_and_who(name: str, text: str) -> None:
    """Blanks say nothing to somebody on call."""
    facts = {"within_minutes": 15, "action": "roll back", "owner": "on call", name: text}
    with pytest.raises(ValidationError, match="must say something"):
        SeverityLevel.model_validate(facts)


def test_every_severity_has_an_owner() -> None:
    """A policy that leaves a level out is refused when it is read, not when a verdict needs the level."""
    levels = policy().severity.levels
    with pytest.raises(ValidationError, match="lacks 1, 4; a verdict of that severity would have no owner"):
        policy(severity={"levels": {level: levels[level] for level in (2, 3)}})


def test_a_policy_with_half_a_character_has_a_hash() -> None:
    """A journal may hold one: it is judged by what it says, and not given up."""
    broken = policy(notes={"why": "\ud800"})
    assert broken.sha256 == policy(notes={"why": "\ud800"}).sha256 != policy(notes={"why": "\ud801"}).sha256
