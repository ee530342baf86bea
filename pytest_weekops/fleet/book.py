"""A fleet run on disk: what was asked, each host's attempts and journals, its outcome once it has one, the decision.

Whoever comes back after the coordinator was killed reads here which hosts have an outcome, and which task each other
one was given. An attempt is written down before its host is asked, an outcome once all that it rests on is there.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import Asked, HostOutcome
from pytest_weekops.core.fleet.promoted import PromotionCame
from pytest_weekops.core.fleet.verdict import FleetVerdict
from pytest_weekops.core.record import Record
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.kept_record import R, read_kept_record

ASKED_NAME, ATTEMPT_NAME, OUTCOME_NAME, DECISION_NAME = "asked.json", "attempt.json", "outcome.json", "fleet.json"
LARGEST_BYTES = 256 * 1024**2  # of a decision: ten thousand hosts with all findings are half of it
SCHEMA = "weekops-fleet/1"

ErrandName = Literal["switch", "roll_back"]

_LOST = "What the fleet run came to is not known, so nothing is put in its place. Restore it, or begin a new run."


class FleetAsked(Record):
    """What a fleet run was begun with. ``policies`` are the texts by label, ``words`` the gate's further options."""

    fleet_run: str
    created_at: str
    suite: str
    words: tuple[str, ...]
    sizes: tuple[int, ...]
    version: str
    program: str
    kernels: str
    fleet: FleetFile
    policies: dict[str, str]


class Attempt(Record):
    """One time that a host was asked to run the gate."""

    task: str
    begun_at: str


class FleetDecision(Record):
    """``fleet.json``: the verdict, what it rests on, and the hash of each host's journal and outcome."""

    schema_: str = Field(default=SCHEMA, alias="schema")
    version: str
    fleet_run: str
    created_at: str
    ended_at: str
    suite: str
    decision: str
    exit_status: int
    asked: Asked
    verdict: FleetVerdict
    outcomes: tuple[HostOutcome, ...]
    came: PromotionCame | None = None  # how far its stages came; none where there were none


class FleetBook:
    """The directory of one fleet run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = -1

    def hold(self) -> None:
        """Be the only coordinator of this run, until the process ends. Raises ``InputError`` beside another one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.directory / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.let_go()
            raise InputError(
                f"Fleet run {self.directory} has a coordinator already. Two would start each gate twice. Wait for it, "
                "or end it and go on with --resume."
            ) from error

    def let_go(self) -> None:
        """Let another coordinator go on; harmless when nothing is held."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def begin(self, asked: FleetAsked) -> None:
        """Keep what is asked for."""
        write_atomic(self.directory / ASKED_NAME, asked.model_dump_json(indent=2) + "\n")

    def asked(self) -> FleetAsked:
        """What was asked for. Raises ``InputError`` where that cannot be read."""
        return _read(self.directory / ASKED_NAME, FleetAsked)

    # -- hosts -------------------------------------------------------------------------------------------------

    def host(self, name: str) -> Path:
        """The directory of one host."""
        return self.directory / "hosts" / name

    def journal(self, name: str) -> Path:
        """Where the journal of a host's last attempt lies."""
        return self.host(name) / JOURNAL_NAME

    def attempt(self, name: str) -> Attempt | None:
        """The last attempt of a host; None where it was never asked."""
        path = self.host(name) / ATTEMPT_NAME
        return _read(path, Attempt) if path.exists() else None

    def begin_attempt(self, name: str) -> Attempt:
        """Write a new attempt down, before the host is asked; what an earlier one left of a journal is put aside."""
        self.put_aside(name)
        attempt = Attempt(task=secrets.token_hex(12), begun_at=now())
        write_atomic(self.host(name) / ATTEMPT_NAME, attempt.model_dump_json() + "\n")
        return attempt

    def put_aside(self, name: str) -> None:
        """Rename what there is of a journal, so that the next can take its place."""
        journal = self.journal(name)
        if journal.exists():
            taken = len(list(self.host(name).glob(f"{JOURNAL_NAME}.*")))
            journal.rename(journal.with_name(f"{JOURNAL_NAME}.{taken + 1}"))

    def outcome(self, name: str) -> HostOutcome | None:
        """What became of a host; None where nothing has yet."""
        path = self.host(name) / OUTCOME_NAME
        return _read(path, HostOutcome) if path.exists() else None

    def keep_outcome(self, outcome: HostOutcome) -> None:
        """Keep what became of a host."""
        write_atomic(self.host(outcome.host) / OUTCOME_NAME, outcome.model_dump_json(indent=2) + "\n")

    # -- switches and rollbacks --------------------------------------------------------------------------------

    def errand(self, name: str, do: ErrandName) -> Attempt | None:
        """The last time that a host was asked to switch or to roll back; None where it never was."""
        path = self.host(name) / f"{do}.json"
        return _read(path, Attempt) if path.exists() else None

    def begin_errand(self, name: str, do: ErrandName) -> Attempt:
        """Write down that a host is asked to, before it is."""
        attempt = Attempt(task=secrets.token_hex(12), begun_at=now())
        write_atomic(self.host(name) / f"{do}.json", attempt.model_dump_json() + "\n")
        return attempt

    # -- the decision ------------------------------------------------------------------------------------------

    def decision(self) -> FleetDecision | None:
        """The decision; None where there is none yet."""
        path = self.directory / DECISION_NAME
        return _read(path, FleetDecision) if path.exists() else None

    def keep_decision(self, decision: FleetDecision) -> None:
        """Write the decision, whole or not at all."""
        write_atomic(self.directory / DECISION_NAME, decision.model_dump_json(indent=2, by_alias=True) + "\n")


def now() -> str:
    """This moment, as records say it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_run(reports: Path) -> Path:
    """The directory of a new fleet run, which does not exist yet."""
    return reports / "fleet" / f"fleet-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def latest_run(reports: Path) -> Path:
    """The latest fleet run of a report directory. Raises ``InputError`` where there is none."""
    found = sorted(path.parent for path in (reports / "fleet").glob(f"fleet-*/{ASKED_NAME}"))
    if not found:
        raise InputError(
            f"{reports / 'fleet'} has no fleet run. There is nothing to show. Begin one: weekops fleet run."
        )
    return found[-1]


def _read(path: Path, model: type[R]) -> R:
    return read_kept_record(path, model, largest_bytes=LARGEST_BYTES, lost=_LOST)
