"""The head file beside a ledger: how many records there are and the hash of the last, so that a cut tail is found.

In a directory that has joined a team's ledger it says so, too: the file that the directory had before knows nothing of
what others recorded since, and is not read again because the directory's own mark was lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_weekops.core.week.entry import GENESIS, Entry
from pytest_weekops.files.atomic import write_atomic

SHARED_NAME = "ledger.shared"
_JOINED = "joined"
_LEFT_BEHIND = (
    "The head file says that this directory has joined a ledger in a database, and its mark, ledger.shared, is gone: "
    "join again with `weekops ledger join`."
)
Head = tuple[int, str]


def is_joined(directory: Path) -> bool:
    """Whether the directory says of itself that its ledger is in a database."""
    place = directory / SHARED_NAME
    return place.exists() or place.is_symlink()


def read_head_file(path: Path) -> Head | None:
    """Count and hash; None where there is no file, ``(-1, "")`` where it cannot be read or holds something else."""
    try:
        data = _read(path)
        return int(data["count"]), str(data["hash"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return -1, ""


def left_behind(path: Path) -> list[str]:
    """A sentence where a head file is that of a team's ledger, for who is about to take a file for the ledger."""
    try:
        joined = _read(path).get(_JOINED)
    except (OSError, ValueError, AttributeError, RecursionError):
        return []  # what is wrong with it is told by `head_problems`
    return [_LEFT_BEHIND] if joined else []


def _read(path: Path) -> Any:
    if not path.is_file() and path.exists():
        raise ValueError("it is no file, and reading a pipe would never end")
    return json.loads(path.read_text(encoding="utf-8"))


def write_head_file(path: Path, count: int, digest: str) -> None:
    """Write it whole, with whether its directory has joined a team's ledger. Raises ``WeekopsError`` without room."""
    joined = {_JOINED: True} if is_joined(path.parent) else {}
    write_atomic(path, json.dumps({"count": count, "hash": digest, **joined}) + "\n")


def head_problems(
    entries: Sequence[Entry],
    head: Head | None,
    beside: Head | None,
    *,
    at: Callable[[int], str] | None = None,
) -> list[str]:
    """Sentences where the last record, the head table and the head file do not agree.

    ``at`` gives the hash of a record that is not among ``entries``.
    """
    hashes = {entry.seq: entry.hash for entry in entries}

    def hash_of(seq: int) -> str | None:
        return hashes.get(seq) or (at(seq) if at else None)

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
    elif beside[0] < 0 or (beside[0] and hash_of(beside[0]) != beside[1]):
        problems.append("The head file does not match the ledger: one of the two was changed.")
    return problems
