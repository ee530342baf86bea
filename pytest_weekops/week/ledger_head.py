"""The head file beside a ledger: how many records there are and the hash of the last, so that a cut tail is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_weekops.core.week.entry import GENESIS, Entry
from pytest_weekops.files.atomic import write_atomic

Head = tuple[int, str]


def read_head_file(path: Path) -> Head | None:
    """Count and hash; None where there is no file, ``(-1, "")`` where it cannot be read or holds something else."""
    try:
        if not path.is_file() and path.exists():
            return -1, ""  # reading a pipe would never end
        data = json.loads(path.read_text(encoding="utf-8"))
        return int(data["count"]), str(data["hash"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return -1, ""


def write_head_file(path: Path, count: int, digest: str) -> None:
    """Write it whole. Raises ``WeekopsError`` where there is no room."""
    write_atomic(path, json.dumps({"count": count, "hash": digest}) + "\n")


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
