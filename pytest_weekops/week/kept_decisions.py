"""Whether the decisions of recorded runs are still what the ledger has the hashes of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.history import without_cells
from pytest_weekops.core.week.history_terms import IMPORTED
from pytest_weekops.week import change_points
from pytest_weekops.week.evidence import DECISION_NAME, check_file, unknown_journals

Kept = Literal["intact", "missing", "changed"]


def look_beside(
    runs: Sequence[RunEntry], report_dir: Path, imported: Sequence[RunEntry] = ()
) -> tuple[dict[str, str], list[str]]:
    """The same, and a sentence for whatever else is to be known of a history of these runs, and of imported ones."""
    decisions, notes = kept_decisions(runs, report_dir)
    files: dict[str, str] = {**decisions, **dict.fromkeys((run.run_id for run in imported), IMPORTED)}
    if imported:
        notes.append(f"{len(imported)} campaigns were imported: they count for no verdict, baseline or channel.")
    notes += [f"Run {each.run_id} has no cell in its record." for each in without_cells(runs)]
    strays = unknown_journals(report_dir, runs)
    notes += [f"Run directory {each.parent.name} is not in the ledger, and not shown." for each in strays]
    has_numbers = bool(runs or imported)
    return files, notes if change_points.can_look() or not has_numbers else [*notes, change_points.NOT_LOOKED]


def kept_decisions(runs: Iterable[RunEntry], report_dir: Path) -> tuple[dict[str, Kept], list[str]]:
    """By run, how its decision is now, and sentences for those that are not as they were recorded.

    Those that are not there are told in one sentence: old run directories are pruned by the hundred.
    """
    found: dict[str, Kept] = {}
    missing, said = [], []
    for run in runs:
        name = f"{run.run_dir}/{DECISION_NAME}"
        file, problem = check_file(report_dir, name, run.decision_sha256)
        if file["sha256"] is None and not (report_dir / name).exists():
            found[run.run_id] = "missing"
            missing.append(run.run_id)
        elif problem:
            found[run.run_id] = "changed"
            said.append(f"Run {run.run_id}: {problem} The numbers shown are those of the ledger.")
        else:
            found[run.run_id] = "intact"
    if missing:
        from pytest_weekops.core.measurement.driver_change import listed  # with all that a run records

        words = f"There is no decision any more of {listed(missing)}"
        said.insert(0, f"{words}; the numbers shown are the ledger's alone.")
    return found, said
