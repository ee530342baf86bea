"""A finished run's record in the ledger, with the hash of the decision on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_weekops.core.week.entry import RUN, RunEntry
from pytest_weekops.core.week.run_entry import run_directory, run_entry
from pytest_weekops.week.ledger import RUN_BUSY_TIMEOUT_S, open_ledger


def record_run(ledger_path: Path, decision: Mapping[str, Any], *, late_s: float | None = None) -> RunEntry:
    """Enter a finished run by its decision document; ``late_s`` seconds after its end, where it does not enter itself.

    ``ledger_path`` lies beside the run's directory: it is the ledger, unless that report directory has joined another.
    Raises ``DuplicateEntry``, ``LedgerError`` or ``InputError``.
    """
    entry = run_entry(decision, decision_sha256=_hash_of_decision(decision, ledger_path.parent))
    entry = entry.model_copy(update={"late_s": late_s})
    ledger = open_ledger(ledger_path.parent, busy_timeout_s=RUN_BUSY_TIMEOUT_S)
    recorded = ledger.append(RUN, entry.run_id, entry.model_dump(mode="json", exclude={"seq"}))
    return entry.model_copy(update={"seq": recorded.seq})


def _hash_of_decision(decision: Mapping[str, Any], report_dir: Path) -> str:
    """SHA-256 of the run's ``decision.json``, or nothing where it has none."""
    path = report_dir / run_directory(decision) / "decision.json"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
