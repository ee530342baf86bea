"""Where a report directory's ledger is: in a file of its own, or in a database that the directory has joined.

``WEEKOPS_LEDGER`` names the database, and the directory says by ``ledger.shared`` which of its ledgers it has joined.
One without the other is refused: a run that was meant for the team's ledger must not stand in another one, and no
directory comes into the team's channel only because a variable was set.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.week.ledger_head import SHARED_NAME, is_joined
from pytest_weekops.week.ledger_store import LedgerError

if TYPE_CHECKING:
    from pytest_weekops.week.ledger_postgres import PostgresStore

LEDGER_NAME = "ledger.sqlite"
USUAL = "main"
SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_SHORT = 4096


@dataclass(frozen=True)
class Joined:
    """Which ledger a directory has joined: its name within the database, and the id it was given when it was made."""

    ledger: str
    id: str


def address() -> str:
    """What ``WEEKOPS_LEDGER`` names; empty where it is not set."""
    return os.environ.get("WEEKOPS_LEDGER", "").strip()


def store_of(report_dir: Path) -> PostgresStore | None:
    """The database that the directory has joined, None for its own file. Raises ``LedgerError``, see above."""
    url, joined = address(), joined_by(report_dir)
    if joined is None:
        if not url or _is_aside(report_dir):
            return None
        raise LedgerError(
            f"WEEKOPS_LEDGER names the ledger {shown(url)}, and {report_dir}/ has not joined it. A run meant for one "
            "ledger must not stand in another, so nothing was done. `weekops ledger join` makes it one of the team's "
            "directories, `weekops ledger copy --to` takes the records along that it has; or unset WEEKOPS_LEDGER.",
            path=report_dir / LEDGER_NAME,
        )
    if not url:
        raise LedgerError(
            f"{report_dir}/ has joined the ledger {joined.ledger!r} of a database, and WEEKOPS_LEDGER does not name "
            "that. Another ledger would know nothing of its runs, so nothing was done. Set WEEKOPS_LEDGER to its "
            "address, postgresql://USER@HOST/DATABASE.",
            path=report_dir / LEDGER_NAME,
        )
    return database(url, joined.ledger, expected=joined.id, path=report_dir / LEDGER_NAME)


def database(url: str, name: str, *, expected: str = "", path: Path) -> PostgresStore:
    """One ledger of a database. Raises ``LedgerError`` for an address or a name that is none, and a missing library."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        raise LedgerError(
            f"{name!r:.60} is no name of a ledger. It becomes the name of a schema in the database. Take small "
            "letters, digits and hyphens, at most 40.",
            path=path,
        )
    parts = _parts(url)
    if parts is None or not parts.path.strip("/"):
        raise _no_address(url, path)
    try:
        from pytest_weekops.week.ledger_postgres import PostgresStore
    except ImportError as error:
        raise LedgerError(
            f"The ledger {shown(url)} needs a library that is not installed here ({error.name or error}). Without it "
            'nothing can be read or recorded, so nothing was done. pip install "pytest-weekops[fleet]".',
            path=path,
        ) from error
    try:
        return PostgresStore(url, name, shown=shown(url), secrets=_secrets_of(parts), expected=expected)
    except ValueError as error:
        raise _no_address(url, path) from error


def _no_address(url: str, path: Path) -> LedgerError:
    return LedgerError(
        f"WEEKOPS_LEDGER, or --to, does not name a database of PostgreSQL ({shown(url)}), so there is no ledger to "
        "use and nothing was done. Write postgresql://USER@HOST/DATABASE; a password is better kept in ~/.pgpass.",
        path=path,
    )


def shown(url: str) -> str:
    """An address as it may be printed: without password and options, and nothing at all of what cannot be read."""
    parts = _parts(url)
    if parts is None:
        return "an address that cannot be read"
    port = f":{parts.port}" if parts.port else ""
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _parts(url: str) -> SplitResult | None:
    """The parts of an address of PostgreSQL; None for what is none, or hides half a password in another part."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    is_one = parts.scheme in SCHEMES and url.lower().startswith(f"{parts.scheme}://")
    return parts if is_one and "@" not in parts.path + parts.fragment else None


def _secrets_of(parts: SplitResult) -> tuple[str, ...]:
    """What must not be printed, wherever it turns up: the password as it stands in the address and as it is sent."""
    found = [parts.password or "", *re.findall(r"(?:^|&)(?:password|sslpassword)=([^&]*)", parts.query)]
    return tuple(dict.fromkeys(text for each in found for text in (each, unquote(each)) if text))


# -- what a directory has joined ---------------------------------------------------------------------------------


def joined_by(report_dir: Path) -> Joined | None:
    """The ledger that the directory has joined. Raises ``LedgerError`` where that cannot be read."""
    place = report_dir / SHARED_NAME
    if not is_joined(report_dir):
        return None
    try:
        is_usual = place.is_file() and place.stat().st_size <= _SHORT  # reading a pipe would never end
        data = json.loads(place.read_text(encoding="utf-8") if is_usual else "")
        return Joined(str(data["ledger"]), str(data["id"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise LedgerError(
            f"{place} cannot be read: {error}. Which ledger the directory has joined is not known, so nothing was "
            "done. Restore the file from a copy, or join again: weekops ledger join.",
            path=report_dir / LEDGER_NAME,
        ) from error


def write_joined(report_dir: Path, joined: Joined) -> None:
    """Let the directory say which ledger it has joined."""
    write_atomic(report_dir / SHARED_NAME, json.dumps({"ledger": joined.ledger, "id": joined.id}) + "\n")


def _is_aside(report_dir: Path) -> bool:
    """Whether the directory holds what moves nobody's channel: A/A runs, a rollback's checks, its rehearsals.

    Their ledgers are files in them, whatever the variable says.
    """
    parts = report_dir.absolute().parts
    return parts[-1:] == ("aa",) or parts[-2:] == ("runtime", "checks") or parts[-2:-1] == ("rehearsals",)
