"""Two workers in turns: who launches when, when it ends, and what stands where one side cannot go on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import cast

import pytest

from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, SessionSamples
from pytest_weekops.worker import load
from pytest_weekops.worker.protocol import MeasureRequest, Ready, Turned, TurnRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from pytest_weekops.worker.turns import Comparison, Side, TurnTaker, pairs_wanted, turn_launches

MS = 1_000_000
REQUEST = MeasureRequest(kernel="auto", m=8, n=8, k=8, seed=1, sessions=2, iterations=8, in_turns=True)


class Driver:
    """A supervisor whose worker takes ``wall_ns`` a launch. ``delay`` is asked with the number of the launch."""

    def __init__(
        self,
        letter: str,
        said: list[str],
        *,
        sessions: int = 2,
        planned: int = 8,
        delay: Callable[[int], int | None] = lambda _number: 0,
        crash_at: int = -1,
        wrong_at: int = -1,
        begins_again: int = 0,
    ) -> None:
        self.letter, self.said, self.sessions, self.planned, self.delay = letter, said, sessions, planned, delay
        self.crash_at, self.wrong_at, self.begins_again = crash_at, wrong_at, begins_again
        self.launched = 0
        self.session = 0
        self.walls: list[list[int]] = []

    def begin(self, case: Case, request: MeasureRequest) -> Measurement | Ready:
        """Ready for the first session."""
        assert request.in_turns
        self.said.append(f"{self.letter} begins")
        self.session, self.walls = 1, [[]]
        return self._ready()

    def _ready(self) -> Ready:
        return Ready(session=self.session, usual_ns=3.0 * MS, planned=self.planned)

    def turn(self, case: Case, request: MeasureRequest, turn: TurnRequest) -> Measurement | Ready | Turned:
        """Launch as asked; crash or be wrong where the test says so."""
        problem = ""
        for _ in range(turn.launches):
            if self.launched == self.crash_at:
                return Measurement(case=case, status=MeasurementStatus.CRASHED, reason="SIGSEGV")
            problem = problem or ("row 3 is wrong" if self.launched == self.wrong_at else "")
            self.launched += 1
            self.walls[-1].append(3 * MS)
        if turn.launches:
            self.said.append(self.letter)
        if not turn.last:
            return Turned(wall_ns=(3 * MS,) * turn.launches, delay_ns=self._delays(turn.launches), problem=problem)
        if 0 <= self.wrong_at < self.launched:
            return Measurement(case=case, status=MeasurementStatus.WRONG, reason="row 3 is wrong")
        if self.session < self.sessions:
            self.session += 1
            self.walls.append([])
            return self._ready()
        if self.begins_again:
            self.begins_again -= 1
            self.session, self.walls = 1, [[]]
            return self._ready()
        return Measurement(case=case, status=MeasurementStatus.OK, sessions=tuple(map(_samples, self.walls)))

    def _delays(self, launches: int) -> tuple[int, ...] | None:
        delays = [self.delay(self.launched - launches + number) for number in range(launches)]
        return None if None in delays else tuple(delay for delay in delays if delay is not None)

    def settle(self, case: Case, request: MeasureRequest, answer: Measurement, *, retry: bool = True) -> Measurement:
        """No second try here."""
        self.said.append(f"{self.letter} {answer.status.value}{'' if retry else ' for good'}")
        return answer


def _samples(walls: list[int]) -> SessionSamples:
    return SessionSamples(session=1, wall_ns=tuple(walls), verified=True, max_abs_error=0.0, k_scaled_error=0.0)


def compared(
    first: Driver, second: Driver, *, seed: int = 1, limit: float | None = 5.0, wait_s: float = 0.0
) -> Comparison:
    """Both drivers in turns."""
    sides = [
        Side(
            cast("PlatformSupervisor", driver),
            Case(platform=driver.letter, kernel="auto", size=8, seed=1, snapshot=1),
            REQUEST,
        )
        for driver in (first, second)
    ]
    return TurnTaker((sides[0], sides[1]), random.Random(seed), limit, max_wait_s=wait_s).compare()


def pair(said: list[str], **second: object) -> tuple[Driver, Driver]:
    """Two drivers that write into one list."""
    return Driver("A", said), Driver("B", said, **second)  # type: ignore[arg-type]


def test_they_take_turns_in_blocks_as_drawn() -> None:
    """Every block is ABBA or BAAB, the order that is told is the order that was, and both kinds occur."""
    said: list[str] = []
    found = compared(*pair(said))
    assert (found.first.status, found.second.status, found.broken_off) == ("ok", "ok", "")
    assert [letter for letter in said if letter in "AB"] == list("".join(found.order))
    blocks = [order[i : i + 4] for order in found.order for i in range(0, len(order), 4)]
    assert set(blocks) == {"ABBA", "BAAB"}
    assert [len(order) for order in found.order] == [16, 16]  # 8 pairs a session
    assert all(len(session.wall_ns) == 8 for m in (found.first, found.second) for session in m.sessions)


def test_the_seed_draws_order_and_who_starts_first() -> None:
    """The same seed gives the same run; other seeds begin with the other side too."""
    runs = []
    for seed in range(12):
        twice: list[list[str]] = []
        for _ in range(2):
            said: list[str] = []
            compared(*pair(said), seed=seed)
            twice.append(said)
        assert twice[0] == twice[1]
        runs.append(twice[0])
    assert {run[0] for run in runs} == {"A begins", "B begins"}
    assert len({tuple(run) for run in runs}) > 2


def test_it_pauses_while_no_pair_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A neighbour of forty launches is waited out, on one budget for both sessions; on a quiet host nobody waits."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(load.LoadMeter, "percent", lambda _self: 50.0)
    busy = lambda number: 2 * MS if number < 40 else 0  # noqa: E731
    found = compared(*pair([], delay=busy), wait_s=20.0)
    assert [len(order) // 2 for order in found.order] == [40 + 8, 8]
    assert slept == pytest.approx(
        [0.1] * 17
    )  # a block of two pairs behind each, from the eighth pair on, and the first calm block
    assert 1.7 <= found.waited_s < 2.0
    slept.clear()
    found = compared(*pair([], delay=lambda _number: 2 * MS), wait_s=1.0)
    assert [len(order) // 2 for order in found.order] == [24 + 2 * 10, 24]
    assert sum(slept) == pytest.approx(1.0, abs=0.05)


def test_a_disturbed_session_goes_on_until_enough_pairs_were_calm() -> None:
    """Every other pair waits for a CPU: about twice as many turns."""
    said: list[str] = []
    busy = lambda number: 2 * MS if number % 2 else 0  # noqa: E731
    found = compared(*pair(said, delay=busy))
    assert all(24 <= len(order) <= 36 for order in found.order), found.order


def test_a_disturbed_last_block_ends_nothing() -> None:
    """Fewer calm pairs than a session's iterations would void it, though there was time for more."""
    found = compared(*pair([], delay=lambda number: 2 * MS if number == 7 else 0))
    assert [len(order) // 2 for order in found.order] == [10, 8]


def test_a_host_that_never_calms_ends_it_at_three_times_the_plan() -> None:
    """What is missing then is for the void rule to say."""
    found = compared(*pair([], delay=lambda _number: 2 * MS))
    assert [len(order) for order in found.order] == [48, 48]


@pytest.mark.parametrize("limit", [None, 5.0])
def test_without_a_witness_it_does_not_wait_for_one(limit: float | None) -> None:
    """A host that tells nothing gets the planned pairs."""
    found = compared(*pair([], delay=lambda _number: None), limit=limit)
    assert [len(order) for order in found.order] == [16, 16]


def test_where_one_side_crashes_the_other_finishes_by_itself() -> None:
    """A crash is the driver's own: the partner's sessions are whole, and nothing is called a pair."""
    said: list[str] = []
    found = compared(*pair(said, crash_at=5))
    assert (found.first.status, found.second.status) == ("ok", "crashed")
    assert found.broken_off == "B: crashed"
    assert [len(session.wall_ns) for session in found.first.sessions][1] >= 8
    assert len(found.first.sessions) == 2


def test_a_crash_that_is_expected_is_not_tried_again() -> None:
    """Whoever knows it says so of that side alone."""
    said: list[str] = []
    first, second = pair(said, crash_at=5)
    case = Case(platform="A", kernel="auto", size=8, seed=1, snapshot=1)
    sides = (
        Side(cast("PlatformSupervisor", first), case, REQUEST),
        Side(cast("PlatformSupervisor", second), case, REQUEST, retry=False),
    )
    TurnTaker(sides, random.Random(1), 5.0).compare()
    assert said[-2:] == ["A ok", "B crashed for good"]


def test_a_wrong_result_breaks_it_off() -> None:
    """The guard caught a launch: that side ends as wrong, the other is measured to its end."""
    found = compared(*pair([], wrong_at=3))
    assert (found.first.status, found.second.status) == ("ok", "wrong")
    assert found.broken_off == "B: row 3 is wrong"


def test_a_side_that_begins_anew_takes_the_other_along() -> None:
    """T3 fell back to its static variant and is measured again: its pairs are made anew, too."""
    said: list[str] = []
    found = compared(*pair(said, begins_again=1))
    assert (found.first.status, found.second.status, found.broken_off) == ("ok", "ok", "")
    assert said.count("A begins") == 2
    assert [len(order) for order in found.order] == [16, 16]


def test_a_side_that_never_ends_is_given_up() -> None:
    """Three beginnings, then there are no pairs, and the run goes on."""
    found = compared(*pair([], begins_again=9))
    assert found.broken_off == "one side began again and again"
    assert (found.first.status, found.second.status) == ("ok", "ok")


def test_a_turn_fills_two_milliseconds() -> None:
    """The faster side decides; a launch that takes longer is a turn by itself, and there is an end to short ones."""
    assert turn_launches([3.0 * MS, 50.0 * MS]) == 1
    assert turn_launches([0.5 * MS, 3.0 * MS]) == 4
    assert turn_launches([0.001 * MS]) == 64
    assert turn_launches([3.0 * MS], 25.0 * MS) == 9
    assert turn_launches([0.0, 0.0]) == 1


def test_pairs_are_even_in_number() -> None:
    """A block has two."""
    assert [pairs_wanted([8, 3], 1, 8), pairs_wanted([9], 1, 8), pairs_wanted([200], 4, 8)] == [8, 10, 50]


def test_short_launches_leave_no_fewer_pairs_than_a_session_needs() -> None:
    """200 launches of 0.05 ms are five turns: below ``--iterations`` pairs every comparison would be void."""
    assert pairs_wanted([200], 40, 8) == 8
