"""Student's distribution against tables and SciPy's values, for whole degrees of freedom and others."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.student import student_quantile, student_tail


@pytest.mark.parametrize(
    ("level", "degrees", "quantile"),
    [  # from the tables of t, and for 1e-6 and what is not whole from SciPy
        (0.025, 1, 12.7062),
        (0.025, 2, 4.30265),
        (0.005, 4, 4.60409),
        (0.005, 5, 4.03214),
        (0.025, 10, 2.22814),
        (0.001, 3, 10.2145),
        (0.001, 19, 3.57940),
        (0.0005, 30, 3.64596),
        (0.05, 1000, 1.64638),
        (1e-6, 9, 10.720160),
        (0.025, 4.5, 2.658912),
        (0.025, None, 1.959964),
        (0.0005, 100_000, 3.290527),
    ],
)
def test_the_quantile_is_the_tables(level: float, degrees: float | None, quantile: float) -> None:
    """Small samples stand and fall with it."""
    assert student_quantile(level, degrees) == pytest.approx(quantile, rel=1e-5)
    if degrees is not None:
        assert student_tail(quantile, degrees) == pytest.approx(level, rel=1e-3)


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 31])
@pytest.mark.parametrize("t", [0.3, 1.0, 4.0, 30.0])
def test_both_ways_of_computing_agree(t: float, degrees: int) -> None:
    """A millionth more than whole degrees is computed otherwise, and hardly another distribution."""
    assert student_tail(t, degrees + 1e-9) == pytest.approx(student_tail(t, degrees), rel=1e-6)


def test_the_ends_of_t() -> None:
    """Half lies above 0, nothing above infinity, and what is too rare to ask for is infinitely far."""
    for degrees in (3, 4, 3.5):
        assert student_tail(0.0, degrees) == 0.5
        assert student_tail(math.inf, degrees) == pytest.approx(0.0, abs=1e-16)
        assert math.isinf(student_quantile(1e-13, degrees))


@pytest.mark.parametrize("level", [0.0, -0.1, 0.5, 1.0, math.nan])
def test_a_level_is_one_sided(level: float) -> None:
    """Half of the distribution and more is no error that a bound may have."""
    with pytest.raises(ValueError, match="between 0 and a half"):
        student_quantile(level, None)
