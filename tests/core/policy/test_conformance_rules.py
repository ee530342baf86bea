"""The section on conformance: absent it changes nothing, and giving it up is a weaker policy."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.attempts import compare, looser
from tests.core.measurement.test_known_test import ENTRY
from tests.support.entries import PLAN, failure, promote

BASE = Policy(policy_id="base")
LOOSER: dict[str, float] = {
    "max_age_days": 60,
    "max_left_out_share": 0.5,
    "max_new_flaky": 3,
    "severity_of_crash": 2,
    "severity_of_lost_test": 3,
}


def with_rules(**changes: Any) -> Policy:
    """The policy with these keys of the section."""
    return BASE.model_validate({**BASE.effective(), "conformance": changes})


def test_the_section_as_shipped_is_not_there() -> None:
    """A policy from before it has the hash that it had; one that states another value has another, and is read back."""
    assert "conformance" not in BASE.effective()
    assert with_rules(max_new_flaky=0) == BASE
    other = with_rules(max_new_flaky=2)
    assert other.sha256 != BASE.sha256
    assert Policy.model_validate(other.effective()) == other


@pytest.mark.parametrize(("name", "value"), LOOSER.items())
def test_each_key_has_its_direction(name: str, value: float) -> None:
    """For `weekops policy diff`, and for a rerun that would answer a failed run with it."""
    weak = with_rules(**{name: value})
    assert [(one.key, one.direction) for one in diff_policies(BASE, weak)] == [(f"conformance.{name}", "looser")]
    assert [one.direction for one in diff_policies(weak, BASE)] == ["stricter"]
    (words,) = looser(weak.effective(), BASE.effective())
    assert words.startswith(f"policy.conformance.{name} {value}")
    assert looser(BASE.effective(), weak.effective()) == ()


def test_a_crash_is_never_milder_than_a_timeout_nor_that_than_a_failure() -> None:
    """Whatever the numbers say."""
    levels = with_rules(severity_of_failure=1, severity_of_timeout=3, severity_of_crash=2).conformance.levels
    assert [levels[f"conformance_{name}"] for name in ("crashes", "timeouts", "failures")] == [1, 1, 1]


def test_a_rerun_without_the_evidence_or_with_more_known_tests_is_weaker() -> None:
    """It cannot answer the run that failed for it."""
    asked = {**PLAN, "evidence": ["piglit"]}
    before = failure("a", plan=asked)
    assert compare(promote("b", plan=asked), before).weaker == ()
    assert compare(promote("b", plan=dict(PLAN)), before).weaker == ("without evidence piglit",)
    known = compare(promote("b", plan={**asked, "known_tests": [ENTRY]}), before).weaker
    assert known == ("expects pocl piglit api@clgetdeviceinfo (fail until 2026-12-31) to fail, and did not before",)
