"""Runs that have a page side by side: where their journals lie, and how those look now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.report.page.shown import Link


@dataclass(frozen=True)
class RunFile:
    """A run's journal: where it lies, the hash that the ledger has of it, and how the file looks now."""

    run_id: str
    report_dir: Path = field(repr=False)  # a site is the same wherever its report directory lies
    run_dir: str
    recorded: str
    looks: tuple[int, int]
    page: Link


@dataclass(frozen=True)
class Pair:
    """Two runs whose page is to be made; ``cells`` has the page of each cell's history."""

    first: RunFile
    second: RunFile
    cells: Mapping[tuple[str, str, int], str]


def run_file(run: RunEntry, report_dir: Path, page: Link) -> RunFile | None:
    """A run's journal; None where the ledger has no hash of it, or it is not there any more."""
    recorded = [str(each.get("sha256", "")) for each in run.artifacts if each.get("path") == JOURNAL_NAME]
    if not run.run_dir or len(recorded) != 1 or not recorded[0]:
        return None
    try:
        found = (report_dir / run.run_dir / JOURNAL_NAME).stat()
    except (OSError, ValueError):
        return None
    return RunFile(run.run_id, report_dir, run.run_dir, recorded[0], (found.st_size, found.st_mtime_ns), page)
