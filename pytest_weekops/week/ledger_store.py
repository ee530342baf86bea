"""What a ledger asks of whatever keeps its records: a file of SQLite, or a database of PostgreSQL.

A store keeps rows and transactions and proves nothing. Chain, head file and refusals are the ledger's, the same for
every store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import Entry

if TYPE_CHECKING:
    from pytest_weekops.week.ledger_head import Head


class LedgerError(InputError):
    """The ledger cannot be used; nothing was changed. ``path`` is its file, or would be where it is in a database."""

    def __init__(self, message: str, *, path: Path) -> None:
        super().__init__(message)
        self.path = path


class DuplicateEntry(LedgerError):
    """A record of this kind and key is in the ledger already."""


class UnsureEntry(LedgerError):
    """The connection was lost while a record was committed: whether it is in the ledger is not known."""


class StoreRefused(Exception):
    """Why a store cannot be used, in the three parts that a ledger's sentence is made of."""

    def __init__(self, what: str, why: str, advice: str) -> None:
        super().__init__(what)
        self.what, self.why, self.advice = what, why, advice


class StoreLost(StoreRefused):
    """The store went away, or has not come yet: the same may be tried again."""


@dataclass(frozen=True)
class Tail:
    """What a new record is held against: the one that has its name already, the last two in order, and the head table.

    ``head`` is None where that table is empty.
    """

    found: Entry | None
    last: tuple[Entry, ...]
    head: Head | None


class Reading(Protocol):
    """A transaction in which everything that is read is of one moment."""

    def entries(self) -> Iterator[Entry]:
        """The records in order. Raises ``ValueError`` for a body that is not JSON."""

    def head(self) -> Head | None:
        """Count and last hash by the head table; None where it is empty."""

    def hash_at(self, seq: int) -> str:
        """The hash of one record; empty where there is none of that number."""


class Writing(Reading, Protocol):
    """A transaction that keeps every other writer out until it ends."""

    def tail(self, kind: str, key: str) -> Tail:
        """What a record of this kind and key is held against. Raises ``ValueError`` for a body that is not JSON."""

    def add(self, entry: Entry) -> None:
        """Insert a record, and let the head table count it."""

    def commit(self) -> None:
        """Keep what was added. What was not committed when the transaction is left is taken back."""

    def again(self) -> AbstractContextManager[Reading]:
        """After a commit: keep every other writer out once more, to read what is there now."""


class Coordination(Protocol):
    """The right to coordinate, while it lasts."""

    def check(self) -> None:
        """Raise ``StoreRefused`` where it was lost, as with the connection that held it."""


class Store(Protocol):
    """Where records are kept."""

    @property
    def name(self) -> str:
        """What people call it: a path, or an address without its password."""

    @property
    def is_shared(self) -> bool:
        """Whether others keep records there from other report directories."""

    def reading(self, timeout_s: float) -> AbstractContextManager[Reading | None]:
        """Read; None where nothing was ever written. Raises ``StoreRefused``, ``StoreLost``."""

    def writing(self, timeout_s: float) -> AbstractContextManager[Writing]:
        """Write, with the tables made where they are not there. Raises ``StoreRefused``, ``StoreLost``."""

    def coordinating(self) -> AbstractContextManager[Coordination]:
        """Be the only coordinator of this ledger. Raises ``StoreRefused`` where another is."""
