"""Change points by ruptures: a lasting change is found where it is, noise and single runs are none."""

from __future__ import annotations

import inspect
import math
import statistics
import sys

import pytest

from pytest_weekops.core.week.history import history
from pytest_weekops.week import change_points
from pytest_weekops.week.change_points import level_starts, look
from tests.core.week.test_history import ran

NOISE = [30.0 * math.exp(log) for log in statistics.NormalDist(0.0, 0.005).samples(24, seed=7)]


def test_only_what_lasts_is_a_change() -> None:
    """Not the noise, not one run that stands out; of few runs nothing is said."""
    pytest.importorskip("ruptures")
    assert level_starts(NOISE) == []
    assert level_starts([each * (0.8 if place == 11 else 1.0) for place, each in enumerate(NOISE)]) == []
    slower = [each * (0.95 if place >= 12 else 1.0) for place, each in enumerate(NOISE)]
    assert level_starts(slower) == [12]
    assert level_starts([30.0] * 3 + [10.0] * 4) == []


def test_segments_cost_what_the_library_says() -> None:
    """The search is given its cost ``l1``, found in another way."""
    costs = pytest.importorskip("ruptures.costs")
    np = pytest.importorskip("numpy")
    signal = np.array(NOISE).reshape(-1, 1)
    ours, theirs = change_points._deviations_cost(costs.CostL1.__base__).fit(signal), costs.CostL1().fit(signal)
    places = [(start, end) for start in range(0, 20, 3) for end in range(start + 3, 25)]
    assert [ours.error(*each) for each in places] == pytest.approx([theirs.error(*each) for each in places])


def test_a_series_is_looked_at_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its numbers alone; None is not the same as none."""
    runs = [ran(f"run-{place}", {"mean_gflops": 30.0 if place < 8 else 20.0}) for place in range(16)]
    (series,) = history([*runs, ran("run-none", {"status": "no_data"})], ())
    (few,) = history(runs[:7], ())
    assert look(few) is None
    monkeypatch.setattr(change_points, "can_look", lambda: False)
    assert look(series) is None
    monkeypatch.undo()
    pytest.importorskip("ruptures")
    (shift,) = look(series) or ()
    assert (shift.run_id, round(shift.percent, 2)) == ("run-8", -33.33)


def test_the_search_alone_is_the_librarys() -> None:
    """Loaded without what it does not need, it is the same, and whoever imports the library has it whole."""
    whole = pytest.importorskip("ruptures")
    base = pytest.importorskip("ruptures.base")
    pelt, cost = change_points._out_of_empty_packages()
    assert sys.modules["ruptures"] is whole
    assert whole.Pelt is sys.modules["ruptures.detection.pelt"].Pelt
    assert [inspect.getsource(each) for each in (pelt, cost)] == [
        inspect.getsource(each) for each in (whole.Pelt, base.BaseCost)
    ]


def test_a_library_of_another_shape_is_imported_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """And finds the same."""
    whole = pytest.importorskip("ruptures")
    slower = [each * (0.95 if place >= 12 else 1.0) for place, each in enumerate(NOISE)]
    monkeypatch.setattr(change_points, "search_alone", change_points.search_alone.__wrapped__)

    def has_moved() -> None:
        raise ImportError("no module named ruptures.detection.pelt")

    monkeypatch.setattr(change_points, "_out_of_empty_packages", has_moved)
    assert change_points.search_alone()[0] is whole.Pelt
    assert level_starts(slower) == [12]
