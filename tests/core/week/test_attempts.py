"""What a rerun changed: pressure, the split's ratio and its platforms, and a policy that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.policy.diff import diff_policies
from pytest_weekops.core.week.attempts import compare, looser
from pytest_weekops.policies.files import default_policy
from tests.support.entries import PLAN, failure, promote

SPLIT = {
    **PLAN,
    "min_rusticl_ratio": 0.85,
    "baseline_platform": "clover",
    "candidate_platform": "rusticl",
    "pressure": {"pulses": 3, "iterations": 3, "size": 896, "mode": "during"},
}


def weaker(**changes: Any) -> tuple[str, ...]:
    """What is weaker about a rerun whose plan has these changes."""
    return compare(promote("b", "split", plan={**SPLIT, **changes}), failure("a", "split", plan=SPLIT)).weaker


def pressure(**changes: Any) -> dict[str, Any]:
    """The plan's pressure, changed."""
    return {"pressure": {**SPLIT["pressure"], **changes}}


def test_the_same_plan_is_not_weaker() -> None:
    """Nor is one that asks for more."""
    assert weaker() == ()
    assert weaker(**pressure(pulses=4, size=1024), min_rusticl_ratio=0.9, snapshots=8) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (pressure(mode="before"), "pressure before the launches, was during them"),
        (pressure(mode=None), "pressure before the launches, was during them"),
        (pressure(pulses=2), "pressure pulses 2, was 3"),
        (pressure(size=64), "pressure size 64, was 896"),
        ({"min_rusticl_ratio": 0.8}, "min_rusticl_ratio 0.8, was 0.85"),
        ({"min_rusticl_ratio": None}, "min_rusticl_ratio None, was 0.85"),
        ({"candidate_platform": "clover"}, "candidate platform clover, was rusticl"),
        ({"baseline_platform": "pocl"}, "baseline platform pocl, was clover"),
    ],
)
def test_a_rerun_under_less_pressure_or_against_another_is_weaker(changes: dict[str, Any], words: str) -> None:
    """It answers nothing."""
    assert weaker(**changes) == (words,)


def test_pressure_during_the_launches_may_take_the_place_of_pressure_before_them() -> None:
    """It is the harder of the two."""
    before = failure("a", plan={**PLAN, "pressure": {"pulses": 3, "mode": "before"}})
    assert compare(promote("b", plan={**PLAN, "pressure": {"pulses": 3, "mode": "during"}}), before).weaker == ()


@pytest.mark.parametrize(("new", "old"), [({}, PLAN), (PLAN, {})], ids=["the rerun's", "the first's"])
def test_a_plan_that_is_not_known_is_weaker(new: dict[str, Any], old: dict[str, Any]) -> None:
    """Whichever it is: nothing says that as much was measured."""
    found = compare(promote("b", plan=new), failure("a", plan=old))
    assert found.weaker == ("the plan of one of the runs is unknown",)


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        ({"guardrails": {}}, {}, ()),
        ({}, {}, ("the earlier policy is unknown",)),
        ({}, {"guardrails": {}}, ("the policy is unknown",)),
    ],
)
def test_a_policy_that_is_not_known_demands_nothing(
    new: dict[str, Any], old: dict[str, Any], words: tuple[str, ...]
) -> None:
    """One that is known is not looser than it; one that is not known may be looser than any."""
    assert looser(new, old) == words


@pytest.mark.parametrize(
    ("old", "new", "weaker"),
    [
        ((0.99, None), (0.99, 0.96), True),
        ((0.95, None), (0.95, 0.5), True),
        ((0.95, 0.96), (0.99, None), False),
        ((0.95, 0.95), (0.95, None), False),
        ((0.95, None), (0.94, 0.95), True),  # of a baseline
        ((0.95, 0.96), (0.95, 0.97), False),
        ((0.95, 0.96), (0.95, None), True),
    ],
)
def test_the_share_of_the_driver_in_service_is_what_is_in_force(
    old: tuple[float, float | None], new: tuple[float, float | None], *, weaker: bool
) -> None:
    """Null takes that of a baseline, in the earlier run as in this one; the difference of the two policies agrees."""
    before, after = (
        default_policy().model_copy(
            update={
                "floors": default_policy().floors.model_copy(
                    update={"min_share_of_baseline_gflops": baseline, "min_share_of_service_gflops": service}
                )
            }
        )
        for baseline, service in (old, new)
    )
    assert bool(looser(after.effective(), before.effective())) is weaker
    assert ("looser" in {change.direction for change in diff_policies(before, after)}) is weaker


def test_another_policy_is_listed() -> None:
    """By its id, or as unknown; it is weaker only by what it demands."""
    found = compare(promote("b", policy_sha256="b" * 64), failure("a", policy_id=""))
    assert (found.weaker, found.other) == ((), ("policy p, was unknown",))


def test_a_device_held_against_some_gates_only_is_weaker() -> None:
    """Another gate may have measured beside it; a first run that held it so is no better."""
    assert weaker(lock_namespace="mine") == (
        "the device held against some gates only (lock namespace), was held against all",
    )
    before = failure("a", plan={**PLAN, "lock_namespace": "mine"})
    assert compare(promote("b", plan={**PLAN, "lock_namespace": "mine"}), before).weaker == ()


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        (None, {"role": "service", "asked": "pocl@/old"}, "held against no driver in service, was against pocl@/old"),
        ({"role": "service", "label": "b"}, {"role": "service", "label": "a"}, "held against b, was against a"),
        (
            {"role": "reference", "label": "a"},
            {"role": "service", "label": "a"},
            "held against no driver in service, was",
        ),
        ({"role": "service", "label": "a"}, {"role": "service", "label": "a"}, ""),
        ({"role": "service", "label": "a"}, None, ""),
        (None, {"role": "reference", "label": "a"}, ""),
    ],
)
def test_a_rerun_against_another_driver_in_service_is_weaker(new: Any, old: Any, words: str) -> None:
    """Beside a slower one the same driver would hold; beside a reference nothing is held."""
    before = failure("a", plan={**PLAN, "partner": old})
    found = compare(promote("b", plan={**PLAN, "partner": new}), before).weaker
    assert [each.startswith(words) for each in found] == ([True] if words else [])
