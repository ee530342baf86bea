"""Ledgers with records in them, and what somebody with the sqlite3 shell would do to one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pytest_weekops.week.ledger import Ledger, open_ledger

WITHOUT_TRIGGERS = ("DROP TRIGGER record_is_never_changed", "DROP TRIGGER record_is_never_removed")


def filled(directory: Path, records: int = 4) -> Ledger:
    """A ledger with numbered records, its log folded into the file."""
    ledger = open_ledger(directory)
    for number in range(1, records + 1):
        ledger.append("note", f"n{number}", {"number": number}, recorded_at="2026-11-24T12:00:00+00:00")
    raw(ledger, "PRAGMA wal_checkpoint(TRUNCATE)")
    return ledger


def raw(ledger: Ledger, *statements: str) -> None:
    """What somebody with the sqlite3 shell would do."""
    connection = sqlite3.connect(ledger.path, isolation_level=None)
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.close()
