"""The ledger: append-only, every record chained by hash to the one before, in a file of SQLite or in PostgreSQL.

Beside the runs lies ``ledger.head``: how many records there are and the hash of the last. A changed record, one removed
from the middle, a cut tail and a deleted ledger are all found by it. Somebody who rewrites the whole chain and the head
file is found only by a head kept elsewhere: every week's decision record holds one, and where a team shares a ledger,
each of its report directories has a head file of its own.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pytest_weekops.core.errors import WeekopsError
from pytest_weekops.core.week.entry import GENESIS, Entry, canonical_json, chain_problems
from pytest_weekops.week.ledger_head import Head, head_problems, is_joined, left_behind, read_head_file, write_head_file
from pytest_weekops.week.ledger_place import LEDGER_NAME, store_of
from pytest_weekops.week.ledger_sqlite import SqliteStore
from pytest_weekops.week.ledger_store import (
    Coordination,
    DuplicateEntry,
    LedgerError,
    Reading,
    Store,
    StoreLost,
    StoreRefused,
    Tail,
    UnsureEntry,
    Writing,
)

__all__ = ["LEDGER_NAME", "DuplicateEntry", "Ledger", "LedgerError", "UnsureEntry", "ledger_beside", "open_ledger"]

T = TypeVar("T")
BUSY_TIMEOUT_S = 10.0
RUN_BUSY_TIMEOUT_S = 30.0  # a run took minutes: its record is worth a longer wait
RETRY_S = 0.2
_LISTED = "`weekops status --verify` lists everything; restore the ledger from a copy"


@dataclass
class _Attempts:
    """What one call has tried to enter: a connection may be lost behind a commit, and then it is there already."""

    deadline: float | None = None  # from the first loss on
    made: set[str] = field(default_factory=set)  # hashes for which the caller's own writing was done
    committing: str = ""  # the hash whose commit was sent and not answered


class Ledger:
    """The ledger of a report directory. Nothing is created before the first record.

    ``path`` is its file, or where that would be: beside it lies the head file, wherever the records are.
    """

    def __init__(self, path: Path, *, store: Store | None = None, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self.head_path = path.with_suffix(".head")
        self._store: Store = SqliteStore(path) if store is None else store
        self._busy_timeout_s = busy_timeout_s

    @property
    def name(self) -> str:
        """What people call it: its path, or its address without a password."""
        return self._store.name

    @property
    def report_dir(self) -> Path:
        """Where the runs lie, and the head file."""
        return self.path.parent

    @property
    def is_shared(self) -> bool:
        """Whether others keep records there from other report directories."""
        return self._store.is_shared

    # -- reading -----------------------------------------------------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        """Every record in order. Raises ``LedgerError`` where it cannot be read or does not verify."""
        entries, problems = self._read()
        if problems:
            raise self._refused(
                f"does not verify. {problems[0]}", "A channel state drawn from it would prove nothing", _LISTED
            )
        if self.is_shared:
            self._remember(entries)
        return entries

    def problems(self) -> list[str]:
        """Sentences for everything that does not verify; empty where chain, head table and head file agree."""
        return self._read()[1]

    def _read(self) -> tuple[tuple[Entry, ...], list[str]]:
        return self._again_when_lost(self._read_once, _Attempts())

    def _read_once(self) -> tuple[tuple[Entry, ...], list[str]]:
        # Before the records: a writer in between may add to them, never take away.
        beside = read_head_file(self.head_path)
        with self._translated(), self._store.reading(self._busy_timeout_s) as reading:
            entries = tuple(reading.entries()) if reading else ()
            head = reading.head() if reading else None
        if entries and beside is None and self.head_path.exists():
            return self._read_once()  # the first record came in between, and a head file is never taken away
        return entries, [*chain_problems(entries), *head_problems(entries, head, beside), *self._left_behind()]

    def _left_behind(self) -> list[str]:
        return [] if self.is_shared else left_behind(self.head_path)

    def _remember(self, entries: Sequence[Entry]) -> None:
        """Let the head file here know what was seen: whoever alters a shared ledger later cannot reach it."""
        beside = read_head_file(self.head_path)
        if entries and beside is not None and 0 <= beside[0] < len(entries):
            with contextlib.suppress(WeekopsError):  # a directory that may only be read; it lags, and does not accuse
                write_head_file(self.head_path, entries[-1].seq, entries[-1].hash)

    # -- writing -----------------------------------------------------------------------------------------------

    def append(
        self,
        kind: str,
        key: str,
        body: Mapping[str, Any],
        *,
        recorded_at: str | None = None,
        before_commit: Callable[[Entry], None] = lambda _entry: None,
    ) -> Entry:
        """Add one record in a transaction of its own and return it; exactly once, however often a connection is lost.

        ``before_commit`` runs while the record is written and not yet committed; what it raises takes the record
        back. Raises ``DuplicateEntry`` for a key the kind has already, ``LedgerError`` for an unusable ledger, and
        ``UnsureEntry`` where nobody answers any more whether the record is there.
        """
        moment = recorded_at or datetime.now(UTC).isoformat(timespec="milliseconds")
        draft = Entry(0, kind, key, moment, json.loads(canonical_json(body)))
        attempts = _Attempts()
        return self._again_when_lost(lambda: self._append_once(draft, before_commit, attempts), attempts)

    def _append_once(self, draft: Entry, before_commit: Callable[[Entry], None], attempts: _Attempts) -> Entry:
        with self._translated(), self._store.writing(self._busy_timeout_s) as writing:
            tail = writing.tail(draft.kind, draft.key)
            found = tail.found
            if found is not None and attempts.committing and found.hash == attempts.committing:
                self._write_head(writing)
                return found  # the commit before was heard, its answer was not
            attempts.committing = ""  # seen under the lock: it is not there
            entry = self._insert(writing, draft, tail)
            if entry.hash not in attempts.made:
                before_commit(entry)
                attempts.made.add(entry.hash)
            if entry.seq == 1:  # so that no record is ever without a head file, whoever comes next
                write_head_file(self.head_path, 0, GENESIS)
            attempts.committing = entry.hash
            writing.commit()
            # After the commit: a head file that lags behind is caught up by the next record, one ahead would accuse.
            self._catch_up_head(writing)
        return entry

    def _insert(self, writing: Writing, draft: Entry, tail: Tail) -> Entry:
        self._refuse_cut(writing, tail)
        count, previous = tail.head or (0, GENESIS)
        if tail.found is not None:
            raise DuplicateEntry(
                f"Ledger {self.name} holds {draft.kind} {draft.key!r} already. A record is written once; two with one "
                "name could not be told apart. Nothing was changed.",
                path=self.path,
            )
        numbered = replace(draft, seq=count + 1)
        entry = replace(numbered, hash=numbered.chained(previous))
        writing.add(entry)
        return entry

    def _refuse_cut(self, writing: Writing, tail: Tail) -> None:
        """Refuse to write behind a cut tail or a changed last record: the cut would be grown over."""
        last, beside = tail.last, read_head_file(self.head_path)
        problems = [*head_problems(last, tail.head, beside, at=writing.hash_at), *self._left_behind()]
        if last and last[-1].chained(last[0].hash if len(last) > 1 else GENESIS) != last[-1].hash:
            problems.append(f"Record {last[-1].seq} does not match its hash: it was changed.")
        if problems:
            raise self._refused(
                f"does not verify. {problems[0]}", "A record behind a damaged one would cover it up", _LISTED
            )

    def _catch_up_head(self, writing: Writing) -> None:
        """Write the head table's state to the head file, under the writers' lock: a late writer sets nothing back."""
        with contextlib.suppress(StoreRefused), writing.again() as reading:  # it is committed; the next catches up
            self._write_head(reading)

    def _write_head(self, reading: Reading) -> None:
        with contextlib.suppress(WeekopsError):
            write_head_file(self.head_path, *(reading.head() or (0, GENESIS)))

    # -- the whole of it ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def held(self) -> Iterator[tuple[Entry, ...]]:
        """Every record, while no other can be entered. Raises ``LedgerError`` where it does not verify."""
        with self.translated(), self._store.writing(self._busy_timeout_s) as writing:
            yield self._verified(writing, read_head_file(self.head_path))

    def _verified(self, writing: Writing, beside: Head | None) -> tuple[Entry, ...]:
        entries = tuple(writing.entries())
        problems = [*chain_problems(entries), *head_problems(entries, writing.head(), beside), *self._left_behind()]
        if problems:
            raise self._refused(f"does not verify. {problems[0]}", "A copy of it would hide that", _LISTED)
        return entries

    def continue_with(self, entries: Sequence[Entry]) -> int:
        """Enter the records of another ledger as they are, hash by hash, all or none; how many were new.

        Raises ``LedgerError`` where this one holds something that is not the beginning of those.
        """
        with self.translated(), self._store.writing(self._busy_timeout_s) as writing:
            # The head file beside a directory that has not joined speaks of the ledger that is copied.
            there = self._verified(writing, (0, GENESIS) if self._store.is_shared else read_head_file(self.head_path))
            for mine, theirs in zip(there, entries, strict=False):
                if mine.hash != theirs.hash:
                    raise self._refused(
                        f"holds another record {mine.seq} than the ledger that is to be copied",
                        "Two histories in one chain would be neither",
                        "Choose another --as NAME, or another database",
                    )
            new = entries[len(there) :]
            for entry in new:
                writing.add(entry)
            after = tuple(writing.entries())
            if new and (after != tuple(entries) or chain_problems(after)):
                raise self._refused(
                    "does not give back what was put into it", "Such a copy proves nothing", "Look at the database"
                )
            if new and read_head_file(self.head_path) is None:
                write_head_file(self.head_path, 0, GENESIS)
            writing.commit()
            self._catch_up_head(writing)
        return len(new)

    @contextlib.contextmanager
    def coordinating(self) -> Iterator[Coordination]:
        """Be the only coordinator of this ledger while the block runs. Raises ``LedgerError`` where another is."""
        with self.translated(), self._store.coordinating() as coordination:
            yield Coordinating(self, coordination)

    # -- refusals ----------------------------------------------------------------------------------------------

    def _again_when_lost(self, once: Callable[[], T], attempts: _Attempts) -> T:
        """Try it, again and again while the store is away; it may be restarting."""
        while True:
            try:
                return once()
            except StoreLost as error:
                now = time.monotonic()
                attempts.deadline = attempts.deadline or now + self._busy_timeout_s
                if now >= attempts.deadline:
                    raise self._lost(error, is_unsure=bool(attempts.committing)) from error
            time.sleep(min(RETRY_S, self._busy_timeout_s))

    def _lost(self, error: StoreLost, *, is_unsure: bool) -> LedgerError:
        if not is_unsure:
            return self._refused(error.what, error.why, error.advice)
        return UnsureEntry(
            f"Ledger {self.name} {error.what}. That was while a record was being committed: it is there whole or not "
            "at all, and nobody says which. Once the ledger answers again, `weekops status` shows it; what is entered "
            "once more under the same name is refused where it is there already.",
            path=self.path,
        )

    def _refused(self, what: str, why: str, advice: str) -> LedgerError:
        return LedgerError(
            f"Ledger {self.name} {what.rstrip('.')}. {why}; nothing was changed. {advice}.", path=self.path
        )

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn all that a store raises into sentences."""
        try:
            with self._translated():
                yield
        except StoreLost as error:
            raise self._refused(error.what, error.why, error.advice) from error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what a store raises into sentences; what was lost may be tried again and goes through."""
        try:
            yield
        except StoreLost:
            raise
        except StoreRefused as error:
            raise self._refused(error.what, error.why, error.advice) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise self._refused(
                f"holds a record that is not JSON: {error}", "It was altered", "Restore the ledger from a copy"
            ) from error


class Coordinating:
    """The right to coordinate a ledger, while it lasts."""

    def __init__(self, ledger: Ledger, coordination: Coordination) -> None:
        self._ledger, self._coordination = ledger, coordination

    def check(self) -> None:
        """Raise ``LedgerError`` where the right was lost, as with the connection that held it: another may have it."""
        with self._ledger.translated():
            self._coordination.check()


def open_ledger(report_dir: Path, *, busy_timeout_s: float | None = None) -> Ledger:
    """The ledger of a report directory: a file in it, or the one in a database that it has joined.

    Raises ``LedgerError`` where ``WEEKOPS_LEDGER`` and the directory do not say the same.
    """
    patience = BUSY_TIMEOUT_S if busy_timeout_s is None else busy_timeout_s
    return Ledger(report_dir / LEDGER_NAME, store=store_of(report_dir), busy_timeout_s=patience)


def ledger_beside(directory: Path) -> Ledger:
    """The ledger of a directory that may be none of this project's report directories: what it has joined, or a file.

    Raises ``LedgerError`` where it has joined one that ``WEEKOPS_LEDGER`` does not name.
    """
    store = store_of(directory) if is_joined(directory) else None
    return Ledger(directory / LEDGER_NAME, store=store, busy_timeout_s=BUSY_TIMEOUT_S)
