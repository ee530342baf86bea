"""The coordinator: every host's gate begun once, its journal followed to its end, and what became of it written down.

Nothing here knows Dask: hosts are reached through a :class:`Reach`, and whatever comes from one is a stranger's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.fleet.outcome import HostOutcome, HostState
from pytest_weekops.core.fleet.progress import ASKED, RUNNING, HostProgress
from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.fleet.book import Attempt, FleetBook, now
from pytest_weekops.fleet.host import PREFIX
from pytest_weekops.fleet.judged import AskedOfHost, missing
from pytest_weekops.fleet.judges import judged_beside, processes
from pytest_weekops.fleet.messages import AskPiece, GateTask, MessageRefused, Piece, decode, encode
from pytest_weekops.fleet.received import Expected, ReceivedJournal
from pytest_weekops.fleet.watching import FleetWatch

LOCAL = "this machine"  # what its own hosts take turns with
ANSWER_S = 30.0  # that a host has to answer one question
ABSENT_S = 15.0  # that a worker may be unknown to its scheduler before its host is lost
WINDING_UP_S = 90.0  # behind its own deadline, that a host has to end its gate


class Unreachable(Exception):
    """A host did not answer a question; its text says how."""


class Reach(Protocol):
    """How hosts are reached: each method speaks of one host by its name, and takes and returns text."""

    async def is_there(self, host: str) -> bool:
        """Whether its worker is known."""

    def why_gone(self, host: str) -> str:
        """How its worker ended, where it was started from here and has; nothing otherwise."""

    async def begin(self, host: str, task: str, text: str) -> None:
        """Have it run a gate: a :class:`GateTask`. Returns at once."""

    async def ask(self, host: str, text: str, timeout_s: float) -> object:
        """Ask for a piece of a journal. Raises :class:`Unreachable`."""

    def failure(self, task: str) -> str:
        """Why a gate that was begun could not even be called, or nothing."""

    async def end(self, host: str, task: str, *, is_settled: bool) -> None:
        """The task is over. Where it is not settled, its host is let go: end what can be ended."""


@dataclass(frozen=True)
class Orders:
    """What every host is given, and what is expected of it. ``ours`` are hosts whose workers we start."""

    program: str
    version: str
    kernels: str
    words: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, str]
    turns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    poll_s: float = 1.0


class Coordinator:
    """One fleet run. ``orders.turns`` names, by host, what it needs to itself; ``orders.limits`` how often each is."""

    def __init__(
        self,
        book: FleetBook,
        reach: Reach,
        orders: Orders,
        say: Callable[[str], None],
        watch: FleetWatch | None = None,
    ) -> None:
        self._book = book
        self._reach = reach
        self._orders = orders
        self.watch = watch or FleetWatch(book.asked().fleet, say)
        self._turns = {name: asyncio.Semaphore(count) for name, count in orders.limits.items()}
        self.judges = processes(book.asked().fleet)  # that are worth starting

    async def run(self, hosts: list[AskedOfHost]) -> list[HostOutcome]:
        """What became of every host. Raises ``WeekopsError`` where our own disk refuses."""
        tasks = [asyncio.ensure_future(self.one(host)) for host in hosts]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def one(self, asked: AskedOfHost) -> HostOutcome:
        """One host's outcome: the one that there is, or that of its gate. Raises ``WeekopsError``."""
        kept = self._book.outcome(asked.host)
        if kept is not None:
            self.watch.ended(kept, as_before=True)
            return kept
        async with AsyncExitStack() as stack:
            for name in self._orders.turns.get(asked.host, ()):
                await stack.enter_async_context(self._turns[name])
            outcome = await self._gate(asked)
        self._book.keep_outcome(outcome)
        self.watch.ended(outcome)
        return outcome

    def turn_here(self, host: str) -> AbstractAsyncContextManager[object]:
        """The turn of one of this machine's own hosts, for what measures beside its gate; others need none."""
        return self._turns[LOCAL] if LOCAL in self._orders.turns.get(host, ()) else nullcontext()

    async def _gate(self, asked: AskedOfHost) -> HostOutcome:
        """Begin the gate, or go on with the one that was begun, and follow it to its end."""
        if why := await self._why_not_there(asked):
            return missing(asked, HostState.LOST, why[:1000])
        attempt = self._book.attempt(asked.host)
        if attempt is None or not await self._is_known(asked, attempt):
            attempt = self._book.begin_attempt(asked.host)
            await self._reach.begin(asked.host, attempt.task, encode(self._task(asked, attempt)))
        else:
            self._book.put_aside(asked.host)
        settled = False
        try:
            outcome = await self._follow(asked, attempt)
            settled = outcome.state not in (HostState.LOST, HostState.LATE)
        finally:
            await self._reach.end(asked.host, attempt.task, is_settled=settled)
        return outcome

    def _task(self, asked: AskedOfHost, attempt: Attempt) -> GateTask:
        return GateTask(
            task=attempt.task,
            program=self._orders.program,
            suite="canonical" if asked.suite == "canonical" else "weekly",
            platforms=asked.label.profiles,
            policy=self._orders.policies[asked.label_name],
            words=self._orders.words[asked.label_name],
            deadline_s=asked.label.deadlines.gate_s,
        )

    async def _why_not_there(self, asked: AskedOfHost) -> str:
        """Why its worker will not come; nothing once it is there."""
        ends = time.monotonic() + asked.label.deadlines.start_s
        while not await self._reach.is_there(asked.host):
            if why := self._reach.why_gone(asked.host):
                return f"its worker did not come: {why}"
            if time.monotonic() >= ends:
                return f"its worker was not there within {asked.label.deadlines.start_s:g} s"
            await asyncio.sleep(min(self._orders.poll_s, 0.5))
        return ""

    async def _is_known(self, asked: AskedOfHost, attempt: Attempt) -> bool:
        """Whether the host still has, or had ended, what it was given before the coordinator was killed."""
        try:
            text = await self._reach.ask(asked.host, encode(AskPiece(task=attempt.task)), ANSWER_S)
            state = decode(Piece, text).state
        except (Unreachable, MessageRefused):
            return True  # it may run there: it is followed, and never begun beside itself
        # Workers that we start end with us, and their gates with them. Another one had no such reason to be gone.
        return state in ("running", "ended", "late") or (state == "gone" and asked.host not in self._orders.ours)

    # -- following ---------------------------------------------------------------------------------------------

    async def _follow(self, asked: AskedOfHost, attempt: Attempt) -> HostOutcome:
        expected = Expected(
            prefix=f"{PREFIX}-{attempt.task}",
            version=self._orders.version,
            kernels_sha256=self._orders.kernels,
            since=parse_time(attempt.begun_at),
            now=datetime.now(UTC),
        )
        path = self._book.journal(asked.host)
        received = ReceivedJournal(path, expected)
        try:
            return await _Following(self, asked, attempt, received).outcome(path)
        except MessageRefused as error:
            return missing(asked, HostState.REFUSED, f"what it sent is not believed: {error}"[:1000])
        finally:
            received.close()


class _Following:
    """One gate that is followed: what was heard of it last, and what that means."""

    def __init__(
        self, coordinator: Coordinator, asked: AskedOfHost, attempt: Attempt, received: ReceivedJournal
    ) -> None:
        self._coordinator = coordinator
        self._asked = asked
        self._task = attempt.task
        self._received = received
        self._limits = asked.label.deadlines
        self._begun = self._heard = self._seen = time.monotonic()
        self._is_known = False
        self._progress = HostProgress(asked.host, asked.label_name, ASKED, begun=self._begun)

    async def outcome(self, journal: Path) -> HostOutcome:
        """Follow it to its end. Raises ``MessageRefused`` for what cannot be believed."""
        while True:
            piece = await self._next()
            over = self._over(piece) if piece is None or not piece.text else None
            if over is not None:
                return over
            if piece is not None and piece.state == "ended" and not piece.text:
                return await self._ended(piece, journal)
            self._coordinator.watch.stands(self._progress)
            if piece is None or not piece.text:
                await asyncio.sleep(self._coordinator._orders.poll_s)  # noqa: SLF001 - a part of it

    async def _next(self) -> Piece | None:
        """The next piece, taken; None where the host did not answer."""
        reach, host = self._coordinator._reach, self._asked.host  # noqa: SLF001 - a part of it
        question = AskPiece(task=self._task, offset=self._received.offset)
        patience = max(1.0, min(ANSWER_S, self._limits.silent_s))
        try:
            text = await reach.ask(host, encode(question), patience)
        except Unreachable:
            if await reach.is_there(host):
                self._seen = time.monotonic()
            return None
        piece = decode(Piece, text)
        if piece.task != self._task:
            raise MessageRefused("it answered for another task")
        self._seen = time.monotonic()
        if piece.text:
            self._received.take(piece)
            self._heard = time.monotonic()
        elif piece.offset != question.offset:
            raise MessageRefused("it answered another question")
        if piece.state != "unknown" and not self._is_known:
            self._is_known, self._heard = True, time.monotonic()
        state, received = RUNNING if self._is_known else ASKED, self._received
        self._progress = replace(self._progress, state=state, measured=received.measured, planned=received.planned)
        return piece

    def _over(self, piece: Piece | None) -> HostOutcome | None:
        """The outcome of a host that will not come to its end; None while it may."""
        moment, limits = time.monotonic(), self._limits
        if piece is not None and piece.state in ("late", "gone", "refused"):
            state = {"late": HostState.LATE, "gone": HostState.LOST, "refused": HostState.REFUSED}[piece.state]
            words = "its gate ended without a word: " if piece.state == "gone" else ""
            return self._missing(state, f"{words}{piece.said}")
        if piece is not None and piece.state == "ended":
            return None
        if moment - self._begun >= limits.gate_s + WINDING_UP_S:
            return self._missing(HostState.LATE, f"it had not ended {limits.gate_s:g} s after it was asked")
        if moment - self._seen >= ABSENT_S:
            why = self._coordinator._reach.why_gone(self._asked.host)  # noqa: SLF001 - a part of it
            return self._missing(HostState.LOST, f"its worker is gone{f': {why}' if why else ''}")
        if not self._is_known:
            if why := self._coordinator._reach.failure(self._task):  # noqa: SLF001 - a part of it
                return self._missing(HostState.REFUSED, f"it cannot run the gate: {why}")
            if moment - self._begun >= limits.start_s:
                return self._missing(HostState.LOST, f"it had not begun {limits.start_s:g} s after it was asked")
            return None
        if piece is not None and piece.state == "unknown":
            return self._missing(HostState.LOST, "what it had of the gate is gone")
        if moment - self._heard >= limits.silent_s:
            return self._missing(HostState.LOST, f"nothing was heard of it for {limits.silent_s:g} s")
        return None

    async def _ended(self, piece: Piece, journal: Path) -> HostOutcome:
        """The outcome of a gate that came to an end of some kind, all of its journal being here."""
        said = f"its gate ended with {piece.status}: {piece.said}"
        if self._received.offset == 0:
            return self._missing(HostState.NO_DATA, said)
        outcome = await judged_beside(self._asked, journal, self._coordinator.judges)
        own = outcome.own.exit_status if outcome.own is not None else None
        if piece.status == own:
            return outcome
        if outcome.state is HostState.PROMOTED and piece.status != ExitStatus.PROMOTE:
            return outcome.model_copy(update={"state": HostState.NO_DATA, "why": said})
        return outcome.model_copy(update={"why": outcome.why or said})

    def _missing(self, state: HostState, why: str) -> HostOutcome:
        return missing(self._asked, state, why[:1000])


__all__ = ["Coordinator", "Orders", "Reach", "Unreachable", "now"]
