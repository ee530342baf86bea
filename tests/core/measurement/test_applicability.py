"""Which kernels a device can run, and which of them are not timed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.measurement.applicability import not_applicable, untimed
from pytest_weekops.core.measurement.catalog import ABORTS_ON_ATOMICS, CAPABILITIES
from pytest_weekops.core.measurement.needs import KernelNeeds, lacking
from pytest_weekops.core.measurement.plan import CampaignPlan, Partner
from tests.support.synthetic import make_identity, make_plan

IMAGES = CAPABILITIES["images"]
NEEDS = (
    KernelNeeds(kernel="histogram", spoilt_by=(ABORTS_ON_ATOMICS,)),
    KernelNeeds(kernel="image2d", capabilities=(IMAGES,)),
)
ABLE = {"capabilities": (IMAGES,)}
ROLES: tuple[Any, ...] = ("service", "reference")


def plan(kind: str = "weekly", **changes: Any) -> CampaignPlan:
    """Three kernels, of which one needs atomics and one images."""
    facts = {"kernels": ("auto", "histogram", "image2d"), "needs": NEEDS, "results_only": ("image2d",), **changes}
    return make_plan(kind, **facts)


def test_what_a_device_lacks_is_named() -> None:
    """A capability by OpenCL's name, a quirk by what it spoils, also one that nobody has words for."""
    plain = make_identity("pocl")
    assert lacking(NEEDS[1], plain) == f"is not applicable: the device has no {IMAGES}"
    assert lacking(NEEDS[1], plain.model_copy(update=ABLE)) == lacking(NEEDS[0], plain) == ""
    quirky = plain.model_copy(update={"quirks": (ABORTS_ON_ATOMICS, "odd")})
    assert lacking(NEEDS[0], quirky).startswith("needs atomic operations, and this driver's compiler")
    assert "quirk is odd" in lacking(KernelNeeds(kernel="x", spoilt_by=("odd",)), quirky)


def test_a_driver_that_did_not_answer_has_everything_to_answer_for() -> None:
    """What cannot be told is asked, and fails."""
    assert not_applicable(plan(), {}) == {}
    assert list(not_applicable(plan(), {"pocl": make_identity("pocl")})) == [("pocl", "image2d")]


def test_results_alone_count_where_the_plan_says_so_or_nothing_is_there_to_compare() -> None:
    """The other side of a split, or the driver in service, cannot run it; what is not applicable itself is neither."""
    able = make_identity("pocl").model_copy(update=ABLE)
    spoilt = able.model_copy(update={"quirks": (ABORTS_ON_ATOMICS,)})
    assert untimed(plan(), {"pocl": make_identity("pocl")}) == frozenset()
    assert untimed(plan(), {"pocl": able}) == {("pocl", "image2d")}
    beside = [plan().model_copy(update={"partner": Partner(label="other", role=role)}) for role in ROLES]
    found = [untimed(each, {"pocl": able}, spoilt) for each in beside]
    assert found == [{("pocl", "image2d"), ("pocl", "histogram")}, {("pocl", "image2d")}], "a clock need not run it"
    assert untimed(plan("split"), {"clover": spoilt, "rusticl": able}) == {
        ("clover", "image2d"),
        ("rusticl", "image2d"),
        ("rusticl", "histogram"),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"results_only": ("auto",)},
        {"results_only": ("queue",)},
        {"needs": (*NEEDS, NEEDS[0])},
        {"needs": (KernelNeeds(kernel="scan", spoilt_by=("x",)),)},
    ],
)
def test_a_plan_cannot_leave_out_times_or_kernels_that_it_may_not(changes: dict[str, Any]) -> None:
    """GEMM is timed wherever it is measured, and needs speak of the plan's own kernels, once."""
    with pytest.raises(ValidationError):
        plan(**changes)


def test_a_plan_without_them_is_what_it_was() -> None:
    """To the byte; one with them is read back as it was."""
    assert {"needs", "results_only", "known_losses"}.isdisjoint(make_plan().model_dump(mode="json"))
    assert CampaignPlan.model_validate(plan().model_dump(mode="json")) == plan()
