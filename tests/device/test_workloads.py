"""The shipped workloads on real drivers: right at sizes that fit nothing, or refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.units import IMAGE, LEVEL0, LEVEL1, MATH, SHIPPED_UNITS, STRICT_MATH, VECTOR
from pytest_weekops.files.shipped import data_dir
from tests.support.benches import Bench

SLOW_TO_BUILD = [name for name in MATH if name != "math_pairs"]  # dozens of kernels each, which PoCL links one by one
ABORTS = "this driver's compiler is known to abort on them"
LACKS = {
    "queue_out_of_order": "is not applicable: the device has no CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE",
    "queue_svm": "is not applicable: the device has no CL_DEVICE_SVM_COARSE_GRAIN_BUFFER",
}
NO_DOUBLES = dict.fromkeys(("double", "double_fma"), "is not applicable: the device has no cl_khr_fp64")
WRONG_MATH = {STRICT_MATH: "this driver's version is known to be wrong there"}
POCL = {**WRONG_MATH, "queue_sub_rectangles": "this driver's version is known to crash over them"}
REFUSED = {
    "pocl": POCL,
    "pocl-embedded": {**POCL, "vectors_wide": "this driver's version is known to fail over them"},
    "rusticl": {**WRONG_MATH, **LACKS, **NO_DOUBLES},
    "clover": {
        **dict.fromkeys(("histogram", "math_pairs", STRICT_MATH, *IMAGE), ABORTS),
        **LACKS,
        **dict.fromkeys(("convert_half", *VECTOR), ABORTS),
        "double_fma": "this driver's version is known to round twice in it",
        "queue_fill": "is not applicable: the device has no clEnqueueFillBuffer",
        "queue_user_events": "this driver's version is known to take later ones",
    },
}
pytestmark = pytest.mark.device
Open = Callable[[str], Bench]


def hold(bench: Bench, name: str, *edges: int) -> None:
    """The workload is right at each of these edges, on two sets of inputs in turn."""
    for n in edges:
        guard = GuardSettings() if name in GUARDED else None
        answer = bench.measure(name, (n, n, n), operation=KernelOperation(name=name), guard=guard)
        assert answer.status is MeasurementStatus.OK, f"n = {n}: {answer.reason}"
        assert (answer.operation, answer.unit, answer.variant) == (name, SHIPPED_UNITS[name], name)
        assert answer.sessions[0].k_scaled_error < 4.0, "a sound kernel stays well within the bound of 12"
        if name in GUARDED:
            assert answer.guard is not None
            assert (answer.guard.checks, answer.guard.self_tests, answer.guard.false_alarms) == (2, 1, 0)
            assert answer.guard.residual_share is not None
            assert answer.guard.residual_share < 0.5, "a good launch is far from its guard's bound"


def refused(bench: Bench, name: str, why: str) -> None:
    """It is not built, and the reason is said."""
    answer = bench.measure(name, (3, 3, 3), operation=KernelOperation(name=name))
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert why in answer.reason


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in SLOW_TO_BUILD else ()) for name in LEVEL1]
)
def test_a_workload_is_right_at_odd_sizes(benches: Open, name: str) -> None:
    """One element, and primes below and above a work-group's share; or refused, for what the driver is known for."""
    if name in REFUSED["pocl"]:
        refused(benches("pocl"), name, REFUSED["pocl"][name])
    else:
        hold(benches("pocl"), name, 1, 17, 131)


@pytest.mark.long
def test_clover_rounds_twice_in_fma_of_doubles(benches: Open, tmp_path: Path) -> None:
    """A quirk of its version leaves double_fma out there: it would be found, and the quirk is needed."""
    kernels = tmp_path / "kernels"
    shutil.copytree(data_dir("kernels"), kernels)
    catalog = (kernels / "catalog.yaml").read_text(encoding="utf-8")
    assert ", fused_doubles: true" in catalog
    (kernels / "catalog.yaml").write_text(catalog.replace(", fused_doubles: true", ""), encoding="utf-8")
    asked = KernelOperation(name="double_fma")
    answer = benches("clover").measure("double_fma", (61, 61, 61), operation=asked, kernel_dir=kernels)
    assert answer.status is MeasurementStatus.WRONG, answer.reason
    assert ": 0.0 where" in answer.reason, "nothing is lost in a product that was rounded first"


def test_level_0_is_right_at_odd_sizes(benches: Open) -> None:
    """Each item that is an operation, exactly, in the shape of the catalogue."""
    for name in LEVEL0:
        hold(benches("pocl"), name, 1, 131)


@pytest.mark.long
@pytest.mark.parametrize("platform", ["rusticl", "clover"])
def test_level_0_is_right_on_every_driver(benches: Open, platform: str) -> None:
    """The limit of llvmpipe on loop iterations is far."""
    for name in LEVEL0:
        hold(benches(platform), name, 1, 257)


@pytest.mark.long
@pytest.mark.parametrize("platform", ["pocl-embedded", "rusticl", "clover"])
@pytest.mark.parametrize("name", LEVEL1)
def test_a_workload_is_right_on_every_driver(benches: Open, platform: str, name: str) -> None:
    """More elements than llvmpipe runs loop iterations. What a driver is known to fail in is not built."""
    if name in REFUSED[platform]:
        refused(benches(platform), name, REFUSED[platform][name])
    elif platform != "pocl-embedded" or name not in SLOW_TO_BUILD:  # its functions are PoCL's
        hold(benches(platform), name, 1, 3, 257, 521)
