"""The ledger's SQLite file: its schema and versions, connections inside a transaction, and rows as entries.

What SQLite raises goes through; whoever asks turns it into sentences.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pytest_weekops.core.week.entry import Entry, canonical_json

APPLICATION_ID = 0x57454B4F  # "WEKO"
FIRST_READ = "SELECT count(*) FROM sqlite_master"  # BEGIN alone takes no lock and no moment

_MIGRATIONS = (
    """
    CREATE TABLE record (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        body TEXT NOT NULL,
        hash TEXT NOT NULL,
        UNIQUE (kind, key)
    );
    CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL, hash TEXT NOT NULL);
    INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
    """,
    """
    CREATE TRIGGER record_is_never_changed BEFORE UPDATE ON record
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
    CREATE TRIGGER record_is_never_removed BEFORE DELETE ON record
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
    """,
)
SCHEMA_VERSION = len(_MIGRATIONS)

# -- connections -------------------------------------------------------------------------------------------------


def connected(uri: str, timeout_s: float, *statements: str) -> sqlite3.Connection:
    """A connection that has executed ``statements``; closed again where one of them fails."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection holds the file."""
    return "locked" in str(error) or "busy" in str(error)


def open_to_read(path: Path, timeout_s: float) -> sqlite3.Connection:
    """A connection inside a read transaction: everything it reads is of one moment."""
    uri = path.absolute().as_uri()
    wal = path.with_name(path.name + "-wal")
    try:
        return connected(f"{uri}?mode=ro", timeout_s, "BEGIN", FIRST_READ)
    except sqlite3.OperationalError as error:
        # A WAL file cannot be opened in a read-only directory. Without a log there is nothing it could hide.
        unwritable = "unable to open" in str(error) or "readonly" in str(error)
        if not unwritable or (wal.exists() and wal.stat().st_size > 0):
            raise
        return connected(f"{uri}?immutable=1", timeout_s, "BEGIN", FIRST_READ)


# -- schema ------------------------------------------------------------------------------------------------------


def versions(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Schema version, the program that the file is of, and how many tables, indexes and triggers it has."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    return version, application, int(connection.execute(FIRST_READ).fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date inside the caller's transaction."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    for script in _MIGRATIONS[version:]:
        for statement in _statements(script):
            connection.execute(statement)
    if version < SCHEMA_VERSION:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _statements(script: str) -> Iterator[str]:
    """Single statements of a script: ``executescript`` would commit the caller's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


# -- rows --------------------------------------------------------------------------------------------------------


def stored_entries(connection: sqlite3.Connection, which: str = "ORDER BY seq") -> Iterator[Entry]:
    """The records as they are stored. Raises ``ValueError`` for a body that is not JSON."""
    query = f"SELECT seq, kind, key, recorded_at, body, hash FROM record {which}"  # noqa: S608 - a constant of ours
    for seq, kind, key, recorded_at, body, digest in connection.execute(query):
        yield Entry(int(seq), str(kind), str(key), str(recorded_at), json.loads(body), str(digest))


def stored_head(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Count and last hash by the head table; None where it is empty."""
    row = connection.execute("SELECT count, hash FROM head").fetchone()
    return (int(row[0]), str(row[1])) if row else None


def hash_at(connection: sqlite3.Connection, seq: int) -> str:
    """The hash of one record; empty where there is none of that number."""
    row = connection.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone()
    return str(row[0]) if row else ""


def stored_of(connection: sqlite3.Connection, kind: str, key: str) -> Entry | None:
    """The record of this kind and key, if there is one."""
    row = connection.execute("SELECT seq FROM record WHERE kind = ? AND key = ?", (kind, key)).fetchone()
    return next(stored_entries(connection, f"WHERE seq = {int(row[0]):d}"), None) if row else None


def store(connection: sqlite3.Connection, entry: Entry) -> None:
    """Insert a record and let the head table count it, inside the caller's transaction."""
    row = (entry.seq, entry.kind, entry.key, entry.recorded_at, canonical_json(entry.body), entry.hash)
    connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute("UPDATE head SET count = ?, hash = ?", (entry.seq, entry.hash))
