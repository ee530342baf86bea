"""Which pairs two variants are compared by: calm ones, as long as there is hope of any."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.core.selection.online import Choice
from pytest_weekops.device import duel, online
from pytest_weekops.device.run_delay import Scheduled
from pytest_weekops.device.timing import Launch

MS = 1_000_000
Costs = Callable[[str, float], tuple[float, float]]  # wall time and run delay in ms, by variant and seconds gone


class Host:
    """A clock that launches move on, and other programs beside them."""

    def __init__(self, costs: Costs, *, others: bool = True) -> None:
        self.costs, self.others = costs, others
        self.now_s, self.launches = 0.0, 0

    def time_launch(self, _queue: Any, enqueue: Any) -> Launch:
        """What a launch of that variant takes now."""
        wall, delay = self.costs(enqueue, self.now_s)
        self.now_s, self.launches = self.now_s + wall / 1000.0, self.launches + 1
        return Launch(0, int(wall * MS), None, Scheduled(0, int(delay * MS)))

    def compare(self, most_percent: float | None = 5.0) -> tuple[float, ...]:
        """Ratios of "challenger" and "static" on this host."""
        pair: list[Any] = [SimpleNamespace(enqueue=name) for name in ("challenger", "static")]
        return duel.paired_ratios(None, pair[0], pair[1], most_percent)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Host], Host]:
    """Put the duel on a host."""

    def place(host: Host) -> Host:
        monkeypatch.setattr(duel, "time_launch", host.time_launch)
        monkeypatch.setattr("pytest_weekops.device.duel.time.monotonic", lambda: host.now_s)
        meter = SimpleNamespace(percent=lambda: 40.0 if host.others else 1.0)
        monkeypatch.setattr(duel, "LoadMeter", lambda: meter)
        return host

    return place


def faster(variant: str, _now_s: float) -> tuple[float, float]:
    """A challenger that saves a fifth, on a calm host."""
    return (8.0, 0.0) if variant == "challenger" else (10.0, 0.0)


def disturbed_until(end_s: float) -> Costs:
    """Until then other programs take the challenger's CPU, and its launches three times as long."""

    def costs(variant: str, now_s: float) -> tuple[float, float]:
        wall, _delay = faster(variant, now_s)
        return (3.0 * wall, 2.0 * wall) if variant == "challenger" and now_s < end_s else (wall, 0.0)

    return costs


def test_a_calm_host_gives_seven_pairs(on: Callable[[Host], Host]) -> None:
    """Quick launches: an odd number, at most seven."""
    assert on(Host(faster)).compare() == (0.8,) * 7


def test_what_other_programs_take_is_no_ratio(on: Callable[[Host], Host]) -> None:
    """For three seconds the challenger looks slower in every pair; the first calm ones decide."""
    host = on(Host(disturbed_until(3.0)))
    ratios = host.compare()
    assert set(ratios) == {0.8}
    assert len(ratios) % 2
    assert host.now_s > 3.0
    assert max(on(Host(disturbed_until(0.4))).compare(None)) == 2.4  # without the limit they would have counted


def test_a_host_that_is_never_calm_gives_none(on: Callable[[Host], Host]) -> None:
    """Patience ends, and nothing is known; two calm pairs are too few."""
    host = on(Host(disturbed_until(1e9)))
    assert host.compare() == ()
    assert duel.PATIENCE_S < host.now_s < duel.PATIENCE_S + 1.0
    late = on(Host(disturbed_until(duel.PATIENCE_S - 0.02)))
    assert late.compare() == ()


def test_a_driver_that_waits_for_itself_is_as_slow_as_it_is(on: Callable[[Host], Host]) -> None:
    """More threads than CPUs and no other program: each pair counts once patience ends."""
    host = on(Host(disturbed_until(1e9), others=False))
    ratios = host.compare()
    assert len(ratios) >= duel.LEAST_PAIRS
    assert set(ratios) == {2.4}


def test_launches_that_nobody_watched_count(on: Callable[[Host], Host], monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without the witness has no calm launches to wait for."""
    host = on(Host(faster))
    monkeypatch.setattr(duel, "time_launch", lambda _queue, name: Launch(0, int(faster(name, 0.0)[0] * MS), None))
    assert host.compare() == (0.8,) * 7


def test_one_pair_is_enough_where_launches_are_long_and_far_apart(on: Callable[[Host], Host]) -> None:
    """A second and four of them."""
    host = on(Host(lambda variant, _now_s: (1000.0 if variant == "challenger" else 4000.0, 0.0)))
    assert host.compare() == (0.25,)
    assert host.launches == 2


@pytest.mark.parametrize(
    ("compared", "falls", "asked"),
    [
        ([(0.9, 0.9, 0.9)], False, 1),
        ([(1.2, 1.3, 1.1), (1.2, 1.1, 1.3)], True, 2),
        ([(1.2, 1.3, 1.1), (0.9, 1.1, 1.3)], False, 2),
        ([(1.2, 1.3, 1.1), ()], False, 2),
        ([(1.2, 1.3, 1.1), (math.nan,)], True, 2),
        ([(math.nan,)], True, 1),
        ([()], False, 1),
    ],
)
def test_a_fallback_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch, compared: list[tuple[float, ...]], *, falls: bool, asked: int
) -> None:
    """What seems slower meets the static arm once more; a wrong result is asked no second time."""
    waits: list[float] = []
    monkeypatch.setattr("pytest_weekops.device.online.time.sleep", waits.append)
    selection = online.Online.__new__(online.Online)
    selection.static, selection.rules, selection.context = "packed", SelectorRules(), "here"
    selection.memory = online.Memory(None, "driver")
    left = list(compared)
    monkeypatch.setattr(selection, "_duel", lambda _name: left.pop(0))
    assert selection.settle(Choice("block", ""), 1.0) is falls
    assert (len(compared) - len(left), len(waits)) == (asked, asked - 1)
    assert selection.memory.state("here").fallbacks == falls
