"""A staged promotion: every host once, none forgotten, none left half switched, wherever it was interrupted."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.promotion import Step, hosts_so_far, next_actions, progress, stage_hosts
from pytest_weekops.core.fleet.stages import Action, Do, Event, Happened, Phase
from tests.support.examples import examples
from tests.support.fleets import make_fleet

STAGES = ({"hosts": 1, "soak_s": 600}, {"hosts": "50 %"}, {"hosts": "all", "soak_s": 60})
SWITCH = {"report_dir": "/srv/{host}", "candidate": "pocl", "baseline": "clover"}
FLEET = make_fleet(6, stages={"x": STAGES}, switches={"x": SWITCH})
ENDS = ("gate_ended", "switch_failed", "switch_unsure")
AT = "2026-11-28T00:00:00+00:00"


def event(happened: str, host: str = "", stage: int = 0, **changes: Any) -> Event:
    """One event of label x."""
    at = AT if happened == "soak_begun" else ""
    return Event(**{"happened": happened, "label": "x", "stage": stage, "host": host, "at": at, **changes})


def todo(events: Sequence[Event], fleet: FleetFile = FLEET) -> list[tuple[str, str]]:
    """What comes next, as words and hosts."""
    return [(action.do, action.host) for action in next_actions(fleet, events)]


@dataclass
class World:
    """Hosts that really have drivers and really run gates, and a coordinator that can be killed in front of any line.

    ``budget`` is how many lines and deeds it still lives for. What was begun and not written down has happened here or
    has not, as ``drawn`` has it.
    """

    drawn: random.Random
    promotes: bool = True
    breaks: bool = False
    events: list[Event] = field(default_factory=list)
    gates: Counter[str] = field(default_factory=Counter)
    candidate: dict[str, bool] = field(default_factory=dict)
    budget: int = 10**6

    def lives(self) -> None:
        """Raises where the coordinator is killed here."""
        self.budget -= 1
        if self.budget < 0:
            raise KeyboardInterrupt

    def write(self, action: Action, happened: Happened) -> None:
        """One whole line, or none."""
        self.lives()
        self.events.append(event(happened, action.host, action.stage))

    def do(self, action: Action) -> None:
        """One action, line, deed, line."""
        match action.do:
            case Do.SWITCH:
                self.write(action, Happened.SWITCH_BEGUN)
                self.lives()
                self.candidate[action.host] = not (self.breaks and self.drawn.random() < 0.3)
                self.recheck_switch(action)
            case Do.RECHECK_SWITCH:
                self.recheck_switch(action)
            case Do.SOAK:
                if not action.since:
                    self.write(action, Happened.SOAK_BEGUN)
                self.write(action, Happened.SOAKED)
            case Do.GATE:
                self.write(action, Happened.GATE_BEGUN)
                self.lives()
                self.gates[action.host] += 1
                self.write(action, Happened.GATE_ENDED)
            case Do.RECHECK_GATE:
                self.write(action, Happened.GATE_ENDED)
            case Do.JUDGE:
                stuck = progress(FLEET, self.events)["x"].is_stuck
                good = (self.promotes or action.stage == 0) and not stuck
                self.write(action, Happened.STAGE_PROMOTED if good else Happened.STAGE_FAILED)
            case Do.ROLL_BACK:
                self.write(action, Happened.ROLLBACK_BEGUN)
                self.recheck_rollback(action)
            case Do.RECHECK_ROLLBACK:
                self.recheck_rollback(action)

    def recheck_switch(self, action: Action) -> None:
        """Which driver the host has."""
        has = self.candidate.get(action.host, False)
        if self.breaks and self.drawn.random() < 0.2:
            self.write(action, Happened.SWITCH_UNSURE)
        else:
            self.write(action, Happened.SWITCHED if has else Happened.SWITCH_FAILED)

    def recheck_rollback(self, action: Action) -> None:
        """Finish what was begun."""
        self.lives()
        self.candidate[action.host] = False
        stuck = self.breaks and self.drawn.random() < 0.3
        self.write(action, Happened.ROLLBACK_FAILED if stuck else Happened.ROLLED_BACK)

    def run(self, fleet: FleetFile) -> None:
        """Until nothing is left to do, or until it is killed."""
        while actions := next_actions(fleet, self.events):
            rechecks = [action for action in actions if action.do.startswith("recheck")]
            self.do(self.drawn.choice(rechecks or actions))


def assert_whole(world: World, fleet: FleetFile = FLEET) -> None:
    """Nothing ran twice, nothing is forgotten, nothing is half switched."""
    label = progress(fleet, world.events)["x"]
    assert label.step in (Step.PROMOTED, Step.FAILED)
    assert all(count == 1 for count in world.gates.values())
    if label.step is Step.PROMOTED:
        assert set(label.phases.values()) <= {Phase.MEASURED, Phase.KEPT, Phase.ROLLED_BACK}
        assert all(world.candidate.get(h, False) == (phase is Phase.MEASURED) for h, phase in label.phases.items())
    else:
        assert set(label.phases.values()) <= {Phase.ROLLED_BACK, Phase.STUCK, Phase.KEPT, Phase.WAITING}
        assert not any(world.candidate.values())
    ended = {each.host for each in world.events if each.happened in ENDS}
    assert ended == set(hosts_so_far(fleet, "x", min(label.stage, 2)))


@settings(max_examples=examples(5), deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_a_promotion_can_be_cut_at_every_line_and_deed(seed: int, promotes: bool, breaks: bool) -> None:
    """Killed once at each moment that there is, it comes to the same kind of end."""
    whole = World(random.Random(seed), promotes, breaks)
    whole.run(FLEET)
    assert_whole(whole)
    for budget in range(len(whole.events) + 2 * 6):
        world = World(random.Random(seed), promotes, breaks, budget=budget)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the second line is for those that lived
            world.run(FLEET)
            raise KeyboardInterrupt
        world.budget = 10**6
        world.run(FLEET)
        assert_whole(world)


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 25), max_size=6), st.booleans())
def test_a_promotion_can_be_cut_again_and_again(seed: int, budgets: list[int], promotes: bool) -> None:
    """However often the coordinator is killed."""
    world = World(random.Random(seed), promotes)
    for budget in budgets:
        world.budget = budget
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the second line is for those that lived
            world.run(FLEET)
            raise KeyboardInterrupt
    world.budget = 10**6
    world.run(FLEET)
    assert_whole(world)


def test_a_stage_goes_from_switch_to_soak_to_gate_to_judgement() -> None:
    """And the next stage adds the hosts that it has more."""
    events: list[Event] = []
    for words, happened, host in (
        ([("switch", "a-1")], "switch_begun", "a-1"),
        ([("recheck_switch", "a-1")], "switched", "a-1"),
        ([("soak", "")], "soak_begun", ""),
        ([("soak", "")], "soaked", ""),
        ([("gate", "a-1")], "gate_begun", "a-1"),
        ([("recheck_gate", "a-1")], "gate_ended", "a-1"),
        ([("judge", "")], "stage_promoted", ""),
    ):
        assert todo(events) == words
        events.append(event(happened, host))
    assert todo(events) == [("switch", "a-2"), ("switch", "a-3")]
    assert (stage_hosts(FLEET, "x", 1), hosts_so_far(FLEET, "x", 1)) == (("a-2", "a-3"), ("a-1", "a-2", "a-3"))


def test_a_soak_that_was_begun_goes_on_from_then() -> None:
    """The time that passed while nobody was there counts."""
    events = [event("switch_begun", "a-1"), event("switched", "a-1")]
    assert next_actions(FLEET, events) == (Action(Do.SOAK, "x", 0, "", 600.0, ""),)
    assert next_actions(FLEET, [*events, event("soak_begun")]) == (Action(Do.SOAK, "x", 0, "", 600.0, AT),)


def test_a_failed_stage_stops_and_says_who_is_to_be_rolled_back() -> None:
    """Those of earlier stages too; hosts that nobody touched stay as they are."""
    world = World(random.Random(1), promotes=False)
    world.run(FLEET)
    failed = next(at for at, each in enumerate(world.events) if each.happened == "stage_failed")
    label = progress(FLEET, world.events[: failed + 1])["x"]
    assert (label.step, label.holding) == (Step.ROLL_BACK, ("a-1", "a-2", "a-3"))
    assert todo(world.events[: failed + 1]) == [("roll_back", f"a-{n}") for n in (1, 2, 3)]
    assert progress(FLEET, world.events)["x"].in_phase(Phase.WAITING) == ("a-4", "a-5", "a-6")


def test_a_host_that_cannot_be_switched_is_judged_without_a_gate() -> None:
    """Nothing soaks there, nothing is measured, and the stage is judged."""
    assert todo([event("switch_begun", "a-1"), event("switch_failed", "a-1")]) == [("judge", "")]


def test_a_host_of_which_nobody_knows_is_rolled_back_and_not_measured() -> None:
    """At once, before its stage goes on; where that fails, its stage does, whatever the others came to."""
    fleet = make_fleet(3, labels={"x": {"profiles": ["pocl"], "at_once": 1}}, switches={"x": SWITCH})
    unsure = [event("switch_begun", "a-1"), event("switch_unsure", "a-1")]
    assert todo(unsure, fleet) == [("roll_back", "a-1"), ("switch", "a-2")]
    begun = [*unsure, event("rollback_begun", "a-1")]
    assert todo(begun, fleet) == [("recheck_rollback", "a-1")]
    others = [event(h, host) for host in ("a-2", "a-3") for h in ("switch_begun", "switched")]
    others += [event(h, host) for host in ("a-2", "a-3") for h in ("gate_begun", "gate_ended")]
    assert todo([*begun, event("rolled_back", "a-1"), *others], fleet) == [("judge", "")]
    stuck = [*begun, event("rollback_failed", "a-1"), *others]
    with pytest.raises(InputError, match="stage_promoted"):
        progress(fleet, [*stuck, event("stage_promoted")])
    assert todo([*stuck, event("stage_failed")], fleet) == [("roll_back", "a-2"), ("roll_back", "a-3")]


def test_at_once_limits_what_is_begun_and_no_rollback() -> None:
    """What is in hand counts, and whoever has to be rolled back does not wait for a turn."""
    fleet = make_fleet(4, labels={"x": {"profiles": ["pocl"], "at_once": 2}}, switches={"x": SWITCH})
    assert todo([], fleet) == [("switch", "a-1"), ("switch", "a-2")]
    assert todo([event("switch_begun", "a-1")], fleet) == [("recheck_switch", "a-1"), ("switch", "a-2")]
    both = [event("switch_begun", "a-1"), event("switch_begun", "a-2")]
    assert todo(both, fleet) == [("recheck_switch", "a-1"), ("recheck_switch", "a-2")]
    hosts = [f"a-{number}" for number in (1, 2, 3, 4)]
    done = [event(h, host) for host in hosts for h in ("switch_begun", "switched")]
    done += [event(h, host) for host in hosts for h in ("gate_begun", "gate_ended")]
    assert len(todo([*done, event("stage_failed")], fleet)) == 4


def test_a_fleet_that_is_only_measured_switches_and_rolls_back_nothing() -> None:
    """Its hosts go straight to their gates, and a failed one is the end."""
    fleet = make_fleet(2, stages={"x": [{"hosts": "all", "soak_s": 60}]})
    assert todo([], fleet) == [("gate", "a-1"), ("gate", "a-2")]
    events = [event(happened, host) for host in ("a-1", "a-2") for happened in ("gate_begun", "gate_ended")]
    assert todo(events, fleet) == [("judge", "")]
    failed = [*events, event("stage_failed")]
    assert progress(fleet, failed)["x"].step is Step.FAILED
    assert todo(failed, fleet) == []


def test_exceptions_come_last() -> None:
    """The first stage is of hosts that count, or it would prove nothing."""
    fleet = make_fleet(
        3, stages={"x": [{"hosts": 2}, {"hosts": "all"}]}, promotes={"x": {"exceptions": {"a-1": "its fan is broken"}}}
    )
    assert (stage_hosts(fleet, "x", 0), stage_hosts(fleet, "x", 1)) == (("a-2", "a-3"), ("a-1",))


SWITCHED = [event("switch_begun", "a-1"), event("switched", "a-1")]
MEASURED = [*SWITCHED, event("soak_begun"), event("soaked"), event("gate_begun", "a-1"), event("gate_ended", "a-1")]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([event("switched", "a-1")], "switched of label x, stage 0, host a-1 does not follow"),
        ([event("switch_begun", "a-2")], "the host waiting"),
        ([event("switch_begun", "b-1")], "the host none of its"),
        ([event("switch_begun", "a-1"), event("switch_begun", "a-1")], "the host switching"),
        ([event("switch_begun", "a-1", 1)], "stage 1"),
        ([event("gate_begun", "a-1")], "at switch"),
        ([event("rollback_begun", "a-1")], "at switch"),
        ([*SWITCHED, event("gate_begun", "a-1")], "at soak, the host switched"),
        ([*MEASURED, event("rollback_begun", "a-1")], "at judge, the host measured"),
        ([event("stage_promoted")], "host none does not follow"),
        ([event("soaked")], "soaked"),
        ([event("switch_begun", "a-1"), event("switched", "a-1"), event("soaked")], "at soak"),
        ([event("switch_begun", "a-1"), event("switched", "a-1"), event("soak_begun", at="")], "soak_begun"),
        ([event("switch_begun", "a-1"), event("switch_failed", "a-1"), event("stage_failed", "a-1")], "at judge"),
        ([event("switch_begun", "a-1", label="y")], "label 'y', which the fleet file does not have"),
    ],
)
def test_a_record_with_gaps_is_refused(events: list[Event], words: str) -> None:
    """Going on from it could switch a host twice or forget one."""
    with pytest.raises(InputError, match=words):
        progress(FLEET, events)
