"""The ledger's file: its schema brought up to date, its triggers, and files that are another's, newer or damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pytest_weekops.core.week.entry import GENESIS, Entry
from pytest_weekops.week.ledger import LedgerError, open_ledger
from pytest_weekops.week.ledger_tables import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    connected,
    hash_at,
    migrate,
    store,
    stored_entries,
    stored_head,
    stored_of,
    versions,
)
from tests.support.ledgers import WITHOUT_TRIGGERS, filled, raw


@pytest.mark.parametrize("statement", ["UPDATE record SET body = '{}' WHERE seq = 2", "DELETE FROM record"])
def test_the_file_itself_refuses_changes(tmp_path: Path, statement: str) -> None:
    """The triggers stop an honest mistake."""
    ledger = filled(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger, statement)


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Reading what one does not understand could lift a freeze."""
    ledger = filled(tmp_path)
    raw(ledger, "PRAGMA user_version = 99")
    for use in (ledger.entries, lambda: ledger.append("note", "n5", {})):
        with pytest.raises(LedgerError, match="schema version 99"):
            use()
    raw(ledger, "PRAGMA user_version = 2")
    assert len(ledger.entries()) == 4


def test_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """The triggers of the second version arrive with the next record."""
    ledger = filled(tmp_path)
    raw(ledger, *WITHOUT_TRIGGERS, "PRAGMA user_version = 1")
    assert len(ledger.entries()) == 4
    ledger.append("note", "n5", {})
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(ledger, "DELETE FROM record WHERE seq = 5")


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """A browser's history is no ledger."""
    ledger = open_ledger(tmp_path)
    raw(ledger, "CREATE TABLE record (seq INTEGER)")
    with pytest.raises(LedgerError, match="some other program's"):
        ledger.append("note", "n1", {})
    raw(ledger, f"PRAGMA application_id = {APPLICATION_ID + 1}")
    with pytest.raises(LedgerError, match="some other program's"):
        ledger.entries()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is not written over."""
    ledger = open_ledger(tmp_path)
    ledger.path.write_bytes(content)
    with pytest.raises(LedgerError):
        ledger.entries()
    with pytest.raises(LedgerError):
        ledger.append("note", "n1", {})
    assert ledger.path.read_bytes() == content


def test_a_record_is_stored_with_the_head_table_in_one_transaction(tmp_path: Path) -> None:
    """Taken back together, as is the schema that the first one brought."""
    connection = connected((tmp_path / "new.sqlite").as_uri(), 1.0, "BEGIN IMMEDIATE")
    assert versions(connection) == (0, 0, 0)
    migrate(connection)
    assert versions(connection)[:2] == (SCHEMA_VERSION, APPLICATION_ID)
    assert stored_head(connection) == (0, GENESIS)
    entry = Entry(1, "note", "n1", "2026-11-24T12:00:00+00:00", {"number": 1}, "ab")
    store(connection, entry)
    assert list(stored_entries(connection)) == [entry]
    assert stored_head(connection) == (1, "ab")
    assert (hash_at(connection, 1), hash_at(connection, 2)) == ("ab", "")
    assert (stored_of(connection, "note", "n1"), stored_of(connection, "run", "n1")) == (entry, None)
    connection.execute("ROLLBACK")
    assert versions(connection) == (0, 0, 0)
    connection.close()


def test_a_connection_that_cannot_begin_is_closed(tmp_path: Path) -> None:
    """What SQLite says goes through, and the file is free."""
    uri = (tmp_path / "new.sqlite").as_uri()
    with pytest.raises(sqlite3.OperationalError):
        connected(uri, 1.0, "BEGIN EXCLUSIVE", "no statement")
    other = connected(uri, 0.0, "BEGIN EXCLUSIVE")
    other.close()
