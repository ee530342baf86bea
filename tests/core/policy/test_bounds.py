"""What a number of a policy may be: every number has its ends, and what lies beyond them is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.numbers import as_number
from pytest_weekops.core.policy.bounds import BOUNDS, ROW_BOUNDS, SECTIONS, Bound, beyond, weak
from pytest_weekops.core.policy.lane_policies import with_lane_policy
from pytest_weekops.core.policy.policy import Policy, Row
from tests.support.synthetic import make_plan

NUMERIC = ("float", "int", "float | None", "int | None")
WEAK_END = {name: bound.least if bound.is_floor else bound.most for name, bound in BOUNDS.items()}

# More of these is only stricter, or no verdict hangs on them.
HELD_BY_THE_MODEL = {
    "guard.projection_count", "guard.row_samples", "guard.col_samples", "guard.clean_to_enable",
    "guard.min_uniform_recall", "selector.epsilon", "selector.warmup_launches", "selector.exploration_launches",
    "selector.min_gain", "evidence.min_confidence", "evidence.max_false_block",
    "evidence.max_false_promote", "evidence.assumed_sd_percent", "host.max_attempts",
    "host.max_wait_s", "host.max_wait_minutes",
}  # fmt: skip
STRICTER_WITHOUT_END = {
    "guardrails.minimum_snapshots", "campaign.minimum_snapshots", "evidence.flag_p95_launches",

}  # fmt: skip


def policy_with(place: str, value: float) -> Policy:
    """A policy with one number changed, whatever it is."""
    section, name = place.split(".")
    policy = Policy(policy_id="p", rows={"auto:128": Row(max_p95_time_ms=5)}, floors={"waiver": "none"})
    return policy.model_copy(update={section: getattr(policy, section).model_copy(update={name: value})})


def test_every_number_of_a_policy_has_its_ends() -> None:
    """A key that is added must say what it can be, and none is spoken of that is no key."""
    policy = Policy(policy_id="p")
    numbers = {
        f"{section}.{name}"
        for section in SECTIONS
        for name, field in type(getattr(policy, section)).model_fields.items()
        if str(field.annotation).replace("<class '", "").rstrip("'>") in NUMERIC
    }
    assert numbers == set(BOUNDS) | HELD_BY_THE_MODEL
    assert {name for name, end in WEAK_END.items() if end is None} == STRICTER_WITHOUT_END
    rows = {name for name, field in Row.model_fields.items() if "float" in str(field.annotation)}
    assert rows == set(ROW_BOUNDS)


def test_the_defaults_are_within_their_ends_and_no_weak_ones() -> None:
    """What is shipped needs no excuse."""
    policy = Policy(policy_id="p")
    assert not list(beyond(policy))
    assert weak(policy) == {}


@pytest.mark.parametrize("place", sorted(name for name, end in WEAK_END.items() if end is not None))
def test_a_limit_beyond_its_weak_end_is_refused_before_a_run(place: str) -> None:
    """At the end it is taken, and said to be weak where a usual value is known; beyond it is not."""
    end, bound = WEAK_END[place], BOUNDS[place]
    assert end is not None
    at_end = policy_with(place, end)
    assert at_end.refuses(make_plan()) == ""
    assert bool(weak(at_end)) == (bound.usual is not None)
    further = policy_with(place, end - abs(end) if bound.is_floor else 1000 * end)
    words = further.refuses(make_plan())
    assert words.startswith(f"Policy p: {place} is ")
    assert "Give a limit that a bad run breaks." in words
    assert further.refuses(make_plan("canonical")) == words


@pytest.mark.parametrize("value", [float("nan"), -1.0, 0.0, 5.0])
def test_what_is_no_value_within_the_ends_is_a_problem(value: float) -> None:
    """NaN is within nothing; an end belongs to its range where it says so."""
    assert Bound(above=0.0, most=4.0).problem(value)[0] == ("at most 4" if value == 5.0 else "above 0")
    assert Bound(least=0.0).problem(0.0) == ("", "")


def test_a_row_that_no_driver_misses_is_refused() -> None:
    """A floor of next to nothing, or a ceiling beyond every deadline."""
    for facts in ({"min_avg_gflops": 1e-9}, {"min_avg_gbs": 1e-9}, {"max_p95_time_ms": 1e9}):
        policy = Policy(policy_id="p", rows={"auto:128": Row.model_validate(facts)}, floors={"waiver": "none"})
        assert f"rows.auto:128.{next(iter(facts))} is" in policy.refuses(make_plan())


def test_an_older_lane_policy_is_held_to_the_same_ends() -> None:
    """Its own settings, and not those of the policy beneath."""
    base = policy_with("guardrails.max_correctness_error", 1e9)
    lane: dict[str, Any] = {"runtime_guardrails": {"disable_if_effective_overhead_percent_gt": 1e9}}
    with pytest.raises(PolicyError, match=r"guard\.max_overhead_soft_percent is .*at most 100: a check that costs"):
        with_lane_policy(base, "t5", lane, "hardening.json")
    lane["runtime_guardrails"] = {"disable_if_effective_overhead_percent_gt": 3.5}
    merged = with_lane_policy(base, "t5", lane, "hardening.json")
    assert as_number(merged.guard.max_overhead_soft_percent) == 3.5


def test_a_ratio_that_no_candidate_misses_is_refused() -> None:
    """From the command line as from the policy."""
    policy = policy_with("split.min_ratio", 0.85)
    assert "the candidate owes" in policy.refuses(make_plan("split", min_rusticl_ratio=1e-6))
    assert policy.refuses(make_plan("split", min_rusticl_ratio=0.5)) == ""


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (Bound(above=0.0, most=95.0), "above 0, at most 95"),
        (Bound(above=0.0, least=0.0, most=1.0), "at least 0, at most 1"),
        (Bound(least=2.0), "at least 2"),
    ],
)
def test_the_ends_of_a_bound_in_words(bound: Bound, words: str) -> None:
    """As the reference of policies prints them; an end that the other implies is not said twice."""
    assert bound.words == words
