"""One reading of numbers in plain data, held against everything that only looks like one."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.numbers import as_finite, as_number, as_whole, finite_from

AN_OBJECT = pytest.param(object(), id="an object")  # its repr is another one in each of xdist's processes
NO_NUMBERS = [None, True, False, "", "1", "nan", b"1", [], [1.0], {}, {"value": 1}, 1j, AN_OBJECT]
INFINITE = [math.nan, math.inf, -math.inf, 10**400, -(10**400)]


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_none(value: object) -> None:
    """True is no 1 and "1" is text: a limit that says so says nothing."""
    assert (as_number(value), as_finite(value), as_whole(value)) == (None, None, None)


@pytest.mark.parametrize("value", INFINITE, ids=lambda value: f"{value!r:.12}")
def test_what_no_bound_can_hold_is_a_number_but_not_finite(value: float) -> None:
    """A whole number that no float reaches included: it is told from text, and bounds nothing."""
    number = as_number(value)
    assert number is not None
    assert not math.isfinite(number)
    assert as_finite(value) is None


@pytest.mark.parametrize("value", [0, -0.0, 1, -3, 2.5, 1e308, 5e-324, 10**300, 2**53 + 1])
def test_a_finite_number_is_its_float(value: float) -> None:
    """Zero and the smallest one too; none is nothing because it is false."""
    assert as_finite(value) == as_number(value) == float(value)
    assert isinstance(as_finite(value), float)


@pytest.mark.parametrize(("value", "whole"), [(412, 412), (412.0, 412), (-1, -1), (10**400, 10**400), (0.0, 0)])
def test_a_whole_number_is_one_however_it_is_written(value: float, whole: int) -> None:
    """JSON writers spell 412 as 412.0; a seed beyond a float's reach stays itself."""
    assert as_whole(value) == whole
    assert isinstance(as_whole(value), int)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, -math.inf])
def test_what_is_not_whole_is_no_whole_number(value: float) -> None:
    """Nothing is rounded."""
    assert as_whole(value) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("0.85", 0.85), (" 7 ", 7.0), ("-1e3", -1000.0), ("nan", None), ("inf", None), ("1e999", None), ("", None)],
)
def test_what_was_typed_is_a_finite_number_or_nothing(text: str, number: float | None) -> None:
    """A limit of the command line that is no number must not let everything pass."""
    assert finite_from(text) == number


@pytest.mark.parametrize("text", ["seven", "1,5", "0x10", "true", "1:30"])
def test_other_text_is_no_number(text: str) -> None:
    """Whatever else some reader makes of it."""
    assert finite_from(text) is None
