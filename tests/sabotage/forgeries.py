"""What somebody does to a report directory: files changed, exchanged, taken away, and ledgers rewritten."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_weekops.evidence import baselines
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.ledger import open_ledger
from tests.sabotage.alterations import edited, entries_of, write_entries
from tests.support.ledgers import WITHOUT_TRIGGERS, raw
from tests.support.weeks import add_run

AFTER = "2026-11-24T18:00:00+00:00"


def failed(reports: Path, changes: dict[str, Any] | None = None, *, recorded: bool = True) -> None:
    """A run after all others in which a cell crashed, by a plan with these changes."""
    from tests.support.synthetic import make_plan

    plan = make_plan("weekly", **(changes or {}))
    add_run(reports, "bad", plan=plan, created_at=AFTER, crash=True, recorded=recorded, end=True)
    hour_ago = time.time() - 3600  # it is not being recorded any more
    os.utime(reports / "bad" / "decision.json", (hour_ago, hour_ago))


def killed(reports: Path, changes: dict[str, Any] | None = None) -> None:
    """The same, killed before it came to a decision."""
    failed(reports, changes, recorded=False)
    (reports / "bad" / "decision.json").unlink()


def answered(reports: Path, changes: dict[str, Any]) -> None:
    """A later run that promotes, by a plan with these changes."""
    from tests.support.synthetic import make_plan

    policy = changes.pop("policy", None)
    plan = make_plan("weekly", **changes)
    add_run(reports, "next", plan=plan, created_at="2026-11-24T19:00:00+00:00", policy_changes=policy, end=True)


def sql(reports: Path, *statements: str) -> None:
    """Statements of somebody with the sqlite3 shell."""
    raw(open_ledger(reports), *WITHOUT_TRIGGERS, *statements)


def body(reports: Path, key: str, changes: dict[str, Any]) -> None:
    """Other facts in the body of one record."""
    entry = next(e for e in open_ledger(reports).entries() if e.key == key)
    text = json.dumps({**entry.body, **changes}).replace("'", "''")
    sql(reports, f"UPDATE record SET body = '{text}' WHERE seq = {entry.seq}")


def cut(reports: Path, keep: int, *, table: bool = False, file: bool = False) -> None:
    """The records after the first ``keep`` removed; head table and head file made to fit, or not."""
    ledger = open_ledger(reports)
    last = ledger.entries()[keep - 1]
    head = [f"UPDATE head SET count = {keep}, hash = '{last.hash}'"] if table else []
    sql(reports, f"DELETE FROM record WHERE seq > {keep}", *head)
    if file:
        ledger.head_path.write_text(json.dumps({"count": keep, "hash": last.hash}), encoding="utf-8")


def cut_in_table(reports: Path, keep: int) -> None:
    """The head file alone knows better."""
    cut(reports, keep, table=True)


def cut_whole(reports: Path, keep: int) -> None:
    """The chain closed again, as somebody does who knows how it is made."""
    cut(reports, keep, table=True, file=True)


def begun_anew(reports: Path) -> None:
    """The ledger deleted, and a run that promotes after it."""
    remove(reports, "ledger*")
    add_run(reports, "next", created_at="2026-11-24T19:00:00+00:00", end=True)


def older_ledger(reports: Path) -> None:
    """The ledger of before the failed run, put back from a copy."""
    kept = reports.parent / "kept"
    kept.mkdir()
    raw(open_ledger(reports), "PRAGMA wal_checkpoint(TRUNCATE)")
    for path in reports.glob("ledger*"):
        shutil.copy(path, kept)
    failed(reports)
    remove(reports, "ledger*")
    for path in kept.glob("ledger*"):
        shutil.copy(path, reports)


def foreign_ledger(reports: Path) -> None:
    """The ledger of another directory, in which all promoted."""
    other = reports.parent / "other"
    add_run(other, "elsewhere", created_at="2026-11-24T07:00:00+00:00", end=True)
    raw(open_ledger(other), "PRAGMA wal_checkpoint(TRUNCATE)")
    remove(reports, "ledger*")
    for path in other.glob("ledger*"):
        shutil.copy(path, reports)


def journal(reports: Path, run: str, *edits: dict[str, Any]) -> None:
    """A run's journal edited, with numbers and checksums that fit."""
    path = reports / run / "journal.jsonl"
    write_entries(path, edited(entries_of(path), edits))


def decided(reports: Path, run: str) -> None:
    """The decision made to fit an edited journal."""
    path = reports / run / "decision.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["artifacts"][0]["sha256"] = hash_file(reports / run / "journal.jsonl")
    path.write_text(json.dumps(document), encoding="utf-8")


def lines(reports: Path, run: str, change: str) -> None:
    """The lines of a journal changed as they stand."""
    path = reports / run / "journal.jsonl"
    found = path.read_bytes().splitlines(keepends=True)
    changes: dict[str, Callable[[], list[bytes]]] = {
        "repeat": lambda: [*found[:5], *found[4:]],
        "leave out": lambda: [*found[:3], *found[4:]],
        "exchange": lambda: [*found[:5], found[6], found[5], *found[7:]],
        "edit": lambda: [line.replace(b'"steal_percent":0.0', b'"steal_percent":0.1') for line in found],
        "version": lambda: [line.replace(b'{"v":2,', b'{"v":3,') for line in found],
        "append": lambda: [*found, found[-1]],
        "cut": lambda: found[:-3],
        "tear": lambda: [*found[:-1], found[-1][:-9]],
    }
    path.write_bytes(b"".join(changes[change]()))


def write(reports: Path, name: str, text: str = "") -> None:
    """A file with this text."""
    for path in _named(reports, name):
        path.write_text(text, encoding="utf-8")


def replaced(reports: Path, name: str, old: str, new: str) -> None:
    """Some words of a file exchanged."""
    for path in _named(reports, name):
        text = path.read_text(encoding="utf-8")
        if old not in text:
            raise LookupError(f"{old} is not in {name}")
        path.write_text(text.replace(old, new), encoding="utf-8")


def remove(reports: Path, name: str) -> None:
    """Files or a directory taken away."""
    for path in _named(reports, name):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def copied(reports: Path, source: str, target: str) -> None:
    """One file in the place of another."""
    shutil.copy(reports / source, reports / target)


def linked(reports: Path, source: str, target: str) -> None:
    """A link in the place of a file."""
    (reports / target).unlink()
    (reports / target).symlink_to((reports / source).resolve())


def baseline(reports: Path, name: str, factor: float) -> None:
    """A pinned baseline's figures scaled, and hashed anew."""
    (path,) = (reports / "baselines").glob("*.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    for row in document["baseline"]["rows"]:
        row[name] *= factor
    document["sha256"] = baselines._digest(document["baseline"])
    path.write_text(json.dumps(document), encoding="utf-8")


def _named(reports: Path, name: str) -> list[Path]:
    found = sorted(reports.glob(name))
    if not found:
        raise LookupError(f"nothing is called {name}")
    return found


FORGERIES: dict[str, Callable[..., None]] = {
    function.__name__.replace("_", " "): function
    for function in (
        *(failed, killed, answered, sql, body, cut, cut_in_table, cut_whole, begun_anew, older_ledger),
        *(foreign_ledger, journal, decided, lines, write, replaced, remove, copied, linked, baseline),
    )
}
