"""One verified measurement outside of a campaign: its references are those of the very problem that was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest
from pytest_weekops.worker.verified import measure_verified
from tests.support.benches import Bench

PARTS: dict[str, dict[str, Any]] = {
    "scalars": {"alpha": -0.5, "beta": 2.0},
    "seed": {"seed": 9},
    "sessions": {"sessions": 3},
    "operation": {"kernel": "triad", "operation": "triad", "max_abs_error": None},
}


@pytest.mark.device
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_problem_reaches_the_reference(
    benches: Callable[[str], Bench], host: HostWorker, part: str
) -> None:
    """A reference of any other problem would call a right result wrong."""
    request = MeasureRequest(
        kernel="scalar",
        m=64,
        n=64,
        k=64,
        seed=5,
        sessions=1,
        iterations=1,
        kernel_dirs=(str(data_dir("kernels")),),
        max_abs_error=1e-3,
        k_scaled_bound=16.0,
    ).model_copy(update=PARTS[part])
    answer = measure_verified(benches("pocl").supervisor, host, request)
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert len(answer.sessions) == request.sessions
