"""A ledger's records in PostgreSQL, for a team: a schema of their own in its database, reached by SQLAlchemy Core.

Imported only where a directory has joined such a ledger: SQLAlchemy alone takes longer to import than a command takes.
Every transaction has a connection of its own. A writer holds an advisory lock until its transaction ends.
"""

from __future__ import annotations

import contextlib
import json
import secrets as random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import psycopg  # noqa: F401 - missing, it is to be said before a connection is tried
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from pytest_weekops.core.week.entry import Entry, canonical_json
from pytest_weekops.week.ledger_head import Head
from pytest_weekops.week.ledger_postgres_errors import explained
from pytest_weekops.week.ledger_postgres_tables import SCHEMA_VERSION, Tables, is_made, make, tables_of
from pytest_weekops.week.ledger_store import StoreRefused, Tail

WRITING, COORDINATING = 0x57454B4F, 0x57454B43  # the first of an advisory lock's two numbers
CONNECT_TIMEOUT_S = 5
# A peer that went away without a word is noticed, instead of being waited for without end.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_LOCK = sql.text(  # the settings first: a condition on them holds before there is a row to lock for
    "SELECT pg_advisory_xact_lock(:writing, hashtext(:schema)) FROM (SELECT "
    "set_config('lock_timeout', :ms, true) AS waits, set_config('statement_timeout', :longest, true) AS takes, "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, true) AS kept "  # what was told of is not lost with the server
    "OFFSET 0) AS settings WHERE waits <> '' AND takes <> '' AND kept <> ''"
)
LONGEST_STATEMENT_MS = 120_000


class PostgresRead:
    """What a transaction reads."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self.connection, self.tables = connection, tables

    def entries(self) -> Iterator[Entry]:
        """The records in order."""
        record = self.tables.record
        return map(_entry, self.connection.execute(sql.select(record).order_by(record.c.seq)))

    def head(self) -> Head | None:
        """Count and last hash by the head table."""
        row = self.connection.execute(self.tables.counted).first()
        return (int(row[0]), str(row[1])) if row else None

    def hash_at(self, seq: int) -> str:
        """The hash of one record."""
        record = self.tables.record
        return str(self.connection.execute(sql.select(record.c.hash).where(record.c.seq == seq)).scalar() or "")


class PostgresWrite(PostgresRead):
    """A transaction that holds the writers' lock."""

    def __init__(self, store: PostgresStore, connection: Connection, timeout_s: float) -> None:
        super().__init__(connection, store.tables)
        self._store, self._timeout_s = store, timeout_s

    def tail(self, kind: str, key: str) -> Tail:
        """What a record of this kind and key is held against."""
        rows: dict[str, list[Sequence[Any]]] = {"found": [], "last": [], "head": []}
        for what, *row in self.connection.execute(self.tables.tail, {"of_kind": kind, "of_key": key}):
            rows[what].append(row)
        found, last = (sorted(map(_entry, rows[what]), key=lambda entry: entry.seq) for what in ("found", "last"))
        head = next(((int(row[0]), str(row[-1])) for row in rows["head"]), None)
        return Tail(found[0] if found else None, tuple(last), head)

    def add(self, entry: Entry) -> None:
        """Insert a record."""
        row = (entry.seq, entry.kind, entry.key, entry.recorded_at, canonical_json(entry.body), entry.hash)
        names = ("new_seq", "new_kind", "new_key", "new_recorded_at", "new_body", "new_hash")
        self.connection.execute(self.tables.add, dict(zip(names, row, strict=True)))

    def commit(self) -> None:
        """Keep what was added."""
        self.connection.commit()

    @contextlib.contextmanager
    def again(self) -> Iterator[PostgresRead]:
        """Under the writers' lock once more."""
        with self._store.translated(self._timeout_s):
            self._store.lock(self.connection, self._timeout_s)
            yield self
            self.connection.rollback()


class Held:
    """A right to coordinate that ends with the connection that holds it."""

    def __init__(self, store: PostgresStore, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def check(self) -> None:
        """Raise ``StoreRefused`` where the connection was lost."""
        try:
            with self._store.translated(0.0):
                self._connection.execute(sql.text("SELECT 1"))
        except StoreRefused as error:
            raise StoreRefused(
                f"was lost while it was coordinated ({error.what})",
                "Another coordinator may have begun since, and nothing keeps the two apart",
                "Look at the server, and start this again: what is in the ledger stays",
            ) from error


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    """An engine without a pool, which keeps what it compiled. Raises ``ValueError`` for what SQLAlchemy cannot read."""
    try:
        parsed = sql.make_url(url).set(drivername="postgresql+psycopg")
        given = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "weekops", **_ALIVE}
        more = {name: value for name, value in given.items() if name not in parsed.query}
        return sql.create_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args=more)
    except (sql.exc.ArgumentError, TypeError) as error:
        raise ValueError("no address") from error


class PostgresStore:
    """One ledger of a database, by its name."""

    is_shared = True

    def __init__(self, url: str, ledger: str, *, shown: str, secrets: tuple[str, ...] = (), expected: str = "") -> None:
        self.ledger, self.expected = ledger, expected
        self.tables = tables_of(f"weekops_{ledger.replace('-', '_')}")
        self._shown, self._secrets = shown, secrets
        self._engine = _engine(url)

    @property
    def name(self) -> str:
        """Its address without a password, and which of the database's ledgers it is."""
        return f"{self._shown} ({self.ledger})"

    # -- transactions ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self, timeout_s: float) -> Iterator[PostgresRead | None]:
        """A read transaction; None where there are no tables and none are expected."""
        with self.translated(timeout_s), self._connected("REPEATABLE READ", read_only=True) as connection:
            yield PostgresRead(connection, self.tables) if self._check(connection) else None

    @contextlib.contextmanager
    def writing(self, timeout_s: float) -> Iterator[PostgresWrite]:
        """A transaction under the writers' lock, with the tables made where they are not there."""
        with self.translated(timeout_s), self._connected("READ COMMITTED") as connection:
            self.lock(connection, timeout_s)
            if not self._check(connection):
                make(connection, self.tables, identity=random.token_hex(8))
            yield PostgresWrite(self, connection, timeout_s)

    def identity(self, timeout_s: float) -> str | None:
        """The id that this ledger was given when it was made; None where there is none yet."""
        with self.reading(timeout_s) as reading:
            return None if reading is None else str(_identity(reading.connection, self.tables)[0])

    @contextlib.contextmanager
    def _connected(self, isolation: str, *, read_only: bool = False) -> Iterator[Connection]:
        options: dict[str, Any] = {"isolation_level": isolation, "postgresql_readonly": read_only}
        try:
            opened = self._engine.connect()
        except sql.exc.SQLAlchemyError as error:
            raise explained(error, self._secrets, is_connecting=True) from None
        with opened as connection:
            yield connection.execution_options(**options)

    def lock(self, connection: Connection, timeout_s: float) -> None:
        """Keep every other writer of this ledger out until the transaction ends."""
        settings = {"ms": f"{max(1, round(timeout_s * 1000))}", "longest": f"{LONGEST_STATEMENT_MS}"}
        connection.execute(_LOCK, {**settings, "writing": WRITING, "schema": self.tables.schema})

    @property
    def _number(self) -> Any:
        return sql.func.hashtext(self.tables.schema)

    def _check(self, connection: Connection) -> bool:
        """Whether the tables are there. Raises ``StoreRefused`` for another program's, a newer, another ledger."""
        there = is_made(connection, self.tables)
        if there is False and not self.expected:
            return False
        if there is None:
            raise StoreRefused(
                f"has tables of some other program in its schema {self.tables.schema}",
                "They hold no weeks",
                "Choose another --as NAME",
            )
        identity, version = _identity(connection, self.tables) if there else ("", 0)
        if version > SCHEMA_VERSION:
            raise StoreRefused(
                f"has schema version {version}, this program knows {SCHEMA_VERSION}",
                "A newer program wrote it, and reading it wrongly could lift a freeze",
                "Use that version of weekops",
            )
        if self.expected and identity != self.expected:
            raise StoreRefused(
                "is not the ledger that this directory has joined: " + ("it was made anew" if there else "it is gone"),
                "What was recorded before would be forgotten",
                "Check WEEKOPS_LEDGER, and restore the database from a copy",
            )
        return True

    # -- one coordinator ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def coordinating(self) -> Iterator[Held]:
        """Hold an advisory lock with a connection of its own, which the server lets go of with it."""
        with self.translated(0.0), self._connected("AUTOCOMMIT") as connection:
            taken = sql.select(sql.func.pg_try_advisory_lock(COORDINATING, self._number))
            if connection.execute(taken).scalar() is not True:
                raise StoreRefused(
                    "has a coordinator already",
                    "Two would each enter what the other does not know of",
                    "Wait for it to end, or end it",
                )
            yield Held(self, connection)

    @contextlib.contextmanager
    def translated(self, timeout_s: float) -> Iterator[None]:
        """Turn what the library and the server raise into parts of a sentence, without a password."""
        try:
            yield
        except sql.exc.SQLAlchemyError as error:
            raise explained(
                error, self._secrets, timeout_s=timeout_s
            ) from None  # the library's own words may show an address


def _entry(row: Sequence[Any]) -> Entry:
    seq, kind, key, recorded_at, body, digest = row
    return Entry(int(seq), str(kind), str(key), str(recorded_at), json.loads(body), str(digest))


def _identity(connection: Connection, tables: Tables) -> tuple[str, int]:
    row = connection.execute(tables.about).first()
    return (str(row[0]), int(row[1])) if row else ("", 0)
