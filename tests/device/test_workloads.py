"""The shipped workloads on a real driver: right at sizes that fit nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.units import LEVEL1
from tests.support.benches import Bench

pytestmark = pytest.mark.device
Open = Callable[[str], Bench]
EDGES = (1, 3, 17, 131, 257)


@pytest.mark.parametrize("name", LEVEL1)
def test_a_workload_is_right_at_any_size(benches: Open, name: str) -> None:
    """One element, primes, and the neighbours of powers of two, on two sets of inputs in turn."""
    for n in EDGES:
        answer = benches("pocl").measure(name, (n, n, n), operation=KernelOperation(name=name))
        assert answer.status is MeasurementStatus.OK, f"n = {n}: {answer.reason}"
        assert (answer.operation, answer.unit, answer.variant) == (name, LEVEL1[name], name)
        assert answer.sessions[0].k_scaled_error < 8.0, "a sound kernel stays well within the bound of 12"
