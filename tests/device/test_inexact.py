"""The workloads that are never exact: no float32 result is the true one, so that an error of 0 was never computed."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_weekops.core.judge.checks.one_piece import INEXACT, LEAST_EDGE
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads import WORKLOADS


@pytest.mark.parametrize("name", sorted(INEXACT & set(WORKLOADS)))
def test_no_float_holds_every_true_result(name: str) -> None:
    """At the smallest size that the judge asks about, and beyond."""
    for n in (LEAST_EDGE, LEAST_EDGE + 1, 33):
        for seed in range(20):
            shape = Shape(n, n, n)
            true = np.asarray(
                WORKLOADS[name].reference(shape, WORKLOADS[name].inputs(shape, seed, 1)), dtype=np.float64
            )
            assert np.any(true != true.astype(np.float32))
