"""A ledger's records in a file of SQLite beside the runs, as they are kept where nothing else is asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pytest_weekops.core.week.entry import Entry
from pytest_weekops.week.ledger_head import Head
from pytest_weekops.week.ledger_store import StoreRefused, Tail
from pytest_weekops.week.ledger_tables import (
    APPLICATION_ID,
    FIRST_READ,
    SCHEMA_VERSION,
    connected,
    hash_at,
    is_busy,
    migrate,
    open_to_read,
    store,
    stored_entries,
    stored_head,
    stored_of,
    versions,
)

PAUSE_S = 0.01
COORDINATING_NAME = "ledger.coordinating"


class SqliteRead:
    """What a connection reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def entries(self) -> Iterator[Entry]:
        """The records in order."""
        return stored_entries(self.connection)

    def head(self) -> Head | None:
        """Count and last hash by the head table."""
        return stored_head(self.connection)

    def hash_at(self, seq: int) -> str:
        """The hash of one record."""
        return hash_at(self.connection, seq)


class SqliteWrite(SqliteRead):
    """A connection inside a write transaction."""

    def tail(self, kind: str, key: str) -> Tail:
        """What a record of this kind and key is held against."""
        last = tuple(stored_entries(self.connection, "ORDER BY seq DESC LIMIT 2"))[::-1]
        return Tail(stored_of(self.connection, kind, key), last, self.head())

    def add(self, entry: Entry) -> None:
        """Insert a record."""
        store(self.connection, entry)

    def commit(self) -> None:
        """Keep what was added."""
        self.connection.execute("COMMIT")

    @contextlib.contextmanager
    def again(self) -> Iterator[SqliteRead]:
        """Under the writers' lock once more."""
        with _translated(0.0):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
            finally:
                self.connection.execute("ROLLBACK")


class Held:
    """A right to coordinate that ends with the process and not before."""

    def check(self) -> None:
        """It is held."""


class SqliteStore:
    """One file. Nothing is created before the first record."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @contextlib.contextmanager
    def reading(self, timeout_s: float) -> Iterator[SqliteRead | None]:
        """A read transaction; None where there is no file, no tables, or nobody has written yet."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            yield None
            return
        with _translated(timeout_s), contextlib.closing(_patiently(partial(open_to_read, self.path), timeout_s)) as one:
            # Without tables another process is about to make them.
            yield SqliteRead(one) if _check_version(one) else None

    @contextlib.contextmanager
    def writing(self, timeout_s: float) -> Iterator[SqliteWrite]:
        """A write transaction, with the schema brought up to date."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreRefused(
                f"cannot be created: {error.strerror}", "Nothing can be recorded", "Check the path"
            ) from error
        with _translated(timeout_s), contextlib.closing(_patiently(self._open_to_write, timeout_s)) as connection:
            try:
                _check_version(connection)
                migrate(connection)
                yield SqliteWrite(connection)
            finally:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")

    def _open_to_write(self, timeout_s: float) -> sqlite3.Connection:
        """A connection inside a write transaction."""
        uri = self.path.absolute().as_uri()
        with contextlib.closing(connected(uri, timeout_s, "BEGIN", FIRST_READ)) as connection:
            _check_version(connection)  # before anything is set in a file that may be somebody else's
        return connected(uri, timeout_s, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")

    @contextlib.contextmanager
    def coordinating(self) -> Iterator[Held]:
        """Hold a lock on a file beside, which the system lets go of with the process."""
        place = self.path.with_name(COORDINATING_NAME)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreRefused(
                f"has no place for its coordinator's lock: {error.strerror}",
                "Two could not be told apart",
                f"Check {place}",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreRefused(
                "has a coordinator already, in another process",
                "Two would each enter what the other does not know of",
                "Wait for it to end, or end it",
            ) from error
        try:
            yield Held()
        finally:
            os.close(descriptor)


def _patiently(begin: Callable[[float], sqlite3.Connection], timeout_s: float) -> sqlite3.Connection:
    """Begin, again and again while others hold the file: SQLite waits for some of its locks and not for all."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return begin(max(0.0, deadline - time.monotonic()))
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_S)


def _check_version(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there. Raises ``StoreRefused`` for another program's file and a newer schema."""
    version, application, tables = versions(connection)
    if tables and application != APPLICATION_ID:
        raise StoreRefused("is some other program's database", "It holds no weeks", "Choose another --report-dir")
    if version > SCHEMA_VERSION:
        raise StoreRefused(
            f"has schema version {version}, this program knows {SCHEMA_VERSION}",
            "A newer program wrote it, and reading it wrongly could lift a freeze",
            "Use that version of weekops",
        )
    return tables > 0


@contextlib.contextmanager
def _translated(timeout_s: float) -> Iterator[None]:
    """Turn what SQLite raises into parts of a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, timeout_s) from error


def _explain(error: sqlite3.Error, timeout_s: float) -> StoreRefused:
    text = str(error)
    if is_busy(error):
        return StoreRefused(
            f"is locked: another process has been writing for {timeout_s:g} s",
            "Two writers would break the chain",
            "Wait for it to end, or end it, and run this again",
        )
    if "readonly" in text or "unable to open" in text or isinstance(error, PermissionError):
        return StoreRefused(
            f"cannot be written or opened here ({text})",
            "What is not recorded cannot be proved",
            "Check the permissions of the file and its directory",
        )
    if "full" in text or "disk I/O" in text:
        return StoreRefused(
            f"cannot be used on its disk ({text})",
            "A record is written whole or taken back",
            "Make room on its disk, or look what is wrong with it, and run this again",
        )
    return StoreRefused(f"is damaged ({text})", "What it says cannot be trusted", "Restore the ledger from a copy")
