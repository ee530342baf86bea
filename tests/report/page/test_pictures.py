"""What pictures hold that a reader would miss elsewhere: measurements that left nothing, and axes that are honest."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.report.page.drawing import drawing, widened
from pytest_weekops.report.page.overviews import overhead_picture
from pytest_weekops.report.page.pictures import cell_picture
from pytest_weekops.report.page.shown import Cell
from tests.support.run_pages import shown
from tests.support.synthetic import make_plan, make_records

PLAN = make_plan("weekly", sizes=(128,), snapshots=3)


def crashed() -> Cell:
    """A cell whose last two measurements of three left no launch."""
    left = {"status": MeasurementStatus.CRASHED, "sessions": (), "reason": "signal 11"}
    records = [
        one.model_copy(update=left) if isinstance(one, Measurement) and one.case.snapshot > 1 else one
        for one in make_records(PLAN)
    ]
    return shown(PLAN, records).cells[0]


def test_what_left_no_launch_has_its_place() -> None:
    """With the word for it, in the picture and below it; of nothing at all there is no picture."""
    cell = crashed()
    with drawing():
        made = cell_picture(cell)
        assert cell_picture(replace(cell, attempts=cell.attempts[1:])) is None
    assert made is not None
    assert made.svg.count(">crashed</text>") == 2
    assert "In red, 2 that count for nothing: crashed." in made.caption


def test_wrong_launches_are_red_and_no_voids() -> None:
    """Grey is what the host spoilt."""
    wrong = {"status": MeasurementStatus.WRONG, "reason": "one element"}
    records = [one.model_copy(update=wrong) if isinstance(one, Measurement) else one for one in make_records(PLAN)]
    with drawing():
        made = cell_picture(shown(PLAN, records).cells[0])
    assert made is not None
    assert "var(--void)" not in made.svg
    assert "In red, 3 that count for nothing: wrong." in made.caption


@pytest.mark.parametrize(("low", "high"), [(100.0, 100.1), (1e-9, 1e-9), (-0.1, 0.1), (1.0, 2.0)])
def test_an_axis_spans_some_percent(low: float, high: float) -> None:
    """About its middle; what is apart stays as it is."""
    bottom, top = widened(low, high)
    assert math.isclose(bottom + top, low + high, rel_tol=1e-12, abs_tol=1e-12)
    assert top - bottom >= 0.0399 * max(abs(low), abs(high))
    if high - low > 0.04 * max(abs(low), abs(high)):
        assert (bottom, top) == (low, high)


def test_guards_of_workloads_are_shown_beside_t5s() -> None:
    """And no lane of online selection among them."""
    plan = make_plan("weekly", kernels=("reduce", "auto_t3_controlled"), sizes=(128,), snapshots=3)
    evidence = GuardEvidence(overhead_percent=1.5, false_positive_rate=0.0, disable_events=0, checks=16)
    records = make_records(plan)
    for place, one in enumerate(records):
        if isinstance(one, Measurement) and one.case.kernel == "reduce":
            records[place] = one.model_copy(update={"guard": evidence})
    page = shown(plan, records)
    assert [each.name for each in page.guarded] == ["pocl reduce:128"]
    assert [one.percent for one in page.guarded[0].overheads] == [1.5] * 3
    assert page.guarded[0].limit is None
    assert [each.name for each in page.selected] == ["pocl auto_t3_controlled:128"]


@pytest.mark.parametrize(("size", "limit"), [(128, None), (2048, 3.0)])
def test_a_line_stands_where_the_policy_bounds_the_guard(size: int, limit: float | None) -> None:
    """From its size on, and nowhere else: a point above a line that nobody asked for would look like a failure."""
    plan = make_plan("weekly", kernels=("auto_t5_guarded",), sizes=(size,), snapshots=3)
    guarded = shown(plan, make_records(plan)).guarded
    assert [each.limit for each in guarded] == [limit]
    with drawing():
        made = overhead_picture(guarded)
    assert made is not None
    assert ("at most 3 %" in made.svg) == (limit is not None)
    assert ("Nothing bounds" in made.caption) == (limit is None)
