"""Verified measurements: their references are those of the very problem that was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import MeasureRequest, ReferenceRequest
from pytest_weekops.worker.verified import measure_verified, with_references
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


def test_a_reference_is_made_for_each_session() -> None:
    """What the host worker is asked for is the request's own problem, one session after the other."""
    asked: list[ReferenceRequest] = []

    class Noting:
        def reference(self, request: ReferenceRequest) -> str:
            asked.append(request)
            return f"{request.session}.npy"

    request = MeasureRequest(
        kernel="triad", operation="triad", m=3, n=5, k=7, seed=9, sessions=2, iterations=1, alpha=1.5, beta=0.5
    )
    filled = with_references(Noting(), request)  # type: ignore[arg-type]
    assert filled.references == {1: "1.npy", 2: "2.npy"}
    assert filled.model_copy(update={"references": {}}) == request
    wanted = {"operation": "triad", "m": 3, "n": 5, "k": 7, "seed": 9, "alpha": 1.5, "beta": 0.5, "path": ""}
    for session, reference in enumerate(asked, 1):
        assert wanted.items() <= reference.model_dump().items()
        assert reference.session == session
