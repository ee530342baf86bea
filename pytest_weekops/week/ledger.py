"""The ledger: an append-only SQLite file in which every record is chained by hash to the one before.

Beside ``ledger.sqlite`` lies ``ledger.head``: how many records there are and the hash of the last. A changed record,
one removed from the middle, a cut tail and a deleted ledger are all found by it. Somebody who rewrites the whole chain
and the head file is found only by a head kept elsewhere: every week's decision record holds one.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.entry import GENESIS, Entry, canonical_json, chain_problems
from pytest_weekops.week.ledger_head import head_problems, read_head_file, write_head_file
from pytest_weekops.week.ledger_tables import (
    APPLICATION_ID,
    FIRST_READ,
    SCHEMA_VERSION,
    connected,
    hash_at,
    is_busy,
    is_stored,
    migrate,
    open_to_read,
    store,
    stored_entries,
    stored_head,
    versions,
)

LEDGER_NAME = "ledger.sqlite"
BUSY_TIMEOUT_S = 10.0
RUN_BUSY_TIMEOUT_S = 30.0  # a run took minutes: its record is worth a longer wait
PAUSE_S = 0.01


class LedgerError(InputError):
    """The ledger cannot be used; nothing was changed. ``path`` is its file."""

    def __init__(self, message: str, *, path: Path) -> None:
        super().__init__(message)
        self.path = path


class DuplicateEntry(LedgerError):
    """A record of this kind and key is in the ledger already."""


class Ledger:
    """One ledger file. Nothing is created before the first record."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self.head_path = path.with_suffix(".head")
        self._busy_timeout_s = busy_timeout_s

    # -- reading -----------------------------------------------------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        """Every record in order. Raises ``LedgerError`` where the file cannot be read or does not verify."""
        entries, problems = self._read()
        if problems:
            raise self._refused(
                f"does not verify. {problems[0]}",
                "A channel state drawn from it would prove nothing",
                "`weekops status --verify` lists everything; restore the ledger from a copy",
            )
        return entries

    def problems(self) -> list[str]:
        """Sentences for everything that does not verify; empty where chain, head table and head file agree."""
        return self._read()[1]

    def _read(self) -> tuple[tuple[Entry, ...], list[str]]:
        # Before the records: a writer in between may add to them, never take away.
        beside = read_head_file(self.head_path)
        if not self.path.exists() or self.path.stat().st_size == 0:
            return (), head_problems((), None, beside)
        with self._translated(), contextlib.closing(self._patiently(partial(open_to_read, self.path))) as connection:
            has_tables = self._check_version(connection)  # without: another process is about to make them
            entries = tuple(stored_entries(connection)) if has_tables else ()
            head = stored_head(connection) if has_tables else None
        if entries and beside is None and self.head_path.exists():
            return self._read()  # the first record came in between, and a head file is never taken away
        return entries, [*chain_problems(entries), *head_problems(entries, head, beside)]

    def _patiently(self, begin: Callable[[float], sqlite3.Connection]) -> sqlite3.Connection:
        """Begin, again and again while others hold the file: SQLite waits for some of its locks and not for all."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                return begin(max(0.0, deadline - time.monotonic()))
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_S)

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
        """Add one record in a transaction of its own and return it.

        ``before_commit`` runs while the record is written and not yet committed; what it raises takes the record
        back. Raises ``DuplicateEntry`` for a key the kind has already, ``LedgerError`` for an unusable ledger.
        """
        moment = recorded_at or datetime.now(UTC).isoformat(timespec="milliseconds")
        body = json.loads(canonical_json(body))
        self._make_directory()
        with self._translated(), contextlib.closing(self._patiently(self._open_to_write)) as connection:
            try:
                self._check_version(connection)
                entry = self._insert(connection, Entry(0, kind, key, moment, body))
                before_commit(entry)
                if entry.seq == 1:  # so that no record is ever without a head file, whoever comes next
                    write_head_file(self.head_path, 0, GENESIS)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            # After the commit: a head file that lags behind is caught up by the next record, one ahead would accuse.
            self._catch_up_head(connection)
        return entry

    def _make_directory(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(
                f"cannot be created: {error.strerror}", "Nothing can be recorded", "Check the path"
            ) from error

    def _insert(self, connection: sqlite3.Connection, draft: Entry) -> Entry:
        migrate(connection)
        self._refuse_cut(connection)
        count, previous = stored_head(connection) or (0, GENESIS)
        if is_stored(connection, draft.kind, draft.key):
            raise DuplicateEntry(
                f"Ledger {self.path} holds {draft.kind} {draft.key!r} already. A record is written once; two with one "
                "name could not be told apart. Nothing was changed.",
                path=self.path,
            )
        numbered = Entry(count + 1, draft.kind, draft.key, draft.recorded_at, draft.body)
        entry = Entry(numbered.seq, draft.kind, draft.key, draft.recorded_at, draft.body, numbered.chained(previous))
        store(connection, entry)
        return entry

    def _open_to_write(self, timeout_s: float) -> sqlite3.Connection:
        """A connection inside a write transaction."""
        uri = self.path.absolute().as_uri()
        with contextlib.closing(connected(uri, timeout_s, "BEGIN", FIRST_READ)) as connection:
            self._check_version(connection)  # before anything is set in a file that may be somebody else's
        return connected(uri, timeout_s, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")

    def _refuse_cut(self, connection: sqlite3.Connection) -> None:
        """Refuse to write behind a cut tail or a changed last record: the cut would be grown over."""
        last = list(stored_entries(connection, "ORDER BY seq DESC LIMIT 2"))[::-1]
        head, beside = stored_head(connection), read_head_file(self.head_path)
        problems = head_problems(last, head, beside, at=lambda seq: hash_at(connection, seq))
        if last and last[-1].chained(last[0].hash if len(last) > 1 else GENESIS) != last[-1].hash:
            problems.append(f"Record {last[-1].seq} does not match its hash: it was changed.")
        if problems:
            raise self._refused(
                f"does not verify. {problems[0]}",
                "A record behind a damaged one would cover it up",
                "`weekops status --verify` lists everything; restore the ledger from a copy",
            )

    def _catch_up_head(self, connection: sqlite3.Connection) -> None:
        """Write the head table's state to the head file, under the writers' lock: a late writer sets nothing back."""
        with contextlib.suppress(sqlite3.Error, WeekopsError):  # the record is committed; the next one catches up
            connection.execute("BEGIN IMMEDIATE")
            try:
                write_head_file(self.head_path, *(stored_head(connection) or (0, GENESIS)))
            finally:
                connection.execute("ROLLBACK")

    # -- refusals ----------------------------------------------------------------------------------------------

    def _check_version(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there. Raises ``LedgerError`` for another program's file and a newer schema."""
        version, application, tables = versions(connection)
        if tables and application != APPLICATION_ID:
            raise self._refused("is some other program's database", "It holds no weeks", "Choose another --report-dir")
        if version > SCHEMA_VERSION:
            raise self._refused(
                f"has schema version {version}, this program knows {SCHEMA_VERSION}",
                "A newer program wrote it, and reading it wrongly could lift a freeze",
                "Use that version of weekops",
            )
        return tables > 0

    def _refused(self, what: str, why: str, advice: str) -> LedgerError:
        return LedgerError(
            f"Ledger {self.path} {what.rstrip('.')}. {why}; nothing was changed. {advice}.", path=self.path
        )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite raises into sentences."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise self._refused(
                f"holds a record that is not JSON: {error}", "It was altered", "Restore the ledger from a copy"
            ) from error

    def _explain(self, error: sqlite3.Error) -> LedgerError:
        text = str(error)
        if is_busy(error):
            seconds = f"{self._busy_timeout_s:g}"
            return self._refused(
                f"is locked: another process has been writing for {seconds} s",
                "Two writers would break the chain",
                "Wait for it to end, or end it, and run this again",
            )
        if "readonly" in text or "unable to open" in text or isinstance(error, PermissionError):
            return self._refused(
                f"cannot be written or opened here ({text})",
                "What is not recorded cannot be proved",
                "Check the permissions of the file and its directory",
            )
        if "full" in text or "disk I/O" in text:
            return self._refused(
                f"cannot be used on its disk ({text})",
                "A record is written whole or taken back",
                "Make room on its disk, or look what is wrong with it, and run this again",
            )
        return self._refused(f"is damaged ({text})", "What it says cannot be trusted", "Restore the ledger from a copy")


def open_ledger(report_dir: Path) -> Ledger:
    """The ledger of a report directory."""
    return Ledger(report_dir / LEDGER_NAME)
