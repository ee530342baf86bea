"""A staged promotion as a function of what happened: events in, the next actions out. Nothing else is remembered.

Each label goes its own way: in a stage its hosts are given the candidate, soak, are measured, and are judged together
with those of the stages before. A stage that does not promote is the last one: every host of the label that has the
candidate is rolled back. A label that the file does not switch is only measured: its hosts go straight to their gates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.stages import Action, Do, Event, Happened, Phase


class Step(StrEnum):
    """What a label is at."""

    SWITCH = "switch"  #: hosts of its stage are given the candidate
    SOAK = "soak"  #: they have it, and wait
    GATE = "gate"  #: they are measured
    JUDGE = "judge"  #: all of them have ended, and the stage is to be judged
    ROLL_BACK = "roll_back"  #: the stage failed, and hosts still have the candidate
    PROMOTED = "promoted"  #: every stage promoted
    FAILED = "failed"  #: a stage failed, and no host is left that could be rolled back


_AT_ROLLBACK = (Step.ROLL_BACK, Step.SWITCH)  # in a stage that failed, and of one host whose switch is unsure
_PHASES: dict[Happened, tuple[tuple[Step, ...], tuple[Phase, ...], Phase]] = {  # when, from, to
    Happened.SWITCH_BEGUN: ((Step.SWITCH,), (Phase.WAITING,), Phase.SWITCHING),
    Happened.SWITCHED: ((Step.SWITCH,), (Phase.SWITCHING,), Phase.SWITCHED),
    Happened.SWITCH_FAILED: ((Step.SWITCH,), (Phase.SWITCHING,), Phase.KEPT),
    Happened.SWITCH_UNSURE: ((Step.SWITCH,), (Phase.SWITCHING,), Phase.UNSURE),
    Happened.GATE_BEGUN: ((Step.GATE,), (Phase.SWITCHED,), Phase.MEASURING),
    Happened.GATE_ENDED: ((Step.GATE,), (Phase.MEASURING,), Phase.MEASURED),
    Happened.ROLLBACK_BEGUN: (_AT_ROLLBACK, (Phase.MEASURED, Phase.UNSURE), Phase.ROLLING_BACK),
    Happened.ROLLED_BACK: (_AT_ROLLBACK, (Phase.ROLLING_BACK,), Phase.ROLLED_BACK),
    Happened.ROLLBACK_FAILED: (_AT_ROLLBACK, (Phase.ROLLING_BACK,), Phase.STUCK),
}
_RECHECKS = {
    Phase.SWITCHING: Do.RECHECK_SWITCH,
    Phase.MEASURING: Do.RECHECK_GATE,
    Phase.ROLLING_BACK: Do.RECHECK_ROLLBACK,
}
_SWITCHING = (Phase.WAITING, Phase.SWITCHING, Phase.UNSURE, Phase.ROLLING_BACK)  # of a stage that has not failed
_BEGINS = {
    (Step.SWITCH, Phase.WAITING): Do.SWITCH,
    (Step.SWITCH, Phase.UNSURE): Do.ROLL_BACK,
    (Step.GATE, Phase.SWITCHED): Do.GATE,
    (Step.GATE, Phase.WAITING): Do.GATE,
    (Step.ROLL_BACK, Phase.MEASURED): Do.ROLL_BACK,
}


def stage_hosts(fleet: FleetFile, label: str, stage: int) -> tuple[str, ...]:
    """The hosts that this stage adds, in the file's order, the named exceptions after all others."""
    return _ordered(fleet, label)[_count(fleet, label, stage - 1) : _count(fleet, label, stage)]


def hosts_so_far(fleet: FleetFile, label: str, stage: int) -> tuple[str, ...]:
    """The hosts of this stage and of those before: the ones that its judgement is about."""
    return _ordered(fleet, label)[: _count(fleet, label, stage)]


def _ordered(fleet: FleetFile, label: str) -> tuple[str, ...]:
    names = [host.name for host in fleet.hosts_of(label)]
    return tuple(sorted(names, key=lambda name: name in fleet.promotes_of(label).exceptions))


def _count(fleet: FleetFile, label: str, stage: int) -> int:
    return fleet.stages_of(label)[stage].count(len(fleet.hosts_of(label))) if stage >= 0 else 0


class LabelProgress:
    """How far one label has come. ``phases`` has every host of it; ``stage`` counts from 0."""

    def __init__(self, fleet: FleetFile, label: str) -> None:
        self.label, self.switches = label, label in fleet.switches
        self.at_once = fleet.labels[label].at_once
        self._soaks = [stage.soak_s if self.switches else 0.0 for stage in fleet.stages_of(label)]
        self._members = [stage_hosts(fleet, label, stage) for stage in range(len(self._soaks))]
        self.phases = {host: Phase.WAITING for hosts in self._members for host in hosts}
        self.has_failed = False
        self._enter(0)

    def _enter(self, stage: int) -> None:
        self.stage, self.soak_since, self._is_soaked = stage, "", False
        mine = self._members[stage] if stage < len(self._members) else ()
        self._mine, self._counts = frozenset(mine), Counter(self.phases[host] for host in mine)

    @property
    def stages(self) -> int:
        """How many stages there are."""
        return len(self._members)

    @property
    def is_stuck(self) -> bool:
        """Whether some host could not be rolled back: no stage promotes over that."""
        return bool(self.in_phase(Phase.STUCK))

    @property
    def step(self) -> Step:
        """What it is at."""
        if self.has_failed:
            return Step.ROLL_BACK if self.holding else Step.FAILED
        if self.stage >= len(self._members):
            return Step.PROMOTED
        if self.switches and any(self._counts[phase] for phase in _SWITCHING):
            return Step.SWITCH
        if self._soaks[self.stage] and self._counts[Phase.SWITCHED] and not self._is_soaked:
            return Step.SOAK
        if self._counts[Phase.WAITING] + self._counts[Phase.SWITCHED] + self._counts[Phase.MEASURING]:
            return Step.GATE
        return Step.JUDGE

    @property
    def holding(self) -> tuple[str, ...]:
        """The hosts that have the candidate, or may have: those that a failure rolls back."""
        having = (Phase.SWITCHING, Phase.SWITCHED, Phase.MEASURING, Phase.MEASURED, Phase.ROLLING_BACK)
        return tuple(host for host, phase in self.phases.items() if self.switches and phase in having)

    def in_phase(self, phase: Phase) -> tuple[str, ...]:
        """The hosts that are there, in order."""
        return tuple(host for host, found in self.phases.items() if found is phase)

    def take(self, event: Event) -> None:
        """Go on by one event. Raises ``InputError`` where it cannot have happened now."""
        if event.stage != self.stage or not self._goes_on(event):
            raise InputError(
                f"Fleet event {event.happened} of label {event.label}, stage {event.stage}, host "
                f"{event.host or 'none'} does not follow from those before it: the label is in stage {self.stage} at "
                f"{self.step}, the host {self.phases.get(event.host, 'none of its')}. A promotion that is gone on with "
                "from a record with gaps could switch a host twice or forget one. Use the journal as the program wrote "
                "it."
            )

    def _goes_on(self, event: Event) -> bool:
        if event.happened in _PHASES:
            return self._host(event)
        return not event.host and self._stage(event)

    def _host(self, event: Event) -> bool:
        steps, allowed, after = _PHASES[event.happened]
        if event.happened is Happened.GATE_BEGUN and not self.switches:
            allowed = (Phase.WAITING,)
        step = self.step
        ours = self.phases if step is Step.ROLL_BACK else self._mine
        if step not in steps or event.host not in ours or self.phases[event.host] not in allowed:
            return False
        before = self.phases[event.host]
        self.phases[event.host] = after
        if event.host in self._mine:
            self._counts[before] -= 1
            self._counts[after] += 1
        return True

    def _stage(self, event: Event) -> bool:
        step = self.step
        if event.happened is Happened.SOAK_BEGUN and step is Step.SOAK and event.at and not self.soak_since:
            self.soak_since = event.at
        elif event.happened is Happened.SOAKED and step is Step.SOAK and self.soak_since:
            self._is_soaked = True
        elif event.happened is Happened.STAGE_PROMOTED and step is Step.JUDGE and not self.is_stuck:
            self._enter(self.stage + 1)
        elif event.happened is Happened.STAGE_FAILED and step is Step.JUDGE:
            self.has_failed = True
        else:
            return False
        return True

    def actions(self) -> Iterator[Action]:
        """What is to be done now, host by host; nothing where the label has come to its end."""
        step = self.step
        if step is Step.JUDGE:
            yield Action(Do.JUDGE, self.label, self.stage)
        elif step is Step.SOAK:
            yield Action(Do.SOAK, self.label, self.stage, "", self._soaks[self.stage], self.soak_since)
        elif step is Step.ROLL_BACK:
            yield from self._with_hosts(step, self.holding)
        elif step in (Step.SWITCH, Step.GATE):
            yield from self._with_hosts(step, self._members[self.stage])

    def _with_hosts(self, step: Step, hosts: Iterable[str]) -> Iterator[Action]:
        phases = {host: self.phases[host] for host in hosts}
        begun = [
            Action(_RECHECKS[phase], self.label, self.stage, h) for h, phase in phases.items() if phase in _RECHECKS
        ]
        fresh = [
            Action(_BEGINS[step, phase], self.label, self.stage, host)
            for host, phase in phases.items()
            if (step, phase) in _BEGINS
        ]
        back = [action for action in fresh if action.do is Do.ROLL_BACK]  # nobody waits for a turn to be rolled back
        forth = [action for action in fresh if action.do is not Do.ROLL_BACK]
        most = len(forth) if self.at_once is None else max(0, self.at_once - len(begun))
        yield from (*begun, *back, *forth[:most])


def progress(fleet: FleetFile, events: Iterable[Event]) -> Mapping[str, LabelProgress]:
    """How far each label has come by these events. Raises ``InputError`` for one that cannot have happened."""
    found = {label: LabelProgress(fleet, label) for label in fleet.labels}
    for event in events:
        if event.label not in found:
            raise InputError(
                f"Fleet event {event.happened} speaks of label {event.label!r:.60}, which the fleet file does not "
                "have. What it did could not be gone on with. Use the fleet file that the promotion was begun with."
            )
        found[event.label].take(event)
    return found


def next_actions(fleet: FleetFile, events: Iterable[Event]) -> tuple[Action, ...]:
    """Everything that can be done now, label by label.

    A ``recheck_...`` is about something that was begun and has no end: whoever has it in hand passes over it, and
    whoever has come back after being killed does it first.
    """
    return tuple(action for label in progress(fleet, events).values() for action in label.actions())
