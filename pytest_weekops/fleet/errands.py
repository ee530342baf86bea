"""One host's switch or rollback, from here: begun once, followed to its end, and told as what it is known to be."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pytest_weekops.core.fleet.fleet_file import Label
from pytest_weekops.core.fleet.switching import Switch
from pytest_weekops.fleet.book import Attempt, ErrandName, FleetBook
from pytest_weekops.fleet.coordinator import ABSENT_S, ANSWER_S, WINDING_UP_S, Unreachable
from pytest_weekops.fleet.messages import AskPiece, End, Errand, MessageRefused, Piece, decode, encode

_TRIES = 2  # of an errand that ended without a word: each is harmless where the one before did it already


class Told(Enum):
    """What is known of an errand that was begun."""

    DONE = "done"
    NOT_DONE = "not done"  # and nothing was changed
    FAILED = "failed"  # it ended otherwise, and says how
    UNKNOWN = "unknown"  # nobody can say how it ended, or whether it did


@dataclass(frozen=True)
class Outcome:
    """How an errand ended, and what is said of it."""

    told: Told
    said: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it broke off without a word, or never came to its host: it is to be done again."""
        return self.told is Told.UNKNOWN and not self.said


class Errands(Protocol):
    """How hosts are reached for an errand."""

    async def is_there(self, host: str) -> bool:
        """Whether its worker is known."""

    async def revive(self, host: str) -> None:
        """Start its worker anew where that was ended from here; nothing where it cannot be."""

    async def begin_errand(self, host: str, text: str, timeout_s: float) -> object:
        """Begin an :class:`Errand`. Raises ``Unreachable``."""

    async def bury(self, host: str, text: str, timeout_s: float) -> object:
        """How an errand stands; it is not begun any more where it never was. Raises ``Unreachable``."""

    async def ask(self, host: str, text: str, timeout_s: float) -> object:
        """How an errand stands. Raises ``Unreachable``."""


@dataclass(frozen=True)
class Asked:
    """What one host is to be given, by whose program, and how long it may take."""

    host: str
    label: Label
    switch: Switch
    policy: str
    program: str
    reason: str

    def errand(self, do: ErrandName, task: str) -> Errand:
        """The message."""
        return Errand(
            task=task,
            program=self.program,
            do=do,
            report_dir=self.switch.directory(self.host),
            candidate=self.switch.candidate,
            baseline=self.switch.baseline,
            policy=self.policy,
            reason=self.reason,
            timeout_s=self.switch.timeout_s,
        )


class Errander:
    """Switches hosts and rolls them back."""

    def __init__(self, book: FleetBook, reach: Errands, *, poll_s: float) -> None:
        self._book = book
        self._reach = reach
        self._poll_s = poll_s

    async def go(self, asked: Asked, do: ErrandName) -> Outcome:
        """Have it done once, whoever began it: an errand that still runs is followed, one that broke off is done again.

        Raises ``WeekopsError`` where our own disk refuses.
        """
        attempt = self._book.errand(asked.host, do)
        outcome = Outcome(Told.UNKNOWN)
        for _ in range(_TRIES):
            await self._reach.revive(asked.host)
            if not await self._is_there(asked):
                why = f"its worker was not there within {asked.label.deadlines.start_s:g} s"
                return Outcome(Told.NOT_DONE if attempt is None else Told.UNKNOWN, why)
            if attempt is not None:
                outcome = await self._before(asked, attempt)
            if outcome.is_open:
                attempt = self._book.begin_errand(asked.host, do)
                outcome = await self._begun(asked, do, attempt)
            if not outcome.is_open:
                return outcome
        return Outcome(Told.UNKNOWN, "it broke off without a word, and again")

    async def _before(self, asked: Asked, attempt: Attempt) -> Outcome:
        """What came of an errand that was begun before; open where another one is to do it."""
        try:
            answer = await self._reach.bury(asked.host, encode(AskPiece(task=attempt.task)), ANSWER_S)
            piece = decode(Piece, answer)
        except (Unreachable, MessageRefused) as error:
            return Outcome(Told.UNKNOWN, f"what became of it cannot be asked: {error}"[:1000])
        if piece.state in ("running", "ended"):
            return await self._followed(asked, attempt)
        return Outcome(Told.UNKNOWN)

    async def _begun(self, asked: Asked, do: ErrandName, attempt: Attempt) -> Outcome:
        try:
            text = encode(asked.errand(do, attempt.task))
            answer = await self._reach.begin_errand(asked.host, text, ANSWER_S)
            if answer != "{}":
                return Outcome(Told.NOT_DONE, decode(End, answer).said or "it was refused there")
        except Unreachable:
            pass  # it may have been begun all the same: it is asked for below
        except MessageRefused as error:
            return Outcome(Told.UNKNOWN, f"what it answered is not believed: {error}"[:1000])
        return await self._followed(asked, attempt)

    async def _followed(self, asked: Asked, attempt: Attempt) -> Outcome:
        """How it ended; open where its process is gone without a word."""
        begun = seen = time.monotonic()
        question = encode(AskPiece(task=attempt.task))
        while time.monotonic() - begun < asked.switch.timeout_s + WINDING_UP_S:
            try:
                piece = decode(Piece, await self._reach.ask(asked.host, question, ANSWER_S))
            except MessageRefused as error:
                return Outcome(Told.UNKNOWN, f"what it answered is not believed: {error}"[:1000])
            except Unreachable:
                if await self._reach.is_there(asked.host):
                    seen = time.monotonic()
                elif time.monotonic() - seen >= ABSENT_S:
                    return Outcome(Told.UNKNOWN)
            else:
                seen = time.monotonic()
                if piece.task != attempt.task:
                    return Outcome(Told.UNKNOWN, "it answered for another errand")
                if (outcome := _outcome(piece)) is not None:
                    return outcome
            await asyncio.sleep(self._poll_s)
        return Outcome(Told.UNKNOWN, f"it had not ended after {asked.switch.timeout_s:g} s")

    async def _is_there(self, asked: Asked) -> bool:
        ends = time.monotonic() + asked.label.deadlines.start_s
        while not await self._reach.is_there(asked.host):
            if time.monotonic() >= ends:
                return False
            await asyncio.sleep(min(self._poll_s, 0.5))
        return True


def _outcome(piece: Piece) -> Outcome | None:
    """What a piece says of an errand; None where it goes on."""
    if piece.state == "running":
        return None
    if piece.state == "ended":
        told = {0: Told.DONE, 1: Told.FAILED}.get(piece.status if piece.status is not None else -1, Told.UNKNOWN)
        return Outcome(told, piece.said or f"it ended with {piece.status}")
    if piece.state == "refused":
        return Outcome(Told.NOT_DONE, piece.said or "it was refused there")
    return Outcome(Told.UNKNOWN, piece.said) if piece.state == "late" else Outcome(Told.UNKNOWN)
