"""The work of shipped operations: the same numbers that workers write down, whatever the size."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.measurement.work import work_of
from pytest_weekops.device.level0.operations import LEVEL0_OPERATIONS
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads import WORKLOADS

OPERATIONS = {**LEVEL0_OPERATIONS, **WORKLOADS}
SIZES = (*range(1, 70), 96, 127, 128, 255, 256, 257, 400, 777, 1024, 1400)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_workload_is_known_by_its_formula(name: str) -> None:
    """From one element on; and twice the work is other work."""
    operation = OPERATIONS[name]
    for n in SIZES:
        shape = Shape(m=n, n=n, k=n)
        flops, moved = operation.flops(shape), operation.bytes_moved(shape)
        found = work_of(name, n, flops)
        assert found is not None
        assert (math.isclose(found[0], flops), math.isclose(found[1], moved)) == (True, True), (n, found, flops, moved)
        for other in (2.0 * flops + 8.0, 0.5 * flops - 8.0, math.nan, math.inf):
            stated = work_of(name, n, other)
            assert stated is not None
            assert not math.isclose(stated[0], other, rel_tol=1e-9), (n, other)


def test_operations_of_ones_own_are_not_known() -> None:
    """The two with launchers of their own are."""
    assert work_of("gemm", 10, 0.0) == (2000.0, 1200.0)
    assert work_of("triad", 10, 0.0) == (200.0, 1200.0)
    assert work_of("mine", 10, 7.0) is None
    with pytest.raises(OverflowError):
        work_of("stencil3d", 10**400, 1.0)
