"""How far measurements scatter: what is no spread is refused where it is made."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.judge.certainty.spread import Spread


@pytest.mark.parametrize("sd", [0.0, -1.0, math.nan, math.inf])
def test_a_spread_is_finite_and_above_zero(sd: float) -> None:
    """By none at all every difference would be certain."""
    with pytest.raises(ValueError, match="finite number above 0"):
        Spread(sd)


@pytest.mark.parametrize("degrees", [0, -1])
def test_a_spread_has_a_degree_of_freedom(degrees: int) -> None:
    """Or is known, without any estimate."""
    with pytest.raises(ValueError, match="at least one degree of freedom"):
        Spread(1.0, degrees=degrees)
    assert Spread(1.0, degrees=1).degrees == 1
    assert Spread(1.0).degrees is None


@pytest.mark.parametrize("lag1", [-1.0, 1.0, math.nan])
def test_a_correlation_lies_between_its_ends(lag1: float) -> None:
    """At either end one value would say all of the next."""
    with pytest.raises(ValueError, match="between -1 and 1"):
        Spread(1.0, lag1=lag1)
