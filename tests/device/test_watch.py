"""Which launches have their check enqueued right behind them, and that the two ways of checking see the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.guard.coverage import CostRule
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.device.explanation import Caught
from pytest_weekops.device.guard import Check
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.timing import SHORT_NS, Launch
from pytest_weekops.device.watch import Watched
from pytest_weekops.worker.protocol import GuardRequest
from tests.support.benches import Bench


class Counting:
    """A guard without a device, which counts the checks that were enqueued behind a launch."""

    def __init__(self, *, period: int = 1, can_follow: bool = True) -> None:
        self.settings = GuardSettings(period=period)
        self.can_follow = can_follow
        self.followed = 0

    def follow(self, _slot: int) -> None:
        """Count."""
        self.followed += 1


def watch_of(guard: Any) -> Watched:
    """A watch before its first launch."""
    return Watched(guard, Shape(64, 64, 64))


def test_only_a_short_launch_is_followed() -> None:
    """Beside a long one the host's way to the device and back is nothing."""
    guard = Counting()
    assert watch_of(guard).behind(SHORT_NS) is None
    follow = watch_of(guard).behind(SHORT_NS - 1)
    assert follow is not None
    follow()
    assert guard.followed == 1
    assert watch_of(Counting(can_follow=False)).behind(1.0) is None


def test_only_a_launch_that_is_due_is_followed() -> None:
    """The same launches are followed as are checked."""
    watch = watch_of(Counting(period=3))
    due = []
    for _ in range(7):
        due.append(watch.behind(1.0) is not None)
        watch._number += 1
    assert due == [True, False, False, True, False, False, True]


class Costing:
    """A guard whose checks add so many nanoseconds to launches, of which the first ones cost ten times that.

    Reading a verdict back costs twice as much as the check. From one check on a row is bad.
    """

    def __init__(self, check_ns: int, bad_from: int = 1000) -> None:
        self.settings, self.can_follow, self.queue = GuardSettings(), True, self
        self.launcher = self
        self._ns, self._bad_from, self.checks = check_ns, bad_from, 0
        self.is_chained, self.readings, self._begun = False, 0, 0

    def prepare(self, _factors: object, **_facts: object) -> None:
        """New data."""
        self.is_chained = False

    def check(self, _slot: int, *, launch: int = 0) -> Check:
        """One more."""
        self.checks += 1
        bad = 0 if self.is_chained else int(self.checks >= self._bad_from)
        return Check(self._ns * (1 if self.is_chained else 3) * (10 if self.checks < 5 else 1), bad)

    def begin_chain(self) -> None:
        """From the next check on."""
        self.is_chained, self._begun = True, self.checks

    def end_chain(self) -> int:
        """The first bad one of the chain."""
        self.is_chained, self.readings = False, self.readings + 1
        return max(1, self._bad_from - self._begun) if self.checks >= self._bad_from else 0

    def bad_rows(self) -> list[int]:
        """The one."""
        return [3]

    def self_test(self, _slot: int) -> str:
        """Good."""
        return ""

    def residual_share(self, _result: object, _slot: int) -> float:
        """Far from its bound."""
        return 0.1

    def explain(self, _slot: int) -> Caught:
        """A wrong row."""
        return Caught(real=True, text="row 3")

    def enqueue(self) -> list[Any]:
        """Nothing."""
        return []

    read = enqueue
    drawn = None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each launch takes 100 us."""
    monkeypatch.setattr(
        "pytest_weekops.device.watch.time_launch", lambda *_launch: Launch(start_ns=0, wall_ns=100_000, stamps=None)
    )


COST = CostRule(most_percent=3.0, longest_period=10)
NOTHING: Any = type("Data", (), {"inputs": ()})()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("check_ns", "chained", "period"), [(700, 0, 1), (2_000, 1, 1), (6_500, 1, 3), (90_000, 1, 10)]
)
def test_what_a_check_costs_decides_how_many_launches_are_checked(check_ns: int, chained: int, period: int) -> None:
    """Seen on a few launches behind the self-test: first no verdict is read back, then fewer launches are checked."""
    guard: Any = Costing(check_ns)
    watch = Watched(guard, Shape(64, 64, 64), cost=COST, draw=1)
    assert watch.trust(100_000.0) == ""
    tried, due = guard.checks, []
    for number in range(200):
        if watch.behind(100_000.0) is not None:
            due.append(number)
        assert watch.after(100_000) == ""
    assert guard.checks - tried == len(due)
    assert len(due) in (1 + 199 // period, 2 + 199 // period) or period == 1
    assert period in (1, 10) or len({number % period for number in due}) > 1, "not in step"
    evidence = watch.evidence()
    assert evidence is not None
    assert (evidence.period, evidence.checks) == (period, len(due))
    assert evidence.tried_percent == (check_ns / 1000 if chained else None)
    assert (evidence.chained, guard.is_chained) == (bool(chained), bool(chained))
    assert evidence.checked_launches == tuple(number + 1 for number in due)
    assert (watch.settle(are_right=True), guard.readings) == ("", 2 * chained), "the tries' and the session's"
    watch.begin(NOTHING, seed=5, session=2)
    assert watch.trust(100_000.0) == "", "the next session"
    assert guard.checks - tried == len(due) + 1, "is not tried again"
    assert guard.is_chained == bool(chained)


@pytest.mark.usefixtures("quick")
def test_no_launch_is_tried_where_nothing_may_be_saved() -> None:
    """Without a rule, and where launches are long."""
    for watch, usual_ns in (
        (Watched(guard := Costing(90_000), Shape(64, 64, 64)), 1e5),  # type: ignore[arg-type]
        (Watched(other := Costing(90_000), Shape(64, 64, 64), cost=COST), SHORT_NS),  # type: ignore[arg-type]
    ):
        assert watch.trust(usual_ns) == ""
    assert (guard.checks, other.checks) == (1, 1)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("bad_from", "what"),
    [(4, "row 3"), (20, "from try 7 on, the sums of 1 rows (3) are not what the inputs make them")],
)
def test_a_wrong_launch_among_those_that_are_tried_is_caught(bad_from: int, what: str) -> None:
    """As any other one, and in a chain, which knows how many were good, as one that no look vouches for."""
    guard: Any = Costing(90_000, bad_from=bad_from)
    watch = Watched(guard, Shape(64, 64, 64), cost=COST)
    assert watch.trust(100_000.0) == f"the guard caught a launch that was to tell a check's cost: {what}"
    evidence = watch.evidence()
    assert evidence is not None
    assert evidence.detections == (what,)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("are_right", "alarms"), [(False, 0), (True, 3)])
def test_a_chain_names_the_first_launch_that_was_wrong(*, are_right: bool, alarms: int) -> None:
    """Each check from there on proved nothing: all are detections, or false alarms where every bit is known."""
    guard: Any = Costing(2_000, bad_from=1 + 24 + 8)  # the warm-up's launch, the tries, seven good launches
    watch = Watched(guard, Shape(64, 64, 64), cost=COST)
    assert watch.trust(100_000.0) == ""
    assert [watch.after(100_000) for _ in range(10)] == [""] * 10
    text = "from launch 8 on, the sums of 1 rows (3) are not what the inputs make them"
    assert watch.settle(are_right=are_right) == ("" if are_right else f"the guard found that {text}")
    evidence = watch.evidence()
    assert evidence is not None
    assert (evidence.false_alarms, evidence.detections) == (alarms, () if are_right else (text,) * 3)


# Of the second shape the check takes as long as the launch, so that it is still running when that is done.
SHAPES = [("pocl", (64, 64, 64)), ("pocl", (2000, 800, 32)), ("rusticl", (64, 64, 64)), ("clover", (64, 64, 64))]


@pytest.mark.parametrize(("platform", "shape"), SHAPES)
def test_checks_behind_their_launches_are_all_answered(
    benches: Callable[[str], Bench], platform: str, shape: tuple[int, int, int]
) -> None:
    """Two hundred short launches in a row: each check has its own answer, none is late, none is another's."""
    answer = benches(platform).measure("auto_t5_guarded", shape, iterations=200, guard=GuardRequest())
    assert answer.status is MeasurementStatus.OK, answer.reason
    assert min(answer.sessions[0].wall_ns) < SHORT_NS  # on a busy machine the usual one is longer, and checked at once
    assert answer.guard is not None
    assert (answer.guard.checks, answer.guard.false_alarms, answer.guard.chained) == (200, 0, False)


@pytest.mark.parametrize(("platform", "shape"), SHAPES)
def test_a_chain_on_a_device_holds_through_its_sessions(
    benches: Callable[[str], Bench], platform: str, shape: tuple[int, int, int]
) -> None:
    """Where no cost is small enough, one launch in three is checked, and read back once a session: all good."""
    for _attempt in range(3):  # other programs may make those launches long that are tried, and long ones have no chain
        answer = benches(platform).measure(
            "auto_t5_guarded",
            shape,
            iterations=100,
            sessions=2,
            warmups=9,  # the first launches take longer than those that are tried
            guard=GuardRequest(),
            guard_cost=CostRule(most_percent=1e-9, longest_period=3),
        )
        assert answer.status is MeasurementStatus.OK, answer.reason
        if answer.guard is not None and answer.guard.chained:
            break
    assert answer.guard is not None
    assert (answer.guard.chained, answer.guard.period, answer.guard.self_tests) == (True, 3, 2)
    assert (answer.guard.checks in (67, 68), answer.guard.false_alarms) == (True, 0)
