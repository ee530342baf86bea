"""Levels of a history: numbers in units of their own noise, and what stands beside a change."""

from __future__ import annotations

import math
import statistics

import pytest

from pytest_weekops.core.week.history import Series, history
from pytest_weekops.core.week.levels import Shift, deviations, in_noise, measured, penalty, shifts, steps
from pytest_weekops.core.week.pins import Pin
from tests.core.week.test_history import ran

NO_PINS: tuple[Pin, ...] = ()
NUMBERS = (30.0, 30.1, 30.0, 30.2, 24.0, 24.1, 24.0)


def series(*, driver_from: int = 4, gap: int | None = None) -> Series:
    """A run for each of the numbers, with another driver from one on; a run in the gap has no number."""
    runs = []
    for place, number in enumerate(NUMBERS):
        row = {"status": "no_data"} if place == gap else {"mean_gflops": number}
        runs.append(ran(f"run-{place}", row, drivers={"pocl": "2" if place >= driver_from else "1"}))
    (found,) = history(runs, NO_PINS)
    return found


@pytest.mark.parametrize("jump", [1.0, 100.0])
def test_numbers_stand_in_units_of_their_noise(jump: float) -> None:
    """Whatever a single jump is: the median step does not see it."""
    rng = statistics.NormalDist(0.0, 0.05).samples(400, seed=3)
    numbers = [math.exp(log) * (jump if place >= 200 else 1.0) for place, log in enumerate(rng)]
    assert statistics.stdev(in_noise(numbers)[:200]) == pytest.approx(1.0, rel=0.15)


def test_deviations_are_those_from_the_median() -> None:
    """For every beginning of the numbers, odd and even, as from scratch."""
    numbers = [3.0, -1.0, 4.0, 1.0, 5.0, 9.0, -2.0, 6.0, 5.0]
    for count, found in enumerate(deviations(numbers), start=1):
        middle = statistics.median(numbers[:count])
        assert found == pytest.approx(sum(abs(each - middle) for each in numbers[:count]))


def test_nothing_is_quieter_than_half_a_percent() -> None:
    """Or the last digit of a recorded number would be a change."""
    found = in_noise([30.0, 30.0, 30.3, 30.3])
    assert found[2] - found[1] == pytest.approx(math.log(1.01) / 0.005)
    with pytest.raises(ValueError, match="there are 1"):
        in_noise([30.0])
    assert penalty(10) < penalty(100)


def test_a_shift_names_what_changed_around_it() -> None:
    """A run away as well, a run without a number between as well, and nothing further off."""
    (shift,) = shifts(steps(series()), [4])
    assert isinstance(shift, Shift)
    assert (shift.run_id, round(shift.percent, 1)) == ("run-4", -20.1)
    assert [(run_id, change.kind) for run_id, change in shift.beside] == [("run-4", "driver")]
    for driver_from, gap, beside in ((3, None, 1), (5, None, 1), (2, None, 0), (6, None, 0), (3, 3, 1)):
        found = series(driver_from=driver_from, gap=gap)
        at = [point.run.run_id for point in measured(found)].index("run-4")
        assert len(shifts(steps(found), [at])[0].beside) == beside, (driver_from, gap)


def test_every_level_is_held_against_the_one_before() -> None:
    """One without a change has none; each is held against the level before it."""
    assert shifts(steps(series()), []) == ()
    found = shifts(steps(series()), [4, 6])
    assert [round(shift.percent, 1) for shift in found] == [-20.0, -0.2]
