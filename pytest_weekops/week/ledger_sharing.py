"""A directory's ledger copied into another place record by record, and directories that join a team's ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.week.entry import GENESIS, Entry, chain_problems
from pytest_weekops.week.ledger import BUSY_TIMEOUT_S, Ledger, open_ledger
from pytest_weekops.week.ledger_head import head_problems, is_joined, read_head_file, write_head_file
from pytest_weekops.week.ledger_place import LEDGER_NAME, Joined, address, database, write_joined
from pytest_weekops.week.ledger_store import LedgerError


@dataclass(frozen=True)
class Copied:
    """What was copied: from where to where, how many records there are now, and how many of them were new."""

    source: str
    target: str
    records: int
    new: int
    joined: bool = False


def copy_ledger(report_dir: Path, to: str, name: str) -> Copied:
    """Copy every record as it is, and verify the chain before and after; the source stays as it was.

    ``to`` is the address of a database, whose ledger ``name`` the directory has joined then, or a directory. While it
    is copied no run can be entered into the source. Raises ``LedgerError`` for a source that is empty or does not
    verify, and for a target that holds anything else than the beginning of it; then nothing was copied.
    """
    source = _own(report_dir)
    if not source.entries():
        raise _refused(report_dir, f"{source.name} holds no records", "There is nothing to copy", "Check --report-dir")
    if "://" not in to:
        target = _elsewhere(report_dir, Path(to))
        with source.held() as entries:
            return Copied(source.name, target.name, len(entries), target.continue_with(entries))
    path = report_dir / LEDGER_NAME
    store = database(to, name, path=path)
    target = Ledger(path, store=store)
    if target.name == source.name:
        raise _refused(report_dir, f"{source.name} is its ledger already", "There is nothing to copy", "Go on using it")
    with source.held() as entries:
        new = target.continue_with(entries)
        with target.translated():
            identity = store.identity(BUSY_TIMEOUT_S)
        _join(report_dir, target, Joined(name, str(identity)))
        return Copied(source.name, target.name, len(entries), new, joined=True)


def join_ledger(report_dir: Path, name: str, *, new: bool = False, head: str = "") -> Copied:
    """Let a directory use the ledger ``name`` of the database that ``WEEKOPS_LEDGER`` names, from its present head on.

    ``head`` is the hash of a record that somebody has seen in it: without one, what was cut off before is not missed.
    Raises ``LedgerError`` where there is none of that name and ``new`` is not asked for, or there is one and it is;
    where it does not hold that record; and where the directory has a head that does not belong to it, or lost its own.
    """
    url, path = address(), report_dir / LEDGER_NAME
    if not url:
        raise _refused(
            report_dir,
            "WEEKOPS_LEDGER is not set",
            "No database is named that could be joined",
            "Set it to postgresql://USER@HOST/DATABASE",
        )
    store = database(url, name, path=path)
    ledger = Ledger(path, store=store)
    if new and is_joined(report_dir):
        raise _refused(
            report_dir,
            f"{report_dir}/ has joined a ledger already",
            "One that is made anew would leave that one's records behind, and a freeze with them",
            "Leave --new out to join a ledger that is there",
        )
    if new and (read_head_file(ledger.head_path) or (0, ""))[0] != 0:
        raise _left_behind(report_dir, ledger, "It counts records already.")
    with ledger.translated():
        there = store.identity(BUSY_TIMEOUT_S)
        if there is None and new:
            with store.writing(BUSY_TIMEOUT_S) as writing:
                writing.commit()
            there = store.identity(BUSY_TIMEOUT_S)
        elif (there is None) is not new:
            what = "is there already" if new else "is not there"
            advice = "Join it without --new" if new else "Check the name, or make it with --new"
            raise _refused(report_dir, f"{ledger.name} {what}", "Two ledgers could not be told apart", advice)
        with store.reading(BUSY_TIMEOUT_S) as reading:
            entries = tuple(reading.entries()) if reading else ()
            table = reading.head() if reading else None
    if problems := [*chain_problems(entries), *head_problems(entries, table, (0, GENESIS))]:
        raise _refused(report_dir, f"{ledger.name} does not verify. {problems[0]}", "It proves nothing", "Restore it")
    _refuse_untrusted(report_dir, ledger, entries, head)
    _take_head(report_dir, ledger, entries)
    _join(report_dir, ledger, Joined(name, str(there)))
    return Copied("", ledger.name, len(entries), 0, joined=True)


def _join(report_dir: Path, ledger: Ledger, joined: Joined) -> None:
    """Let the directory say which ledger it has joined, and its head file that it has joined one."""
    write_joined(report_dir, joined)
    head = read_head_file(ledger.head_path)
    if head is not None and head[0] >= 0:
        write_head_file(ledger.head_path, *head)


def _refuse_untrusted(report_dir: Path, ledger: Ledger, entries: tuple[Entry, ...], head: str) -> None:
    """Refuse a ledger that lacks what somebody has seen in it, and to begin anew where this directory had seen some."""
    if head and not re.fullmatch(r"[0-9a-f]+", head):
        raise _refused(
            report_dir,
            f"--head {head!r:.70} is no hash of a record",
            "It cannot say what somebody has seen",
            "Give the hexadecimal digits that `weekops ledger show` prints in a directory that has joined",
        )
    if head and head not in {entry.hash for entry in entries}:
        raise _refused(
            report_dir,
            f"{ledger.name} holds no record with the hash {head:.64}",
            "Somebody has seen one, so its end was cut off, or it was written anew",
            "Check what was given as --head; else restore the database from a copy",
        )
    if not head and is_joined(report_dir) and read_head_file(ledger.head_path) is None:
        raise _refused(
            report_dir,
            f"{report_dir}/ has joined a ledger, and its head file is gone",
            "What was cut off since would not be missed",
            "Say with --head HASH what another directory has seen: there, `weekops ledger show` prints it",
        )


def _take_head(report_dir: Path, ledger: Ledger, entries: tuple[Entry, ...]) -> None:
    """Begin to remember the head, where this directory remembers none; a ledger of its own is not left behind."""
    beside = read_head_file(ledger.head_path)
    if beside is None:
        count, digest = (entries[-1].seq, entries[-1].hash) if entries else (0, GENESIS)
        write_head_file(ledger.head_path, count, digest)
    elif problems := head_problems(entries, None if not entries else (entries[-1].seq, entries[-1].hash), beside):
        raise _left_behind(report_dir, ledger, problems[0])


def _left_behind(report_dir: Path, ledger: Ledger, problem: str) -> LedgerError:
    return _refused(
        report_dir,
        f"{ledger.head_path} belongs to another ledger. {problem}",
        "Its records would be left behind, and a freeze with them",
        "`weekops ledger copy --to` takes them along; else restore the database from a copy",
    )


def _own(report_dir: Path) -> Ledger:
    """The ledger that the directory has: the one that it has joined, or its file, whatever ``WEEKOPS_LEDGER`` says."""
    return open_ledger(report_dir) if is_joined(report_dir) else Ledger(report_dir / LEDGER_NAME)


def _elsewhere(report_dir: Path, directory: Path) -> Ledger:
    if directory.resolve() == report_dir.resolve() or is_joined(directory):
        raise _refused(
            report_dir, f"{directory}/ has this ledger, or has joined one", "It is no place for a copy", "Name another"
        )
    return Ledger(directory / LEDGER_NAME)


def _refused(report_dir: Path, what: str, why: str, advice: str) -> LedgerError:
    return LedgerError(
        f"{what.rstrip('.')}. {why}, so {report_dir}/ was left as it is. {advice}.", path=report_dir / LEDGER_NAME
    )
