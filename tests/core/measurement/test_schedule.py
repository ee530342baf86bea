"""The order of measurement: complete, counterbalanced, and the gates that a promote needs."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.schedule import (
    expected_gates,
    measuring_order,
    place_of,
    platform_order,
    snapshot_order,
    with_gates,
)

PLANS = st.builds(
    CampaignPlan,
    kind=st.just("weekly"),
    platforms=st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True).map(tuple),
    kernels=st.lists(st.sampled_from(["auto", "block"]), min_size=1, unique=True).map(tuple),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(tuple),
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True).map(tuple),
    snapshots=st.integers(1, 6),
)


@given(PLANS)
@settings(deadline=None)
def test_every_case_is_measured_once(plan: CampaignPlan) -> None:
    """The schedule is a permutation of the plan's cases, snapshot by snapshot."""
    order = list(measuring_order(plan))
    assert Counter(order) == Counter(plan.all_cases())
    assert [case.snapshot for case in order] == sorted(case.snapshot for case in order)


@given(PLANS)
@settings(deadline=None)
def test_a_case_is_found_in_its_place(plan: CampaignPlan) -> None:
    """Without the whole order being made; what the plan has not has none."""
    for snapshot in range(1, plan.snapshots + 1):
        order = snapshot_order(plan, snapshot)
        assert [place_of(plan, case) for case in order] == list(range(len(order)))
    for other in ({"size": 10}, {"platform": "e"}, {"kernel": "scalar"}, {"seed": 10}):
        assert place_of(plan, order[0].model_copy(update=other)) is None


@given(PLANS)
@settings(deadline=None)
def test_platforms_stand_back_to_back(plan: CampaignPlan) -> None:
    """All platforms of a cell are measured before the next cell."""
    order = list(measuring_order(plan))
    width = len(plan.platforms)
    for start in range(0, len(order), width):
        group = order[start : start + width]
        assert len({(case.kernel, case.size, case.seed, case.snapshot) for case in group}) == 1


def test_two_platforms_take_turns() -> None:
    """Of two platforms each goes first in every other snapshot."""
    firsts = [platform_order(("a", "b"), snapshot=snapshot, cell=0)[0] for snapshot in range(1, 7)]
    assert firsts == ["a", "b", "a", "b", "a", "b"]


def test_each_platform_takes_each_place_equally_often() -> None:
    """Over two full rounds of three platforms every place is taken twice by each."""
    orders = [platform_order(("a", "b", "c"), snapshot=snapshot, cell=0) for snapshot in range(1, 7)]
    for place in range(3):
        assert Counter(order[place] for order in orders) == {"a": 2, "b": 2, "c": 2}


def test_a_promote_needs_both_gates_and_the_end() -> None:
    """Opening, closing, per platform, and the suite's own gate that is written last."""
    plan = CampaignPlan(kind="weekly", platforms=("a", "b"), kernels=("auto",), sizes=(1,), seeds=(1,))
    assert expected_gates(plan, smoke=True) == (
        "opening/canonical/a",
        "opening/canonical/b",
        "closing/canonical/a",
        "closing/canonical/b",
        "smoke/driver/a",
        "smoke/driver/b",
        "suite/pytest/",
    )


def test_a_plan_made_by_hand_gets_the_gates_of_its_kind() -> None:
    """Those it names stay and come last, and one that has them all stays as it is."""
    plan = CampaignPlan(kind="weekly", platforms=("a",), kernels=("auto",), sizes=(1,), seeds=(1,))
    mine = plan.model_copy(update={"gates": ("check/mine/", "closing/canonical/a")})
    whole = with_gates(mine)
    assert whole.gates == ("opening/canonical/a", "suite/pytest/", "check/mine/", "closing/canonical/a")
    assert with_gates(whole) is whole
