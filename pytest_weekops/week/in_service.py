"""The last run that promoted a driver on a device: whose driver is in service where nobody names another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.week.entry import ROLLBACK, RunEntry, run_entries
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.witnesses import read_uncontradicted

if TYPE_CHECKING:
    from pytest_weekops.evidence.stored_run import StoredRun


def last_promoted(report_dir: Path, label: str, hardware: str) -> StoredRun | None:
    """The last run that promoted the platform of this label on this device; None where none did.

    Raises ``InputError`` where its files are gone or are not what was recorded: which driver it was is not known then.
    """
    for entry in reversed(run_entries(open_ledger(report_dir).entries())):
        if entry.is_promote and label in _promoted(entry) and entry.hardware.get(label) == hardware:
            return read_uncontradicted(report_dir / entry.run_dir, report_dir)
    return None


def is_switched_back(report_dir: Path, run_id: str) -> bool:
    """Whether the host was switched back after a run was entered: what that run promoted is not in service then."""
    entries = open_ledger(report_dir).entries()
    entered = next((run.seq for run in run_entries(entries) if run.run_id == run_id), 0)
    later = [entry for entry in entries if entry.kind == ROLLBACK and entry.seq > entered]
    return any(entry.body.get("stage") != "rehearsed" for entry in later)


def _promoted(entry: RunEntry) -> tuple[str, ...]:
    """Labels of the platforms that a promote speaks for: of a split, the candidate alone."""
    plan = entry.plan
    if entry.kind == "split":
        return (str(plan.get("candidate_platform")),)
    names = plan.get("platforms") if entry.kind == "weekly" else ()
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()
