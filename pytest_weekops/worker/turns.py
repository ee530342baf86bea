"""Two workers that take turns, launch by launch and never at the same time, so that the host meets both alike.

A session goes in blocks of ``ABBA`` or ``BAAB``, drawn; a pair is the i-th turn of each side. It ends when as many
pairs were calm as the plan asks for, or after three times as many; while none is calm it pauses. Which block is the
last is known behind it: one that was disturbed ends nothing. Where one side cannot go on, the other finishes by itself.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field

from pytest_weekops.core.measurement.calm import is_enough
from pytest_weekops.core.measurement.patience import Patience
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus
from pytest_weekops.worker.load import Neighbours
from pytest_weekops.worker.protocol import MeasureRequest, Ready, Turned, TurnRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

TURN_NS = 2e6  # a turn fills this at least: a shorter one would be lost beside the way from process to process
MOST_LAUNCHES_A_TURN = 64
_MOST_BEGINNINGS = 3
_BLOCKS = ("ABBA", "BAAB")


@dataclass
class Side:
    """One side of a comparison: its worker, its case, and what it was asked for (``in_turns``).

    Without ``retry`` a crash is not tried a second time.
    """

    supervisor: PlatformSupervisor
    case: Case
    request: MeasureRequest
    retry: bool = True
    state: Measurement | Ready | Turned | None = None

    def begin(self) -> None:
        """Ask for the measurement; upload and warm-up follow."""
        self.state = self.supervisor.begin(self.case, self.request)

    def turn(self, launches: int, *, last: bool) -> None:
        """The next turn."""
        self.state = self.supervisor.turn(self.case, self.request, TurnRequest(launches=launches, last=last))

    @property
    def is_over(self) -> bool:
        """Whether it has answered with a measurement, good or bad."""
        return isinstance(self.state, Measurement)

    def finish_alone(self) -> None:
        """Take all turns that are left, without a partner."""
        while not self.is_over:
            launches = self.state.planned if isinstance(self.state, Ready) else 1
            self.turn(launches, last=True)

    def settled(self) -> Measurement:
        """The measurement, after a crash that of a second try where there is one."""
        assert isinstance(self.state, Measurement)
        return self.supervisor.settle(self.case, self.request, self.state, retry=self.retry)


@dataclass
class Comparison:
    """What came of a comparison: both measurements, the order of turns per session, and why it broke off, if it did."""

    first: Measurement
    second: Measurement
    order: tuple[str, ...] = ()
    launches: int = 1
    broken_off: str = ""
    waited_s: float = 0.0


@dataclass
class TurnTaker:
    """Compares two sides. ``max_delay`` is the policy's limit on run delay in percent, None where nobody asks.

    A turn fills ``turn_ns`` at least. All sessions together wait ``max_wait_s`` at most while other programs run.
    """

    sides: tuple[Side, Side]
    draw: random.Random
    max_delay: float | None
    turn_ns: float = TURN_NS
    max_wait_s: float = 0.0
    waited_s: float = 0.0
    _order: list[str] = field(default_factory=list)
    _launches: int = 1

    def compare(self) -> Comparison:
        """Measure both sides in turns, to the end of each."""
        broken_off = self._all_sessions()
        for side in self.sides:
            side.finish_alone()
        first, second = (side.settled() for side in self.sides)
        return Comparison(first, second, tuple(self._order), self._launches, broken_off, self.waited_s)

    def _all_sessions(self) -> str:
        """All sessions of both sides; why there are no pairs, or nothing."""
        for _beginning in range(_MOST_BEGINNINGS):
            self._order.clear()
            for side in self.draw.sample(self.sides, 2):
                if not isinstance(side.state, Ready):
                    side.begin()
            while all(isinstance(side.state, Ready) for side in self.sides):
                if problem := self._session():
                    return problem
            problem = next(filter(None, map(_failure, self.sides)), "")
            if problem or all(side.is_over for side in self.sides):
                return problem
            # One of them begins anew (T3 fell back to its static variant): so does the other.
        return "one side began again and again"

    def _session(self) -> str:
        """One session in turns; why it broke off, or nothing."""
        ready = [side.state for side in self.sides if isinstance(side.state, Ready)]
        if not self._order:
            self._launches = turn_launches([state.usual_ns for state in ready], self.turn_ns)
        wanted = pairs_wanted(
            [state.planned for state in ready], self._launches, max(side.request.iterations for side in self.sides)
        )
        patience, order = Patience(wanted, max(0.0, self.max_wait_s - self.waited_s)), ""
        neighbours = Neighbours(self.max_delay)
        while True:
            if pause_s := patience.pause_s:
                time.sleep(pause_s)
                patience.paused(pause_s)
                if neighbours.waits_for_itself():
                    patience.give_up()
            began = time.monotonic()
            block = self.draw.choice(_BLOCKS)
            order += block
            turns = self._block(block)
            pairs = zip(turns["A"], turns["B"], strict=False)
            patience.note(
                [self._is_calm(one) and self._is_calm(other) for one, other in pairs], time.monotonic() - began
            )
            if broken := next(filter(None, map(self._stopped, self.sides)), ""):
                self._order.append(order)
                return broken
            if patience.is_over:
                self._order.append(order)
                self.waited_s += patience.waited_s
                for side in self.sides:
                    side.turn(0, last=True)
                return ""

    def _block(self, block: str) -> dict[str, list[Turned]]:
        found: dict[str, list[Turned]] = {"A": [], "B": []}
        for letter in block:
            side = self.sides[letter == "B"]
            if side.is_over:  # it went down in its turn before
                continue
            side.turn(self._launches, last=False)
            if isinstance(side.state, Turned):
                found[letter].append(side.state)
        return found

    def _is_calm(self, turn: Turned) -> bool:
        delay_ns = None if turn.delay_ns is None else sum(turn.delay_ns)
        return is_enough(sum(turn.wall_ns), delay_ns, self.max_delay)

    @staticmethod
    def _stopped(side: Side) -> str:
        if isinstance(side.state, Turned):
            return f"{side.case.platform}: {side.state.problem}" if side.state.problem else ""
        return _failure(side) or f"{side.case.platform} ended before its last turn"


def _failure(side: Side) -> str:
    state = side.state
    if isinstance(state, Measurement) and state.status is not MeasurementStatus.OK:
        return f"{side.case.platform}: {state.status.value}"
    return ""


def turn_launches(usual_ns: list[float], turn_ns: float = TURN_NS) -> int:
    """Launches to a turn: the fewest of the faster side's that fill ``turn_ns``."""
    fastest = min((usual for usual in usual_ns if usual > 0), default=turn_ns)
    return max(1, min(math.ceil(turn_ns / fastest), MOST_LAUNCHES_A_TURN))


def pairs_wanted(planned: list[int], launches: int, least: int) -> int:
    """Pairs that fill a session, ``least`` of them at any rate: an even number, since a block has two."""
    pairs = max(math.ceil(max(planned) / launches), least)
    return pairs + pairs % 2
