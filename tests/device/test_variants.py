"""Every shipped variant on every platform at hand, at shapes that fit no tile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus
from tests.support.benches import Bench

pytestmark = pytest.mark.device
SHAPES = [
    ((1, 1, 1), 1.0, 0.0),
    ((3, 5, 1), 2.0, 0.0),
    ((19, 23, 29), 1.0, 1.0),
    ((130, 67, 257), -0.5, 2.0),
]


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
@pytest.mark.parametrize("kernel", ["scalar", "tile20", "tile24", "block", "lanes", "regtile", "packed", "auto"])
def test_a_variant_is_right(benches: Callable[[str], Bench], platform: str, kernel: str) -> None:
    """The result agrees with float64 at every shape, alpha and beta."""
    for shape, alpha, beta in SHAPES:
        answer = benches(platform).measure(kernel, shape, alpha=alpha, beta=beta)
        assert answer.status is MeasurementStatus.OK, f"{shape}, {alpha}, {beta}: {answer.reason}"
        assert answer.sessions[0].verified
        assert len(answer.sessions[0].wall_ns) == 2


def test_auto_uses_what_clover_survives(benches: Callable[[str], Bench]) -> None:
    """On Clover auto picks a variant without vector loads, and it works."""
    answer = benches("clover").measure("auto", (200, 200, 200))
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert answer.variant in ("scalar", "block", "lanes", "regtile", "packed")


@pytest.mark.parametrize("platform", ["rusticl", "clover"])
def test_no_variant_is_cut_off_by_llvmpipe(benches: Callable[[str], Bench], platform: str) -> None:
    """With a k of 4096, the depth at n = 4096, every variant still runs its loops to the end.

    And adds up in parts: one sum over all of k is off by two units here, and by six at 3072, too much for policies.
    """
    for kernel in ("scalar", "tile20", "tile24", "block", "lanes", "regtile", "packed"):
        answer = benches(platform).measure(kernel, (40, 130, 4096), iterations=1)
        assert answer.status is MeasurementStatus.OK, f"{kernel}: {answer.reason}"
        assert answer.sessions[0].k_scaled_error < 1.0, kernel
