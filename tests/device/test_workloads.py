"""The shipped workloads on real drivers: right at sizes that fit nothing, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.units import LEVEL1
from tests.support.benches import Bench

pytestmark = pytest.mark.device
Open = Callable[[str], Bench]


def hold(bench: Bench, name: str, *edges: int) -> None:
    """The workload is right at each of these edges, on two sets of inputs in turn."""
    for n in edges:
        answer = bench.measure(name, (n, n, n), operation=KernelOperation(name=name))
        assert answer.status is MeasurementStatus.OK, f"n = {n}: {answer.reason}"
        assert (answer.operation, answer.unit, answer.variant) == (name, LEVEL1[name], name)
        assert answer.sessions[0].k_scaled_error < 4.0, "a sound kernel stays well within the bound of 12"


@pytest.mark.parametrize("name", LEVEL1)
def test_a_workload_is_right_at_odd_sizes(benches: Open, name: str) -> None:
    """One element, and primes below and above a work-group's share."""
    hold(benches("pocl"), name, 1, 17, 131)


@pytest.mark.long
@pytest.mark.parametrize("platform", ["pocl-embedded", "rusticl", "clover"])
@pytest.mark.parametrize("name", LEVEL1)
def test_a_workload_is_right_on_every_driver(benches: Open, platform: str, name: str) -> None:
    """More elements than llvmpipe runs loop iterations. Clover's compiler aborts on atomics, and is not asked to."""
    if (platform, name) == ("clover", "histogram"):
        answer = benches(platform).measure(name, (3, 3, 3), operation=KernelOperation(name=name))
        assert answer.status is MeasurementStatus.LAUNCH_FAILED
        assert "this driver's compiler is known to abort on them" in answer.reason
    else:
        hold(benches(platform), name, 1, 3, 257, 521)
