"""Student's t against printed tables, and at its ends."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.student import student_quantile, student_tail


@pytest.mark.parametrize(
    ("tail", "degrees", "quantile"),
    [  # from the tables of t, and for 4.5 degrees and 1e-6 from SciPy
        (0.025, 1, 12.7062),
        (0.025, 10, 2.22814),
        (0.005, 5, 4.03214),
        (0.001, 3, 10.2145),
        (0.05, 1000, 1.64638),
        (0.025, 4.5, 2.658912),
        (1e-6, 9, 10.720160),
    ],
)
def test_the_quantile_is_the_tables(tail: float, degrees: float, quantile: float) -> None:
    """Small samples stand and fall with it."""
    assert student_quantile(tail, degrees) == pytest.approx(quantile, rel=1e-5)
    assert student_tail(quantile, degrees) == pytest.approx(tail, rel=1e-3)


def test_the_ends_of_t() -> None:
    """Half lies above 0, nothing above infinity, and what is too rare to ask for is infinitely far."""
    assert student_tail(0.0, 3) == 0.5
    assert student_tail(math.inf, 3) == 0.0
    assert math.isinf(student_quantile(1e-13, 3))
