"""What a rerun leaves out though its plan names it still: kernels not applicable, cells of which no speed is judged."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.cells_held import (
    added_variants,
    fewer_applicable,
    fewer_cells,
    fewer_variants,
    not_applicable_of,
)
from pytest_weekops.core.week.channel import ChannelState, channel_of
from tests.support.entries import failure, promote
from tests.support.history import crashed, entries_of, promoted
from tests.support.synthetic import make_plan

NEEDS = [
    {"kernel": "half", "capabilities": ["cl_khr_fp16"]},
    {"kernel": "count", "spoilt_by": ["aborts_on_atomics"]},
    {"kernel": "draw", "capabilities": ["images"], "spoilt_by": ["aborts_on_images"]},
]
PLAN = {"platforms": ["pocl"], "kernels": ["auto", "half"], "sizes": [64, 128], "needs": NEEDS}


def row(kernel: str, size: int, **facts: Any) -> dict[str, Any]:
    """A row of a verdict's table."""
    return {"platform": "pocl", "kernel": kernel, "size": size, **facts}


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"capabilities": ["cl_khr_fp16", "images"]}, {}),
        ({"capabilities": ["images"]}, {"pocl": ("half",)}),
        ({"capabilities": ["cl_khr_fp16", "images"], "quirks": ["aborts_on_atomics"]}, {"pocl": ("count",)}),
        ({"capabilities": None, "quirks": ["aborts_on_images"]}, {"pocl": ("half", "draw")}),
    ],
)
def test_what_a_device_cannot_run(identity: dict[str, Any], expected: dict[str, Any]) -> None:
    """What it lacks, and what its driver is known to spoil; nothing without needs."""
    assert not_applicable_of(PLAN, {"pocl": identity}) == expected
    assert not_applicable_of({}, {"pocl": identity}) == {}
    assert not_applicable_of({"variants": NEEDS, "needs": NEEDS[:1]}, {"pocl": identity}) == expected


def test_a_kernel_that_is_not_applicable_any_more_is_weaker() -> None:
    """Its failure is answered by nobody. What was left out before may be; an older version tells of none."""
    assert list(fewer_applicable({"pocl": ("half",)}, {})) == [
        "half not applicable on pocl, and was not left out before"
    ]
    assert list(fewer_applicable({"pocl": ("half",)}, {"pocl": ("half", "draw")})) == []
    assert list(fewer_applicable({"pocl": ("half",)}, None)) == []
    assert list(fewer_applicable(None, {})) == []
    rerun = promote("b", not_applicable={"pocl": ("half",)})
    assert "half not applicable on pocl" in compare(rerun, failure("a", not_applicable={})).weaker[0]


def test_a_kernel_that_the_canonical_tier_does_not_ask_any_more_is_weaker() -> None:
    """Taken out of the catalogue, or given a need that the device lacks; one that came since is no loss."""
    asked = {**PLAN, "variants": [{"kernel": "tile20"}, NEEDS[0], "nonsense"]}
    fewer = {**PLAN, "variants": [NEEDS[0]]}
    assert list(fewer_variants(fewer, asked)) == ["without tile20 in the canonical tier's gates"]
    assert list(fewer_variants(asked, fewer)) == list(fewer_variants(asked, PLAN)) == []
    many = {"variants": [{"kernel": f"k{number}"} for number in range(8)]}
    assert next(fewer_variants(PLAN, many)).startswith("without k0, k1, k2, k3, k4, k5 and 2 more in")
    assert added_variants(asked, fewer) == {"tile20"}
    assert added_variants(asked, PLAN) == {"tile20"}  # half is a kernel of its cells
    failed = failure("a", "canonical", plan=asked, not_applicable={})
    assert compare(promote("b", "canonical", plan=asked, not_applicable={}), failed).weaker == ()
    for rerun in ({"plan": fewer}, {"plan": PLAN}):
        words = compare(promote("b", "canonical", not_applicable={}, **rerun), failed).weaker
        assert any("without tile20" in each for each in words)
    needy = promote("b", "canonical", plan=asked, not_applicable={"pocl": ("tile20",)})
    assert "tile20 not applicable on pocl" in compare(needy, failed).weaker[0]
    older = failure("a", "canonical", plan={**PLAN, "kernels": ["auto"]}, not_applicable={})
    assert compare(needy, older).weaker == ()  # a version that did not write them down


def test_a_run_that_failed_by_its_level_0_is_answered_by_none_without() -> None:
    """Else the way around the bound would be to take the file away; of other failures it says nothing."""
    beyond = failure("a", failed_checks=("times_possible",), peaks=("pocl", "rusticl"))
    words = "without the level 0 of pocl, beyond which launches were"
    assert compare(promote("b", peaks=("rusticl",)), beyond).weaker == (words,)
    assert compare(promote("b", peaks=("pocl", "rusticl")), beyond).weaker == ()
    assert compare(promote("b"), failure("a", peaks=("pocl",))).weaker == ()


def test_a_cell_whose_speed_is_not_judged_any_more_is_weaker() -> None:
    """As where its partner cannot run it; a size that is not planned any more is told by the plan."""
    before = [row("auto", 64), row("half", 64), row("half", 128), {"kernel": "auto", "size": 64, "ratio": 1.0}]
    assert list(fewer_cells(PLAN, before, before)) == []
    assert list(fewer_cells(PLAN, before[:1], before)) == ["without the speed of pocl half:64, pocl half:128"]
    assert list(fewer_cells({**PLAN, "sizes": [64]}, before[:2], before)) == []
    assert list(fewer_cells({}, [], before)) == []
    many = [row("auto", size) for size in range(5)]
    assert "and 2 more" in next(fewer_cells({**PLAN, "sizes": list(range(5))}, [], many))
    rerun, failed = promote("b", plan=PLAN, results=tuple(before[:1])), failure("a", plan=PLAN, results=tuple(before))
    assert any("without the speed of" in words for words in compare(rerun, failed).weaker)


@pytest.mark.parametrize(
    ("looks", "instead", "state"), [((3, 6), 1, "promoted"), ((3, 6), 0, "iterate"), ((), 1, "iterate")]
)
def test_snapshots_stand_in_for_those_that_the_host_took(looks: tuple[int, ...], instead: int, state: str) -> None:
    """In a run with looks, where the verdict says that they are enough; nowhere else, and never for all of them."""
    document = promoted("a", plan=make_plan("weekly", iterations=15, looks=looks))
    document["counts"] = {"planned": 12, "measured": 11, "stayed_void": instead}
    assert channel_of(entries_of(document)).state == state
    document["counts"] = {"planned": 12, "measured": 0, "stayed_void": 12}
    assert channel_of(entries_of(document)).state is ChannelState.ITERATE
    assert channel_of(entries_of(crashed("x"), document)).state is ChannelState.FROZEN
