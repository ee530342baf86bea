"""What the plan says of kernels that are not timed, and of those that not every device can run."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.catalog import CAPABILITIES
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.units import LEVEL1, RESULTS_ONLY
from pytest_weekops.files.catalog import kernel_entries
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.plugin.planning import build_plan

ENTRIES = kernel_entries([str(data_dir("kernels"))])


def _plan(pytester: pytest.Pytester, *words: str, kind: str = "weekly", gates: tuple[str, ...] = ()) -> CampaignPlan:
    labels = ["clover", "rusticl"] if kind == "split" else ["pocl"]
    return build_plan(pytester.parseconfig(*words), kind, labels=labels, entries=ENTRIES, gates=gates)


@pytest.mark.parametrize("kind", ["weekly", "split"])
def test_level_1_is_all_that_programs_do(pytester: pytest.Pytester, kind: str) -> None:
    """With what each needs that not every device has, and those whose times are not judged."""
    plan = _plan(pytester, "--kernels", "level1", kind=kind)
    assert plan.kernels == tuple(LEVEL1)
    assert set(plan.results_only) == set(RESULTS_ONLY)
    needs = {each.kernel: each.capabilities for each in plan.needs}
    assert needs["image2d"] == (CAPABILITIES["images"],)
    assert {"histogram", "math_pairs", "math_strict", "queue_svm"} <= set(needs)
    assert {"scan", "queue"}.isdisjoint(needs)


def test_gemm_alone_is_planned_as_ever(pytester: pytest.Pytester) -> None:
    """Nothing of it is left out anywhere, and a canonical plan speaks of no kernel."""
    for plan in (_plan(pytester), _plan(pytester, "--kernels", "level1", kind="canonical")):
        assert (plan.needs, plan.results_only) == ((), ())


@pytest.mark.parametrize("kind", ["canonical", "weekly"])
def test_what_the_canonical_gates_ask_for_is_planned(pytester: pytest.Pytester, kind: str) -> None:
    """Every kernel of the catalogues with its needs, so that a run that asks for fewer is known by its plan."""
    plan = _plan(pytester, kind=kind, gates=("odd-shapes",))
    assert {each.kernel for each in plan.variants} == set(ENTRIES)
    assert {each.kernel: each.capabilities for each in plan.variants}["image2d"] == (CAPABILITIES["images"],)
    assert "variants" in plan.model_dump()
    assert "variants" not in _plan(pytester, kind=kind).model_dump()


def test_a_run_of_nothing_that_is_timed_is_refused(pytester: pytest.Pytester) -> None:
    """With what to add, or where else they are checked."""
    with pytest.raises(pytest.UsageError, match="nothing would say how fast") as refused:
        _plan(pytester, "--kernels", "queues", "math_strict")
    assert "--tier canonical" in str(refused.value)
    assert _plan(pytester, "--kernels", "queues", "scan").results_only == tuple(n for n in RESULTS_ONLY if "queue" in n)
