"""The guard through one measurement: which launches are checked, what it cost, and what it found."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Protocol

from pytest_weekops.core.guard.coverage import CostRule, is_drawn, period_for
from pytest_weekops.core.guard.evidence import GuardTally
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.lane_records import GuardEvidence
from pytest_weekops.device.chain import named
from pytest_weekops.device.guard import Guard
from pytest_weekops.device.invariant import Draw, Guarded
from pytest_weekops.device.invariant_guard import InvariantGuard
from pytest_weekops.device.looks import Data
from pytest_weekops.device.operation import Shape
from pytest_weekops.device.timing import SHORT_NS, time_launch

_TRIES = 12  # launches that tell what a check adds to one
_TRIAL = "a launch that was to tell a check's cost"


class Watch(Protocol):
    """What a session asks around its launches."""

    def begin(self, data: Data, *, seed: int, session: int) -> None:
        """New data are on the device."""

    def trust(self, usual_ns: float) -> str:
        """Before timing, launches taking about ``usual_ns``: a sentence where the guard cannot be trusted."""

    def before(self, slot: int) -> None:
        """A launch on inputs ``slot`` comes next."""

    def behind(self, usual_ns: float) -> Callable[[], None] | None:
        """What to enqueue right behind the timed launch that comes next, of about ``usual_ns``; None: nothing."""

    def after(self, launch_ns: int) -> str:
        """A timed launch is done: a sentence where its result is wrong."""

    def settle(self, *, are_right: bool) -> str:
        """The session's last launch is done: a sentence where a result was wrong.

        ``are_right``: every launch left the bits of a result that was compared with the reference and found right.
        """

    def evidence(self) -> GuardEvidence | None:
        """What the guard saw."""


class Unwatched:
    """No guard: nothing is checked between launches."""

    def begin(self, data: Data, *, seed: int, session: int) -> None:
        """Nothing to prepare."""

    def trust(self, usual_ns: float) -> str:  # noqa: ARG002 - the common signature
        """Nothing to trust."""
        return ""

    def before(self, slot: int) -> None:
        """Nothing looks."""

    def behind(self, usual_ns: float) -> None:
        """Nothing follows."""

    def after(self, launch_ns: int) -> str:  # noqa: ARG002 - the common signature
        """Not checked."""
        return ""

    def settle(self, *, are_right: bool) -> str:  # noqa: ARG002 - the common signature
        """Nothing was checked."""
        return ""

    def evidence(self) -> GuardEvidence | None:
        """None: missing is not zero."""
        return None


class Watched:
    """Every ``period``-th launch is checked, counted across sessions, against the sums of the inputs that it took.

    With a rule of ``cost`` and short launches, the first session's warm-up ends with a few launches that tell what a
    check adds to one. Where that is more than the rule allows, verdicts stay on the device until a session's end; where
    checks without reading back are still too much, one launch in so many is checked, drawn at random.
    """

    def __init__(self, guard: Guard, shape: Shape, *, cost: CostRule | None = None, draw: int = 0) -> None:
        self._guard, self._cost, self._draw = guard, cost, draw
        self._period = guard.settings.period
        self._is_drawn = self._chains = False
        self._seed = 0
        self._tally = GuardTally(guard.settings, (shape.m, shape.n))
        self._slot = 0
        self._number = 0
        self._before = 0  # checks of the sessions before this one

    def begin(self, data: Data, *, seed: int, session: int) -> None:
        """Work out the sums of both sets of inputs."""
        self._guard.prepare([(inputs["A"], inputs["B"]) for inputs in data.inputs], seed=seed, session=session)
        self._seed = seed

    def trust(self, usual_ns: float) -> str:
        """Test the guard on the result of the warm-up's last launch, before it is believed."""
        if self._guard.check(self._slot).bad:
            caught = self._guard.explain(self._slot)
            self._tally.tested("" if caught.real else f"a good launch was called bad: {caught.text}", 0.0)
            self._tally.alarmed(real=caught.real, text=caught.text)
            return f"the guard caught the warm-up's last launch: {caught.text}"
        problem = self._guard.self_test(self._slot)
        self._tally.tested(problem, self._guard.residual_share(self._guard.launcher.read(), self._slot))
        if problem:
            return f"the guard's self-test failed: {problem}"
        if self._cost and not self._number and self._follows(usual_ns) and (wrong := self._try_cost(self._cost)):
            return wrong
        self._before = len(self._tally.numbers)
        if self._chains:
            self._guard.begin_chain()
        return ""

    def _try_cost(self, rule: CostRule) -> str:
        """See what a check adds to a launch, and settle how launches are checked; a sentence for a bad one.

        First with each verdict read back, and where that is too much, with verdicts in a chain.
        """
        asked = self._period
        cost, wrong = self._cost_of_a_check()
        if wrong or period_for(rule, cost, asked) == asked:
            return wrong
        self._guard.begin_chain()
        cost, _nothing = self._cost_of_a_check()
        if bad := self._guard.end_chain():
            text = f"from try {bad} on, {self._bad_rows()}"
            self._tally.alarmed(real=True, text=text)
            return f"the guard caught {_TRIAL}: {text}"
        self._chains, self._period = True, period_for(rule, cost, asked)
        self._is_drawn = self._period > asked
        self._tally.tried(cost, self._period)
        return ""

    def _cost_of_a_check(self) -> tuple[float, str]:
        """What one adds to a launch, in percent of it; and a sentence where it found a bad row."""
        shares = []
        for _ in range(_TRIES):
            launch = time_launch(self._guard.queue, self._guard.launcher.enqueue, self._follow)
            found = self._guard.check(self._slot)
            if found.bad:
                return math.nan, self._explained(_TRIAL)
            shares.append(100.0 * found.ns / launch.wall_ns)
        return statistics.median(shares[_TRIES // 3 :]), ""  # the first ones take longer

    def _bad_rows(self) -> str:
        """The rows of a broken chain, for people."""
        bad = self._guard.bad_rows()
        return f"the sums of {len(bad)} rows ({named(bad)}) are not what the inputs make them"

    def before(self, slot: int) -> None:
        """Check against these sums."""
        self._slot = slot

    def behind(self, usual_ns: float) -> Callable[[], None] | None:
        """The check, where launches are so short that the host's way to the device and back would cost more than it."""
        return self._follow if self._is_due and self._follows(usual_ns) else None

    def _follows(self, usual_ns: float) -> bool:
        return usual_ns < SHORT_NS and self._guard.can_follow

    def _follow(self) -> None:
        self._guard.follow(self._slot)

    @property
    def _is_due(self) -> bool:
        """Whether the launch that comes next is checked: the first is, so that no short measurement goes without."""
        if self._is_drawn:
            return is_drawn(self._number, self._period, seed=self._seed, draw=self._draw)
        return self._number % self._period == 0

    def after(self, launch_ns: int) -> str:
        """Check the launch where it is due; a false alarm is counted, a wrong result is a sentence."""
        due, self._number = self._is_due, self._number + 1
        if not due:
            return ""
        found = self._guard.check(self._slot, launch=self._number)
        self._tally.checked(launch_ns, found.ns, number=self._number, lines=self._guard.drawn)
        return self._explained(f"launch {self._number}") if found.bad else ""

    def _explained(self, what: str) -> str:
        """What the last check found in a launch: a sentence where its result is wrong, else a false alarm."""
        caught = self._guard.explain(self._slot)
        self._tally.alarmed(real=caught.real, text=caught.text)
        return f"the guard caught {what}: {caught.text}" if caught.real else ""

    def settle(self, *, are_right: bool) -> str:
        """Read a chain's verdicts back; without one everything was said behind its launch.

        A row stays bad from its first bad launch on, and so many alarms are counted.
        """
        if not self._guard.is_chained or not (bad := self._guard.end_chain()):
            return ""
        launches = self._tally.numbers[self._before + bad - 1 :] or [self._number]
        text = f"from launch {launches[0]} on, {self._bad_rows()}"
        for _launch in launches:
            self._tally.alarmed(real=not are_right, text=text)
        return "" if are_right else f"the guard found that {text}"

    def evidence(self) -> GuardEvidence | None:
        """What it saw and what it cost."""
        return self._tally.evidence()


class WatchedInvariant:
    """Every launch of a workload is held to its invariant on the device; what was found is read back once a session."""

    def __init__(self, guard: InvariantGuard, operation: Guarded, shape: Shape) -> None:
        self._guard, self._operation, self._shape = guard, operation, shape
        self._tally = GuardTally(GuardSettings(z=guard.z), (shape.m, shape.n))
        self._slot = 0
        self._number = 0  # of the last check, across sessions
        self._before = 0  # checks of the sessions before this one

    def begin(self, data: Data, *, seed: int, session: int) -> None:
        """Work out what launches on each set of inputs are held to."""
        self._guard.prepare(
            [
                self._operation.invariant(self._shape, inputs, reference, Draw(seed, session))
                for inputs, reference in zip(data.inputs, data.references, strict=True)
            ]
        )
        self._before = self._number

    def trust(self, usual_ns: float) -> str:  # noqa: ARG002 - the common signature
        """Test the guard on the result of the warm-up's last launch, before it is believed."""
        problem = self._guard.self_test(self._slot)
        self._tally.tested(problem, self._guard.residual_share(self._guard.launcher.read(), self._slot))
        return f"the guard's self-test failed: {problem}" if problem else ""

    def before(self, slot: int) -> None:
        """Hold it to what these inputs give."""
        self._slot = slot

    def behind(self, usual_ns: float) -> None:
        """Nothing: a digest of the result follows in any case, and the check beside it."""

    def after(self, launch_ns: int) -> str:
        """Check the launch. What came of it is told by :meth:`settle`."""
        self._number += 1
        self._tally.checked(launch_ns, self._guard.check(self._slot), number=self._number)
        return ""

    def settle(self, *, are_right: bool) -> str:
        """Read the verdicts back. A row stays bad from its first bad launch on, and so many alarms are counted."""
        if self._number == self._before or not (bad := self._guard.bad()):
            return ""
        first = self._before + self._guard.first_bad
        text = f"from launch {first} on, {self._guard.say(bad)} is not what the inputs make it"
        for _launch in range(first, self._number + 1):
            self._tally.alarmed(real=not are_right, text=text)
        return "" if are_right else f"the guard found that {text}"

    def evidence(self) -> GuardEvidence | None:
        """What it saw and what it cost."""
        return self._tally.evidence()
