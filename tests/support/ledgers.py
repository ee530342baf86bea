"""Ledgers with records in them, and what somebody with the shell of their database would do to one."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.week.ledger import Ledger, open_ledger
from tests.support.postgres import Server

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


@dataclass(frozen=True)
class Kept:
    """A report directory and where its records are: in its own file, or in a schema of a server."""

    directory: Path
    server: Server | None = None
    schema: str = ""

    def ledger(self) -> Ledger:
        """The ledger, as every command opens it."""
        return open_ledger(self.directory)

    def filled(self, records: int = 4) -> Ledger:
        """The ledger with numbered records."""
        ledger = self.ledger()
        for number in range(1, records + 1):
            ledger.append("note", f"n{number}", {"number": number}, recorded_at="2026-11-24T12:00:00+00:00")
        return ledger

    def raw(self, *statements: str) -> None:
        """What somebody with its shell would do, written as for SQLite."""
        if self.server is None:
            raw(self.ledger(), *statements)
            return
        own = [re.sub(r"^(DROP TRIGGER \w+)$", r"\1 ON record", statement) for statement in statements]
        self.server.execute(f"SET search_path = {self.schema}", *own)
