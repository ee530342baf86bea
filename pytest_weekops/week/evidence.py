"""A week's evidence as it is now: files hashed anew against the ledger, and runs that the ledger does not know."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_weekops.core.calendar import Week, week_of
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.run_names import earlier_parts
from pytest_weekops.core.week.entry import WEEK, Entry, RunEntry, run_entries
from pytest_weekops.core.week.tracks import Files, RunEvidence
from pytest_weekops.evidence.journal import JOURNAL_NAME
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.shipped_runs import is_shipped

DECISION_NAME = "decision.json"
LARGEST_FIRST_LINE = 4 * 1024**2
LARGEST_DECISION = 64 * 1024**2


def run_evidence(run: RunEntry, report_dir: Path) -> RunEvidence:
    """Hash a run's files as they are now and compare them with what the ledger recorded."""
    wanted = [{"path": "decision.json", "sha256": run.decision_sha256}, *run.artifacts]
    files: list[dict[str, Any]] = []
    problems: list[str] = []
    if not any(artifact.get("path") == JOURNAL_NAME for artifact in run.artifacts):
        problems.append(f"Run {run.run_id} was recorded without its {JOURNAL_NAME}: nothing proves what it measured.")
    for artifact in wanted:
        file, problem = check_file(report_dir, f"{run.run_dir}/{artifact.get('path')}", str(artifact.get("sha256")))
        files.append({**file, "run_id": run.run_id, "ledger_record": run.seq})
        problems += [problem] if problem else []
    return RunEvidence(run, tuple(files), tuple(problems))


@dataclass(frozen=True)
class PromotesEvidence:
    """How the files of runs that promoted are: problems as sentences, runs whose files are whole, and runs pruned."""

    problems: tuple[str, ...]
    whole: int
    pruned: int

    @property
    def words(self) -> str:
        """For people, where there are no problems."""
        pruned = f"; those of {self.pruned} older ones are not there any more" if self.pruned else ""
        return f"the files of {self.whole} runs that promoted are what was recorded{pruned}"


def promotes_evidence(runs: Sequence[RunEntry], report_dir: Path) -> PromotesEvidence:
    """The files of every run that promoted, hashed as they are now.

    A run's whole directory may have been pruned, but for the last of each kind: on that one the channel rests.
    """
    promotes = [run for run in runs if run.is_promote]
    last = {run.kind: run.run_id for run in promotes}
    problems: list[str] = []
    whole = pruned = 0
    for run in promotes:
        if run.run_id != last[run.kind] and not (report_dir / run.run_dir).exists():
            pruned += 1
            continue
        found = run_evidence(run, report_dir).problems
        problems += found
        whole += not found
    return PromotesEvidence(tuple(problems), whole, pruned)


def check_file(report_dir: Path, name: str, recorded: str) -> tuple[dict[str, Any], str]:
    """Facts about one file, and a sentence where it is not what was recorded. A name never leads out."""
    file: dict[str, Any] = {"path": name, "sha256": None, "recorded_sha256": recorded, "intact": False}
    try:
        place = _place_of(report_dir, PurePosixPath(name))
        if place is None:
            return file, f"Evidence {name} leads out of the report directory and was not read."
        if not place.is_file() and place.exists():  # reading a pipe would never end
            return file, f"Evidence {name} is no file."
        file["sha256"] = hash_file(place)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        return file, f"Evidence {name} cannot be read: {getattr(error, 'strerror', None) or error}."
    file["intact"] = file["sha256"] == recorded
    if not recorded:
        return file, f"Evidence {name} was not there when the run was recorded."
    return file, "" if file["intact"] else f"Evidence {name} was changed: its SHA-256 is not the recorded one."


def _place_of(report_dir: Path, name: PurePosixPath) -> Path | None:
    """Where a file lies; None where its name, or a link on the way to it, leads out of the report directory."""
    if name.is_absolute() or ".." in name.parts:
        return None
    place = report_dir / name
    if any(above.is_symlink() for above in (place, *place.parents[: len(name.parts) - 1])):
        place = place.resolve()
        return place if place.is_relative_to(report_dir.resolve()) else None
    return place  # without a link there is nothing to resolve, which takes longer than to read a small file


def rollback_files(entry: Entry, report_dir: Path) -> Files:
    """The files of a rollback's verification, hashed as they are now."""
    parts = entry.body.get("outcomes", {}).values()
    wanted = [file for part in parts for file in part.get("evidence", ())]
    checked = [check_file(report_dir, str(file.get("path")), str(file.get("sha256"))) for file in wanted]
    files = tuple({**file, "ledger_record": entry.seq} for file, _problem in checked)
    return Files(files, tuple(problem for _file, problem in checked if problem))


def stray_runs(report_dir: Path, runs: Sequence[RunEntry], week: Week) -> list[str]:
    """Runs of the week that left a journal and are not in the ledger: attempts that were broken off, or hidden."""
    return [
        f"Run directory {journal.parent.name} is not in the ledger: an attempt that was broken off."
        for journal in unknown_journals(report_dir, runs)
        if _week_of_journal(journal) in (week, None)
    ]


def unknown_journals(report_dir: Path, runs: Sequence[RunEntry]) -> list[Path]:
    """The journals of run directories that are not in the ledger and did not ship with the project.

    A run that a recorded one went on with is known by it: all that it had measured is in the later journal.
    """
    known = {name for run in runs for name in (run.run_dir, *earlier_parts(run.run_dir))}
    beside = (path for path in sorted(report_dir.glob(f"*/{JOURNAL_NAME}")) if path.parent.name not in known)
    return [path for path in beside if not is_shipped(path.parent)]


def unaccounted(report_dir: Path, entries: Sequence[Entry], *, older_than_s: float = 0.0) -> list[str]:
    """What lies beside the ledger and is not in it: finished runs and closed weeks whose records were taken out.

    A chain that was cut and closed again verifies by itself; what was written while it was whole still knows better.
    Promotes older than the first recorded run may come from elsewhere and are left alone; so is what was written in
    the last ``older_than_s`` seconds.
    """
    runs, weeks = run_entries(entries), {entry.key for entry in entries if entry.kind == WEEK}
    ids, first = {run.run_id for run in runs}, min((run.created_at for run in runs), default=None)
    found = []
    for path in _settled(report_dir, "*/decision.json", older_than_s):
        facts = decision_facts(path)
        run_id, created_at = str(facts.get("run_id", "")), facts.get("created_at")
        is_newer = isinstance(created_at, str) and first is not None and created_at >= first
        has_failed = bool(facts) and facts.get("decision") != "promote"
        if run_id not in ids and (is_newer or has_failed) and not is_shipped(path.parent):
            where = f"Run {run_id} in {path.parent.name}/"
            found.append(f"{where} ended and is not in the ledger: its record was removed, or never written.")
    for path in _settled(report_dir, "weeks/[!.]*/decision.json", older_than_s):
        ledger = decision_facts(path).get("ledger")
        count, head = (ledger.get("records"), ledger.get("head")) if isinstance(ledger, dict) else (None, None)
        if path.parent.name not in weeks:
            found.append(f"Week {path.parent.name} was closed and is not in the ledger: its record was removed.")
        elif isinstance(count, int) and (not 0 < count <= len(entries) or entries[count - 1].hash != head):
            found.append(f"Week {path.parent.name} was closed on another record {count} than the ledger has now.")
    return found


def _settled(report_dir: Path, pattern: str, older_than_s: float) -> list[Path]:
    newest, found = time.time() - older_than_s, []
    for path in sorted(report_dir.glob(pattern)):
        with contextlib.suppress(OSError):  # gone again
            if not older_than_s or path.stat().st_mtime <= newest:
                found.append(path)
    return found


def decision_facts(path: Path) -> dict[str, Any]:
    """A decision document, or nothing where it cannot be read: what is in evidence is hashed elsewhere."""
    try:
        usable = path.is_file() and path.stat().st_size <= LARGEST_DECISION
        found = json.loads(path.read_text(encoding="utf-8")) if usable else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _week_of_journal(journal: Path) -> Week | None:
    """The week its first line states, else that of its last change; nothing where neither can be read."""
    try:
        if journal.is_file():
            with journal.open("rb") as file:
                return week_of(str(json.loads(file.readline(LARGEST_FIRST_LINE))["data"]["created_at"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InputError):
        pass
    try:
        return week_of(datetime.fromtimestamp(journal.stat().st_mtime, UTC).isoformat())
    except OSError:
        return None
