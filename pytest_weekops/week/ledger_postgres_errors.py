"""What PostgreSQL and its libraries raise, as the parts of a sentence: what may be tried again, and what may not."""

from __future__ import annotations

import sqlalchemy as sql

from pytest_weekops.week.ledger_store import StoreLost, StoreRefused

# What no waiting mends, in the words of servers and of the library: whatever else keeps one from connecting may pass.
_LASTING = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "not currently accepting",
    "no password supplied",
    "certificate",
    "invalid",
    "Name or service not known",
)
_AWAY = ("57P01", "57P02", "57P03", "53300", "08")
_RIGHTS = ("42501", "25006", "28")
_LOCKED = ("55P03",)
_ROOM = ("53", "58")


def explained(
    error: sql.exc.SQLAlchemyError, secrets: tuple[str, ...], *, timeout_s: float = 0.0, is_connecting: bool = False
) -> StoreRefused:
    """What to say of an error; ``secrets`` are left out of it.

    An error without the server's own code comes from the way to it: the connection is lost, unless there was none yet.
    """
    cause = error.orig if isinstance(error, sql.exc.DBAPIError) else None
    state = str(getattr(cause, "sqlstate", "") or "")
    text = _words(str(cause or error), secrets)
    is_ways = not state and isinstance(error, sql.exc.OperationalError | sql.exc.InterfaceError)
    is_passing = not (is_connecting and any(word in text for word in _LASTING))
    if state.startswith(_AWAY) or (is_ways and is_passing):
        return StoreLost(
            f"cannot be reached ({text})",
            "What is not recorded cannot be proved",
            "See whether the server runs and answers, and run this again",
        )
    if state.startswith(_LOCKED):
        return StoreRefused(
            f"is locked: another process has been writing for {timeout_s:g} s",
            "Two writers would break the chain",
            "Wait for it to end, or end it, and run this again",
        )
    if state.startswith(_RIGHTS):
        return StoreRefused(
            f"does not let this user do that ({text})",
            "What is not recorded cannot be proved",
            "Have its owner grant what is missing",
        )
    if state.startswith(_ROOM):
        return StoreRefused(
            f"has no room ({text})", "A record is written whole or taken back", "Make room on the server"
        )
    if is_ways:
        return StoreRefused(
            f"cannot be opened ({text})",
            "What is not recorded cannot be proved",
            "Check address, database, user and password; a password may stand in ~/.pgpass",
        )
    return StoreRefused(f"does not take that ({text})", "What it says cannot be trusted", "Look at the database")


def _words(text: str, secrets: tuple[str, ...]) -> str:
    """The first lines of a message in one, shortened, and without what nobody may see."""
    for secret in secrets:
        text = text.replace(secret, "***")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines)[:300].rstrip(".")
