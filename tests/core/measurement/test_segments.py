"""Segments: which measurement belongs to which, pairs that were torn apart, and names of runs that went on."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.measurement.run_names import earlier_parts, next_part
from pytest_weekops.core.measurement.segments import segment_at, without_halves
from tests.support.stored import opened
from tests.support.synthetic import make_plan, make_records


def test_a_measurement_belongs_to_the_last_segment_that_had_begun() -> None:
    """By its order; before any, and where none is known, to the first."""
    segments = (opened("a"), opened("a-r2", first_order=5), opened("a-r3", first_order=5))
    assert [segment_at(segments, order) for order in (0, 1, 4, 5, 9)] == [0, 0, 0, 2, 2]
    assert segment_at((), 3) == 0


@pytest.mark.parametrize("run_id", ["weekly-20261128T142541Z-17ee", "mine-r-r0"])
def test_each_part_is_named_after_the_one_before(run_id: str) -> None:
    """Names lead to every earlier part, and those of a run in one go to none."""
    second = next_part(run_id)
    third = next_part(second)
    assert (second, third) == (f"{run_id}-r2", f"{run_id}-r3")
    assert earlier_parts(third) == (run_id, second)
    assert earlier_parts(second) == (run_id,)
    assert earlier_parts(run_id) == ()


def test_half_of_a_pair_goes_and_everything_else_stays() -> None:
    """Whichever of the two is missing, the other does not count; whole pairs and other records do."""
    records = make_records(make_plan("split", in_turns=True, snapshots=2, sizes=(128,)))
    places = [place for place, record in enumerate(records) if isinstance(record, Measurement)]
    assert without_halves(records) == records
    for lost in places[:2]:
        torn = records[:lost] + records[lost + 1 :]
        assert without_halves(torn) == [r for place, r in enumerate(records) if place not in places[:2]]
