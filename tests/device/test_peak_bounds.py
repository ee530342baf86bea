"""A peak is a peak: no shipped kernel beats its own level 0, measured in the same process of the same driver."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from pytest_weekops.campaigns.peak import measure_item
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.peak import ITEMS, PeakAmounts
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.peak_messages import PeakRequest
from tests.support.benches import Bench

pytestmark = [pytest.mark.device, pytest.mark.long]
# Both sides are the host's clock around launches, on a machine that others may work on: the fastest batch of level 0 is
# held against the median of the kernel, and a clock that rises between the two by a quarter is still no contradiction.
# A peak that misses the device's vectors or its chains is short by a factor of two or more.
MARGIN = 1.25
AMOUNTS = PeakAmounts(nbytes=64 * 2**20, repeats=7, target_ms=10.0)


@pytest.mark.parametrize(
    ("item", "kernel", "size"),
    [
        ("arithmetic_float", "packed", 512),
        ("memory_triad", "triad", 4096),  # three arrays of 64 MiB, as level 0 has them
    ],
)
def test_no_kernel_beats_its_own_level_0(benches: Callable[[str], Bench], item: str, kernel: str, size: int) -> None:
    """The kernel's median over the fastest batch of level 0: the median of three such ratios."""
    bench = benches("pocl-embedded")
    ratios = []
    for _ in range(3):
        request = PeakRequest(item=item, kernel_dir=str(data_dir("kernels")), amounts=AMOUNTS)
        peak = measure_item(bench.supervisor, ITEMS[item], request)
        assert peak.best is not None, peak.reason
        operation = KernelOperation(name=kernel) if kernel == "triad" else KernelOperation()
        found = bench.measure(kernel, (size, size, size), iterations=15, operation=operation)
        assert found.status is MeasurementStatus.OK, found.reason
        amount = found.bytes_moved if found.unit == "GB/s" else found.flops
        ratios.append(amount / statistics.median(found.sessions[0].wall_ns) / peak.best)
    assert statistics.median(ratios) <= MARGIN, ratios
