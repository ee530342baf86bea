"""Level 0: which items there are, and that none has a number which nobody verified."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_weekops.core.measurement.peak import ITEMS, Item, PeakResult, PlatformPeak, found, without_number

COPY, ROUND_TRIP, BUILD = (ITEMS[name] for name in ("memory_copy", "launch_round_trip", "build_cold"))
NUMBERS = {"value": 1.0, "low": 1.0, "high": 1.0, "best": 1.0}


def whole() -> tuple[PeakResult, ...]:
    """Every item, right."""
    return tuple(found(item, [10.0], 1.0, "") for item in ITEMS.values())


def test_every_item_says_what_it_measures_and_how_it_is_verified() -> None:
    """And each type of the arithmetic with chains that wait and chains that do not."""
    assert all(item.measures and item.verified and name == item.name for name, item in ITEMS.items())
    assert len(ITEMS) == 26
    assert {name for name in ITEMS if name.endswith("_dependent")} == {
        f"arithmetic_{kind}_dependent" for kind in ("float", "double", "half", "int", "char_dot")
    }


@pytest.mark.parametrize(
    ("item", "times", "amount", "value", "best"),
    [
        (COPY, [10.0, 20.0, 40.0], 80.0, 4.0, 8.0),  # bytes per nanosecond are GB/s
        (ROUND_TRIP, [1e6, 3e6, 2e6], 200.0, 10.0, 5.0),  # microseconds per launch: less is better
        (BUILD, [3e6], 1.0, 3.0, 3.0),
    ],
)
def test_figures_are_in_the_items_unit(
    item: Item, times: list[float], amount: float, value: float, best: float
) -> None:
    """The median, the fastest, and an interval between two of the figures."""
    result = found(item, times, amount, "so")
    assert (result.value, result.best, result.repeats, result.how) == (value, best, len(times), "so")
    assert result.low is not None
    assert result.high is not None
    assert result.low <= value <= result.high
    assert result.verified == item.verified


@pytest.mark.parametrize("times", [[], [0.0], [5.0, -1.0]])
def test_a_time_that_is_none_makes_no_number(times: list[float]) -> None:
    """An infinite bandwidth is no measurement."""
    with pytest.raises(ValueError, match="took no time"):
        found(COPY, times, 1.0, "")


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "wrong", "reason": "word 3", **NUMBERS},
        {"status": "wrong", "reason": ""},
        {"status": "not_applicable", "reason": "no half", "best": 1.0},
        {"status": "ok"},
        {"status": "ok", **NUMBERS, "low": math.nan},
        {"status": "ok", **NUMBERS, "high": math.inf},
        {"status": "ok", **NUMBERS, "value": 0.0},
    ],
)
def test_only_a_right_result_has_numbers(facts: dict[str, Any]) -> None:
    """And they are finite; whatever has none says why."""
    with pytest.raises(ValidationError, match="memory_copy is"):
        PeakResult(name="memory_copy", unit="GB/s", **facts)


def test_a_platform_has_level_0_only_with_every_item() -> None:
    """One that is missing, wrong or failed, a driver that went down in one of them, or an end: it has not."""
    items = whole()
    fine = PlatformPeak(platform="p", items=items)
    assert fine.has()
    assert fine.has(["memory_copy"])
    lacking = without_number(ITEMS["arithmetic_half"], "not_applicable", "no half (cl_khr_fp16)")
    others = tuple(item for item in items if item.name != lacking.name)
    assert PlatformPeak(platform="p", items=(*others, lacking)).has()
    assert not PlatformPeak(platform="p", items=others).has()
    assert PlatformPeak(platform="p", items=others).has(["memory_copy"])
    for status in ("wrong", "failed"):
        bad = without_number(ITEMS["arithmetic_half"], status, "why\n so")
        assert bad.reason == "why so"
        assert not PlatformPeak(platform="p", items=(*others, bad)).has()
    went_down = items[0].model_copy(update={"reason": "its worker ended"})
    assert not PlatformPeak(platform="p", items=(went_down, *items[1:])).has()
    assert not PlatformPeak(platform="p", items=items, ended="it ended badly").has()
