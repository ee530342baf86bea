"""A cell over the runs of a ledger: its numbers in order, and what changed beside them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.history import Series, chosen, history, without_cells
from pytest_weekops.core.week.history_terms import Change
from pytest_weekops.core.week.pins import Device, Pin
from tests.support.entries import failure, promote

CELL = {"platform": "pocl", "kernel": "auto", "size": 128, "status": "pass"}


def ran(run_id: str, *rows: dict[str, Any], **facts: Any) -> RunEntry:
    """A run with these results of pocl auto:128, or one of 35 GFLOPS."""
    results = [{**CELL, **row} for row in rows or ({"mean_gflops": 35.0, "p95_ms": 1.5, "unit": "GFLOPS"},)]
    return promote(run_id, **{"results": results, **facts})


def series_of(*runs: RunEntry) -> Series:
    """The one series of these runs."""
    (found,) = history(runs, ())
    return found


def test_numbers_stand_in_order_with_what_changed() -> None:
    """Driver, hardware and policy, each since the run that last told; a run without a driver tells nothing."""
    found = series_of(
        ran("one"),
        ran("two", {"mean_gflops": 30.0}, drivers={"pocl": "2"}),
        ran("three", {"status": "no_data"}, drivers={}, policy_id="q"),
        ran("four", drivers={"pocl": "2"}, hardware={"pocl": "another"}, policy_id="q"),
    )
    assert (found.name, found.unit) == ("pocl:auto:128", "GFLOPS")
    assert [point.throughput for point in found.points] == [35.0, 30.0, None, 35.0]
    assert [point.p95_ms for point in found.points] == [1.5, None, None, 1.5]
    assert [point.status for point in found.points] == ["pass", "pass", "no_data", "pass"]
    policies = "p aaaaaaaaaaaa", "q aaaaaaaaaaaa"
    assert [point.changes for point in found.points] == [
        (),
        (Change("driver", "1", "2"),),
        (Change("policy", *policies),),
        (Change("hardware", "a processor", "another"),),
    ]


def test_each_unit_has_a_series_of_its_own() -> None:
    """What has no number stands in both; records without a unit are GFLOPS, and another unit is no number."""
    bytes_moved = {"unit": "GB/s", "mean_gbs": 20.0, "mean_gflops": 1.0}
    runs = [ran("one", {"mean_gflops": 30.0}), ran("two", bytes_moved), ran("three", {"unit": "miles"})]
    found = history(runs, ())
    assert [(each.unit, [p.run.run_id for p in each.points]) for each in found] == [
        ("GFLOPS", ["one", "three"]),
        ("GB/s", ["two", "three"]),
    ]
    assert [each.points[0].throughput for each in found] == [30.0, 20.0]
    assert [p.throughput for p in series_of(ran("four", {"mean_gflops": -1.0})).points] == [None]
    assert series_of(ran("four", {"mean_gflops": "fast"})).unit is None


def test_a_pin_is_of_its_run_and_device() -> None:
    """Another device that has the same run's id, or another run, is none."""
    pins = [Pin(2, "", Device("pocl", "a processor"), "one"), Pin(3, "", Device("clover", "a processor"), "two")]
    (found,) = history([ran("one"), ran("two"), ran("three")], pins)
    assert [point.pinned for point in found.points] == [True, False, False]


def test_comparisons_of_a_split_are_no_cells() -> None:
    """Nor is anything that is none; a run that measures speed and has no cell is told of."""
    ratio = {"platform": "", "ratio": 0.9}
    odd = {"size": "big"}
    runs = [ran("one", {"mean_gflops": 30.0}, ratio, odd), ran("two", ratio, {"ratio": 1.0}), failure("three")]
    assert [p.run.run_id for p in series_of(*runs).points] == ["one"]
    assert [run.run_id for run in without_cells([*runs, promote("four", "canonical")])] == ["two", "three"]


def test_cells_are_chosen_by_name() -> None:
    """A name that is none is refused with what may have been meant."""
    both = history([ran("one", {"mean_gflops": 1.0}, {"mean_gflops": 2.0, "size": 256})], ())
    assert [each.name for each in chosen(both, ())] == ["pocl:auto:128", "pocl:auto:256"]
    assert [each.name for each in chosen(both, ["pocl:auto:256"])] == ["pocl:auto:256"]
    with pytest.raises(InputError, match=r"Did you mean pocl:auto:256\?.*has pocl:auto:128, pocl:auto:256"):
        chosen(both, ["pocl:auto:250"])
    with pytest.raises(InputError, match="the ledger has none"):
        chosen((), ["pocl:auto:250"])
