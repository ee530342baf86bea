"""The ledger: an append-only SQLite file in which every record is chained by hash to the one before.

Beside ``ledger.sqlite`` lies ``ledger.head``: how many records there are and the hash of the last. A changed record,
one removed from the middle, a cut tail and a deleted ledger are all found by it. Somebody who rewrites the whole chain
and the head file is found only by a head kept elsewhere: every week's decision record holds one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.entry import GENESIS, RUN, Entry, RunEntry, canonical_json, chain_problems
from pytest_weekops.core.week.run_entry import run_directory, run_entry
from pytest_weekops.files.atomic import write_atomic

LEDGER_NAME = "ledger.sqlite"
APPLICATION_ID = 0x57454B4F  # "WEKO"
BUSY_TIMEOUT_S = 10.0
RUN_BUSY_TIMEOUT_S = 30.0  # a run took minutes: its record is worth a longer wait
PAUSE_S = 0.01
_FIRST_READ = "SELECT count(*) FROM sqlite_master"  # BEGIN alone takes no lock and no moment

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
        beside = self._head_file()  # before the records: a writer in between may add to them, never take away
        if not self.path.exists() or self.path.stat().st_size == 0:
            return (), _head_problems((), None, beside)
        with self._translated(), contextlib.closing(self._patiently(self._open_to_read)) as connection:
            has_tables = self._check_version(connection)  # without: another process is about to make them
            entries = tuple(_entries(connection)) if has_tables else ()
            head = _head(connection) if has_tables else None
        if entries and beside is None and self.head_path.exists():
            return self._read()  # the first record came in between, and a head file is never taken away
        return entries, [*chain_problems(entries), *_head_problems(entries, head, beside)]

    def _open_to_read(self, timeout_s: float) -> sqlite3.Connection:
        """A connection inside a read transaction: everything it reads is of one moment."""
        uri = self.path.absolute().as_uri()
        wal = self.path.with_name(self.path.name + "-wal")
        try:
            return _connected(f"{uri}?mode=ro", timeout_s, "BEGIN", _FIRST_READ)
        except sqlite3.OperationalError as error:
            # A WAL file cannot be opened in a read-only directory. Without a log there is nothing it could hide.
            unwritable = "unable to open" in str(error) or "readonly" in str(error)
            if not unwritable or (wal.exists() and wal.stat().st_size > 0):
                raise
            return _connected(f"{uri}?immutable=1", timeout_s, "BEGIN", _FIRST_READ)

    def _patiently(self, begin: Callable[[float], sqlite3.Connection]) -> sqlite3.Connection:
        """Begin, again and again while others hold the file: SQLite waits for some of its locks and not for all."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                return begin(max(0.0, deadline - time.monotonic()))
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_S)

    def _head_file(self) -> tuple[int, str] | None:
        try:
            if not self.head_path.is_file() and self.head_path.exists():
                return -1, ""  # reading a pipe would never end
            data = json.loads(self.head_path.read_text(encoding="utf-8"))
            return int(data["count"]), str(data["hash"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
            return -1, ""

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
                    self._write_head(0, GENESIS)
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
        self._migrate(connection)
        self._refuse_cut(connection)
        count, previous = _head(connection) or (0, GENESIS)
        if connection.execute("SELECT 1 FROM record WHERE kind = ? AND key = ?", (draft.kind, draft.key)).fetchone():
            raise DuplicateEntry(
                f"Ledger {self.path} holds {draft.kind} {draft.key!r} already. A record is written once; two with one "
                "name could not be told apart. Nothing was changed.",
                path=self.path,
            )
        numbered = Entry(count + 1, draft.kind, draft.key, draft.recorded_at, draft.body)
        entry = Entry(numbered.seq, draft.kind, draft.key, draft.recorded_at, draft.body, numbered.chained(previous))
        row = (entry.seq, entry.kind, entry.key, entry.recorded_at, canonical_json(entry.body), entry.hash)
        connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("UPDATE head SET count = ?, hash = ?", (entry.seq, entry.hash))
        return entry

    def _open_to_write(self, timeout_s: float) -> sqlite3.Connection:
        """A connection inside a write transaction."""
        uri = self.path.absolute().as_uri()
        with contextlib.closing(_connected(uri, timeout_s, "BEGIN", _FIRST_READ)) as connection:
            self._check_version(connection)  # before anything is set in a file that may be somebody else's
        return _connected(uri, timeout_s, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "BEGIN IMMEDIATE")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the schema up to date inside the caller's transaction."""
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for script in _MIGRATIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        if version < SCHEMA_VERSION:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _refuse_cut(self, connection: sqlite3.Connection) -> None:
        """Refuse to write behind a cut tail or a changed last record: the cut would be grown over."""
        last = list(_entries(connection, "ORDER BY seq DESC LIMIT 2"))[::-1]
        head, beside = _head(connection), self._head_file()
        problems = _head_problems(last, head, beside, at=lambda seq: _hash_at(connection, seq))
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
                self._write_head(*(_head(connection) or (0, GENESIS)))
            finally:
                connection.execute("ROLLBACK")

    def _write_head(self, count: int, digest: str) -> None:
        write_atomic(self.head_path, json.dumps({"count": count, "hash": digest}) + "\n")

    # -- refusals ----------------------------------------------------------------------------------------------

    def _check_version(self, connection: sqlite3.Connection) -> bool:
        """Whether the tables are there. Raises ``LedgerError`` for another program's file and a newer schema."""
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
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
        if _is_busy(error):
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


def _connected(uri: str, timeout_s: float, *statements: str) -> sqlite3.Connection:
    """A connection that has executed ``statements``; closed again where one of them fails."""
    connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _is_busy(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _statements(script: str) -> Iterator[str]:
    """Single statements of a script: ``executescript`` would commit the caller's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _entries(connection: sqlite3.Connection, order: str = "ORDER BY seq") -> Iterator[Entry]:
    query = f"SELECT seq, kind, key, recorded_at, body, hash FROM record {order}"  # noqa: S608 - a constant of ours
    for seq, kind, key, recorded_at, body, digest in connection.execute(query):
        yield Entry(int(seq), str(kind), str(key), str(recorded_at), json.loads(body), str(digest))


def _head(connection: sqlite3.Connection) -> tuple[int, str] | None:
    row = connection.execute("SELECT count, hash FROM head").fetchone()
    return (int(row[0]), str(row[1])) if row else None


def _hash_at(connection: sqlite3.Connection, seq: int) -> str:
    row = connection.execute("SELECT hash FROM record WHERE seq = ?", (seq,)).fetchone()
    return str(row[0]) if row else ""


def _head_problems(
    entries: tuple[Entry, ...] | list[Entry],
    head: tuple[int, str] | None,
    beside: tuple[int, str] | None,
    *,
    at: Callable[[int], str] | None = None,
) -> list[str]:
    """Sentences where the last record, the head table and the head file do not agree."""
    hashes = {entry.seq: entry.hash for entry in entries}
    count, last = (entries[-1].seq, entries[-1].hash) if entries else (0, GENESIS)
    problems = []
    if head is not None and head != (count, last):
        problems.append(
            f"The head table counts {head[0]} records and the last one is {count}: the end was cut or changed."
        )
    elif head is None and entries:
        problems.append("The head table is empty: it was removed.")
    if beside is None:
        if entries:
            problems.append("The head file is missing beside the ledger: whether records were cut off cannot be told.")
    elif beside[0] > count:
        problems.append(f"The head file counts {beside[0]} records, the ledger has {count}: the end was removed.")
    elif beside[0] < 0 or (beside[0] and (at(beside[0]) if at else hashes.get(beside[0])) != beside[1]):
        problems.append("The head file does not match the ledger: one of the two was changed.")
    return problems


# -- runs --------------------------------------------------------------------------------------------------------


def open_ledger(report_dir: Path) -> Ledger:
    """The ledger of a report directory."""
    return Ledger(report_dir / LEDGER_NAME)


def record_run(ledger_path: Path, decision: Mapping[str, Any]) -> RunEntry:
    """Enter a finished run by its decision document. Raises ``DuplicateEntry``, ``LedgerError`` or ``InputError``."""
    entry = run_entry(decision, decision_sha256=_hash_of_decision(decision, ledger_path.parent))
    ledger = Ledger(ledger_path, busy_timeout_s=RUN_BUSY_TIMEOUT_S)
    recorded = ledger.append(RUN, entry.run_id, entry.model_dump(mode="json", exclude={"seq"}))
    return entry.model_copy(update={"seq": recorded.seq})


def _hash_of_decision(decision: Mapping[str, Any], report_dir: Path) -> str:
    """SHA-256 of the run's ``decision.json``, or nothing where it has none."""
    path = report_dir / run_directory(decision) / "decision.json"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
