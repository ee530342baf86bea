"""What lies beside a run's journal and knows better: the decision that was made of it, and the ledger.

A journal's checksums are no secret: whoever edits it can write new ones. Its hash stands elsewhere, and is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import RunEntry, run_entries
from pytest_weekops.evidence.journal import JOURNAL_NAME, find_journal
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.evidence import DECISION_NAME, decision_facts
from pytest_weekops.week.ledger import ledger_beside


def read_uncontradicted(path: Path, *report_dirs: Path) -> StoredRun:
    """The run of a directory or journal, where nothing that lies beside it knows better.

    ``report_dirs`` are asked for their ledgers besides the directory above. Raises ``InputError`` for a journal that
    cannot be read, that is another run's, or that is not the one of which the run was judged or recorded, and where
    what would know cannot be asked.
    """
    run = read_run(path)
    refuse_contradicted(run.run_id, find_journal(path), *report_dirs)
    return run


def refuse_contradicted(run_id: str, journal: Path, *report_dirs: Path) -> None:
    """Refuse a journal that something beside it contradicts, for who has read it. Raises ``InputError``."""
    problem = next(contradictions(run_id, journal, *report_dirs), "")
    if problem:
        raise InputError(
            f"Journal {journal} is not what its run left. {problem} A verdict on it would be one on somebody's edit. "
            "Restore it from a copy. To judge this very file for what it says, copy it into a directory of its own."
        )


def contradictions(run_id: str, journal: Path, *report_dirs: Path) -> Iterator[str]:
    """Sentences for everything beside a journal that does not speak of this run, or of other bytes than these."""
    found = hash_file(journal)
    # Where a link leads, other evidence may lie than where it stands: both are asked.
    places = dict.fromkeys((journal.absolute().parent, journal.resolve().parent))
    ledgers = dict.fromkeys((*(place.parent for place in places), *(each.resolve() for each in report_dirs)))
    for place in places:
        if (place / DECISION_NAME).exists() or (place / DECISION_NAME).is_symlink():
            yield from _by_decision(place / DECISION_NAME, run_id, found, own=journal.name == JOURNAL_NAME)
    for ledger in ledgers:
        for entry in run_entries(ledger_beside(ledger).entries()):
            here = ledger / entry.run_dir if entry.run_dir else None
            own = journal.name == JOURNAL_NAME and here in places
            if own or entry.run_id == run_id:
                yield from _by_ledger(entry, run_id, found)
                yield from _decision_of(entry, here if here in places else None)


def _by_decision(path: Path, run_id: str, found: str, *, own: bool) -> Iterator[str]:
    facts = decision_facts(path)
    if not facts:
        yield f"{path.name} beside it cannot be read, so the hash that it holds cannot be asked for."
    elif own or facts.get("run_id") == run_id:
        recorded = _journal_hash(facts.get("artifacts"))
        yield from _told(f"{path.name} beside it", str(facts.get("run_id")), recorded, run_id, found)


def _by_ledger(entry: RunEntry, run_id: str, found: str) -> Iterator[str]:
    recorded = _journal_hash(entry.artifacts)
    if recorded or entry.run_id != run_id:
        yield from _told(f"Record {entry.seq} of the ledger", entry.run_id, recorded, run_id, found)


def _told(who: str, its_run: str, its_hash: str, run_id: str, found: str) -> Iterator[str]:
    if its_run != run_id:
        yield f"{who} speaks of run {its_run:.80}, and this is run {run_id:.80}."
    elif its_hash != found:
        known = f"the SHA-256 {its_hash[:16]}..." if its_hash else "none"
        yield f"{who} has {known} for the journal of this run, and the file's is {found[:16]}...: it was changed."


def _decision_of(entry: RunEntry, place: Path | None) -> Iterator[str]:
    path = place / DECISION_NAME if place is not None else None
    if path is not None and entry.decision_sha256 and path.is_file() and hash_file(path) != entry.decision_sha256:
        yield f"{path.name} beside it was changed: its SHA-256 is not the one in record {entry.seq} of the ledger."


def _journal_hash(artifacts: Any) -> str:
    """The hash of the journal among a run's artifacts; empty where it is not among them."""
    listed = artifacts if isinstance(artifacts, list | tuple) else ()
    mine = [one for one in listed if isinstance(one, dict) and one.get("path") == JOURNAL_NAME]
    return str(mine[0].get("sha256", "")) if len(mine) == 1 else ""
