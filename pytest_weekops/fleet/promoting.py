"""A staged promotion carried out: what its journal says is next is done, and stands there before it is and when it was.

Nothing is remembered but the journal (`fleet/promotion_log.py`) and what the book has of each host. What is next is
said by `core/fleet/promotion.py`; this does it, and is harmless where it was done already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.fleet.outcome import HostOutcome, HostState
from pytest_weekops.core.fleet.promotion import LabelProgress, Step, hosts_so_far
from pytest_weekops.core.fleet.stages import Action, Do, Event, Happened, Phase
from pytest_weekops.core.fleet.verdict import FleetVerdict
from pytest_weekops.fleet.book import ErrandName, FleetAsked, FleetBook, now
from pytest_weekops.fleet.coordinator import Coordinator
from pytest_weekops.fleet.errands import Asked, Errander, Outcome, Told
from pytest_weekops.fleet.judged import AskedOfHost, missing
from pytest_weekops.fleet.promotion_log import PromotionLog

_BEGUN = {Do.SWITCH: Happened.SWITCH_BEGUN, Do.GATE: Happened.GATE_BEGUN, Do.ROLL_BACK: Happened.ROLLBACK_BEGUN}
_NOT_SWITCHED = (Happened.SWITCH_FAILED, Happened.SWITCH_UNSURE)
_LONGEST_WHY = 1000


class Promoting:
    """One staged promotion, by its fleet run's book. ``judge`` draws the verdict over the outcomes of some hosts."""

    def __init__(
        self,
        book: FleetBook,
        log: PromotionLog,
        asked: FleetAsked,
        hosts: Sequence[AskedOfHost],
        coordinator: Coordinator,
        errander: Errander,
        *,
        policies: Mapping[str, str],
        judge: Callable[[Sequence[HostOutcome], Sequence[str]], FleetVerdict],
        say: Callable[[str], None],
    ) -> None:
        self._book = book
        self._log = log
        self._asked = asked
        self._hosts = {host.host: host for host in hosts}
        self._coordinator = coordinator
        self._errander = errander
        self._policies = policies
        self._judge = judge
        self._say = say

    async def run(self) -> list[HostOutcome]:
        """Carry every label to its end; the outcomes of all hosts whose stage was begun. Raises ``WeekopsError``."""
        tasks = [asyncio.ensure_future(self._label(label)) for label in self._log.labels.values()]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        found = [self._outcome(host) for label in self._log.labels.values() for host in _touched(label)]
        order = {host: place for place, host in enumerate(self._hosts)}
        return sorted(found, key=lambda outcome: order[outcome.host])

    async def _label(self, label: LabelProgress) -> None:
        """Do what is next until nothing is."""
        in_hand: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for action in list(label.actions()):
                    if action.host not in in_hand:
                        self._begin(action)
                        in_hand[action.host] = asyncio.ensure_future(self._do(action))
                if not in_hand:
                    return
                await asyncio.wait(in_hand.values(), return_when=asyncio.FIRST_COMPLETED)
                for host, task in list(in_hand.items()):
                    if task.done():
                        del in_hand[host]
                        task.result()
        finally:
            for task in in_hand.values():
                task.cancel()
            await asyncio.gather(*in_hand.values(), return_exceptions=True)

    def _begin(self, action: Action) -> None:
        """Write down what is about to be done; what was begun before stands there already."""
        if (happened := _BEGUN.get(action.do)) is not None:
            self._write(action, happened)

    def _write(self, action: Action, happened: Happened, why: str = "") -> None:
        event = Event(
            happened=happened,
            label=action.label,
            stage=action.stage,
            host=action.host,
            at=now(),
            why=" ".join(why.split())[:_LONGEST_WHY],
        )
        self._log.write(event)
        told = f": {event.why}" if event.why else ""
        whose = f"{event.host} ({event.label})" if event.host else event.label
        self._say(f"{whose}: {event.happened.replace('_', ' ')}, stage {event.stage + 1}{told}"[:1000])

    async def _do(self, action: Action) -> None:
        """One action, to the line that says how it ended."""
        match action.do:
            case Do.SWITCH | Do.RECHECK_SWITCH:
                self._write(action, *_switched(await self._errand(action, "switch")))
            case Do.ROLL_BACK | Do.RECHECK_ROLLBACK:
                async with self._coordinator.turn_here(action.host):  # it is verified by a gate of its own
                    outcome = await self._errand(action, "roll_back")
                self._write(action, *_rolled_back(outcome))
            case Do.GATE | Do.RECHECK_GATE:
                ended = await self._coordinator.one(self._hosts[action.host])
                self._write(action, Happened.GATE_ENDED, ended.state.value)
            case Do.SOAK:
                await self._soak(action)
            case Do.JUDGE:
                self._write(action, *self._judged(action))

    async def _errand(self, action: Action, do: ErrandName) -> Outcome:
        host = self._hosts[action.host]
        asked = Asked(
            host=host.host,
            label=host.label,
            switch=self._asked.fleet.switches[host.label_name],
            policy=self._policies[host.label_name],
            program=self._asked.program,
            reason=self._asked.fleet_run,
        )
        return await self._errander.go(asked, do)

    async def _soak(self, action: Action) -> None:
        """Wait for what is left of the soak time: what passed while nobody was there counts."""
        if not action.since:
            self._write(action, Happened.SOAK_BEGUN)
        since = parse_time(self._log.labels[action.label].soak_since)
        left = action.seconds - (datetime.now(UTC) - since).total_seconds()
        await asyncio.sleep(min(max(0.0, left), action.seconds))  # a clock that was put back makes no soak longer
        self._write(action, Happened.SOAKED)

    def _judged(self, action: Action) -> tuple[Happened, str]:
        """Whether the stage promoted: its own hosts together with those of the stages before."""
        hosts = hosts_so_far(self._asked.fleet, action.label, action.stage)
        verdict = self._judge([self._outcome(host) for host in hosts], hosts)
        words = verdict.decision.value
        stuck = self._log.labels[action.label].in_phase(Phase.STUCK)
        if verdict.exit_status == 0 and not stuck:
            return Happened.STAGE_PROMOTED, words
        if stuck:
            return Happened.STAGE_FAILED, f"{words}, and the driver of {', '.join(stuck)} is not known"
        return Happened.STAGE_FAILED, f"{words}, SEV{int(verdict.severity)}: {', '.join(verdict.failed_checks)}"

    def _outcome(self, name: str) -> HostOutcome:
        """What became of a host whose stage was begun; one that could not be switched was not measured."""
        kept = self._book.outcome(name)
        if kept is not None:
            return kept
        host = self._hosts[name]
        switches = [event for event in self._log.events if event.host == name and event.happened in _NOT_SWITCHED]
        why = f"it could not be switched, and was not measured: {switches[-1].why if switches else 'nobody said why'}"
        outcome = missing(host, HostState.NO_DATA, why[:_LONGEST_WHY])
        self._book.keep_outcome(outcome)
        return outcome


def _touched(label: LabelProgress) -> tuple[str, ...]:
    return tuple(host for host, phase in label.phases.items() if phase is not Phase.WAITING)


def _switched(outcome: Outcome) -> tuple[Happened, str]:
    """What a switch came to. Where neither driver is known to be in place, the host is rolled back."""
    if outcome.told is Told.DONE:
        return Happened.SWITCHED, ""
    if outcome.told in (Told.NOT_DONE, Told.FAILED):
        return Happened.SWITCH_FAILED, outcome.said
    return Happened.SWITCH_UNSURE, outcome.said


def _rolled_back(outcome: Outcome) -> tuple[Happened, str]:
    """What a rollback came to: nothing but its own verification counts."""
    return (Happened.ROLLED_BACK, "") if outcome.told is Told.DONE else (Happened.ROLLBACK_FAILED, outcome.said)


def has_ended(labels: Mapping[str, LabelProgress]) -> bool:
    """Whether every label has come to its end."""
    return all(label.step in (Step.PROMOTED, Step.FAILED) for label in labels.values())
