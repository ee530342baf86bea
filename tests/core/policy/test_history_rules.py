"""The section on history: absent it changes nothing, and giving it up is a weaker policy."""

from __future__ import annotations

from typing import Any

from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.week.attempts import looser

BASE = Policy(policy_id="base")
KEY = "history.max_unexplained_drop_percent"


def with_rules(**changes: Any) -> Policy:
    """The policy with these keys of the section."""
    return BASE.model_validate({**BASE.effective(), "history": changes})


def test_the_section_as_shipped_is_not_there() -> None:
    """A policy from before it has the hash that it had; one that asks has another, and is read back."""
    assert "history" not in BASE.effective()
    asks = with_rules(max_unexplained_drop_percent=10.0)
    assert asks.sha256 != BASE.sha256
    assert Policy.model_validate(asks.effective()) == asks


def test_more_that_may_drop_is_looser() -> None:
    """For `weekops policy diff`, and for a rerun that would answer a failed run with it; so is not to ask any more."""
    strict, loose = with_rules(max_unexplained_drop_percent=5.0), with_rules(max_unexplained_drop_percent=10.0)
    for weaker in (loose, BASE):
        assert [(one.key, one.direction) for one in diff_policies(strict, weaker)] == [(KEY, "looser")]
        (words,) = looser(weaker.effective(), strict.effective())
        assert words.startswith(f"policy.{KEY} ")
        assert looser(strict.effective(), weaker.effective()) == ()
