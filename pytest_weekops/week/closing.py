"""Closing a week: evidence hashed anew, decision and acta written together, the week entered into the ledger."""

from __future__ import annotations

import json
import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.week.attempts import attempts_of
from pytest_weekops.core.week.closing_record import (
    WeekRecord,
    closed_actions,
    exit_status_of,
    open_actions,
    week_record,
)
from pytest_weekops.core.week.entry import ACTION, ALERT, WEEK, Entry, RunEntry, run_entries
from pytest_weekops.core.week.tracks import rollback_proofs
from pytest_weekops.files.atomic import sync_directory, write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.report.acta import render_acta
from pytest_weekops.week.drops import unexplained_drops
from pytest_weekops.week.evidence import check_file, rollback_files, run_evidence, stray_runs
from pytest_weekops.week.ledger import Ledger, UnsureEntry, open_ledger


@dataclass(frozen=True)
class ClosedWeek:
    """A closed week: its directory, its document and the exit status it asks for."""

    directory: Path
    document: dict[str, Any]
    exit_status: int


def close_week(report_dir: Path, week: Week, names: Sequence[str] = ()) -> ClosedWeek:
    """Close a week on its recorded runs, or on those named. Raises ``InputError``; then nothing was written."""
    ledger = open_ledger(report_dir)
    entries = ledger.entries()
    _refuse_closed(entries, week)
    runs = _chosen(entries, week, names, report_dir)
    evidence = [run_evidence(run, report_dir) for run in runs]
    depends_on, depends_problems = _last_week(entries, week, report_dir)
    proofs = rollback_proofs(attempts_of(run_entries(entries), week), entries)
    record = week_record(
        week,
        entries,
        evidence,
        rollbacks={entry.seq: rollback_files(entry, report_dir) for entry in proofs},
        depends_on=depends_on,
        depends_problems=depends_problems,
        stray=stray_runs(report_dir, run_entries(entries), week),
        drops=tuple(unexplained_drops(entries, week, runs)),
        closed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return ClosedWeek(_write(report_dir, ledger, week, record), record.document, record.exit_status)


def closed_unsent(report_dir: Path, week: Week) -> ClosedWeek | None:
    """The week as it was closed, where its alert never arrived anywhere; nothing where it is open, told or healthy."""
    entries = open_ledger(report_dir).entries()
    found = next((e for e in entries if e.kind == WEEK and e.key == str(week)), None)
    if found is None or any(_is_delivered(e, week) for e in entries if e.kind == ALERT):
        return None
    directory = report_dir / "weeks" / str(week)
    _file, problem = check_file(report_dir, f"weeks/{week}/decision.json", str(found.body.get("decision_sha256")))
    if problem:
        raise InputError(
            f"Week {week} is closed, and its record is not what was written then: {problem} No alert is sent from it. "
            "Restore the file from a copy; nothing was changed."
        )
    document = json.loads((directory / "decision.json").read_text(encoding="utf-8"))
    return ClosedWeek(directory, document, exit_status_of(document)) if document["severity"]["level"] < 4 else None


def _is_delivered(alert: Entry, week: Week) -> bool:
    return alert.body.get("week") == str(week) and alert.body.get("delivered") is True


def _refuse_closed(entries: Sequence[Entry], week: Week) -> None:
    found = next((e for e in entries if e.kind == WEEK and e.key == str(week)), None)
    if found is not None:
        raise InputError(
            f"Week {week} was closed on {found.recorded_at} with {found.body.get('decision')}. A closed week is not "
            "written again: what came later belongs to the week in which it came. Nothing was changed."
        )


def _chosen(entries: Sequence[Entry], week: Week, names: Sequence[str], report_dir: Path) -> list[RunEntry]:
    recorded = {run.run_id: run for run in run_entries(entries)}
    ids = [_run_id(name, report_dir) for name in names]
    twice = sorted(name for name, count in Counter(ids).items() if count > 1)
    if twice:
        raise InputError(
            f"--runs names {twice[0]!r:.80} twice. One run is one piece of evidence. Name each once; nothing was "
            "changed."
        )
    chosen = []
    for name in ids:
        run = recorded.get(name)
        if run is None:
            raise InputError(
                f"Run {name!r:.80} is not in the ledger of {report_dir}. What was not recorded when it ended cannot be "
                "told from what was made up later. Name recorded runs; `weekops status` lists them. Nothing was "
                "changed."
            )
        if run.week != week:
            raise InputError(
                f"Run {name!r:.80} was made in {run.week}, not in {week}. It proves nothing about {week}. Leave it out."
            )
        chosen.append(run)
    of_week = [run for run in recorded.values() if run.week == week]
    if not of_week:
        raise InputError(
            f"No run of {week} is in the ledger of {report_dir}. A week without runs has nothing to decide. Run the "
            "suites first, or check --week and --report-dir. Nothing was changed."
        )
    return sorted(chosen, key=lambda run: run.seq) if chosen else of_week


def _run_id(name: str, report_dir: Path) -> str:
    """The id that a run directory's decision states, or the name itself."""
    try:
        path = next((p for p in (Path(name), report_dir / name) if (p / "decision.json").is_file()), None)
    except OSError:  # too long for a path
        return name
    if path is None:
        return name
    try:
        return str(json.loads((path / "decision.json").read_text(encoding="utf-8"))["run_id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path / 'decision.json'} is no decision: {error}. The run cannot be told by it. Name the run by its id."
        ) from error


def _last_week(entries: Sequence[Entry], week: Week, report_dir: Path) -> tuple[dict[str, Any] | None, list[str]]:
    earlier = [e for e in entries if e.kind == WEEK and e.key < str(week)]
    if not earlier:
        return None, []
    entry = max(earlier, key=lambda e: e.key)
    path = f"weeks/{entry.key}/decision.json"
    file, problem = check_file(report_dir, path, str(entry.body.get("decision_sha256")))
    facts = {"week": entry.key, "path": path, "sha256": entry.body.get("decision_sha256"), "ledger_record": entry.seq}
    return {**facts, "ledger_hash": entry.hash, "intact": file["intact"]}, [problem] if problem else []


# -- writing -----------------------------------------------------------------------------------------------------


def _write(report_dir: Path, ledger: Ledger, week: Week, record: WeekRecord) -> Path:
    """Write both files into a directory beside, then move it into place inside the ledger's transaction."""
    weeks = report_dir / "weeks"
    beside, final = weeks / f".{week}.{secrets.token_hex(4)}", weeks / str(week)
    decision = json.dumps(record.document, indent=2, allow_nan=False) + "\n"
    moved: list[Path] = []

    def move(entry: Entry) -> None:
        if entry.seq != record.document["ledger"]["records"] + 1:
            raise WeekopsError(
                f"The ledger took another record while week {week} was being closed, perhaps a run that failed. "
                "It is not closed. Run this again."
            )
        _set_aside(final)
        beside.rename(final)
        moved.append(final)
        sync_directory(weeks)

    try:
        write_atomic(beside / "decision.json", decision)
        write_atomic(beside / "acta.md", render_acta(record.document))
        body = {
            "decision": record.document["block_decision"],
            "severity": record.document["severity"]["level"],
            "decision_sha256": hash_file(beside / "decision.json"),
            "acta_sha256": hash_file(beside / "acta.md"),
            "new_actions": record.document["new_actions"],
        }
        ledger.append(WEEK, str(week), body, before_commit=move)
    except (
        UnsureEntry
    ):  # the record may be there, and then the files are its own; if not, the next close moves them away
        raise
    except (OSError, WeekopsError) as error:  # the record was taken back, so the files are too
        for directory in moved:
            shutil.rmtree(directory, ignore_errors=True)
        if isinstance(error, WeekopsError) and not isinstance(error.__cause__, OSError):
            raise
        why = f"{error.strerror or error}. Check {weeks}." if isinstance(error, OSError) else str(error)
        raise InputError(f"Week {week} is not closed. {why}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return final


def _set_aside(final: Path) -> None:
    """Keep what a crash between the move and the commit left, under another name: the week was not closed."""
    if final.exists() or final.is_symlink():
        final.rename(final.with_name(f".unfinished-{final.name}-{secrets.token_hex(4)}"))


# -- actions -----------------------------------------------------------------------------------------------------


def list_actions(report_dir: Path) -> tuple[list[dict[str, Any]], dict[str, Entry]]:
    """The open actions, and the entries that closed others."""
    entries = open_ledger(report_dir).entries()
    return open_actions(entries), closed_actions(entries)


def close_action(report_dir: Path, name: str, note: str) -> None:
    """Close an open action. Raises ``InputError`` for one that is unknown or closed already."""
    opened, closed = list_actions(report_dir)
    if name in closed:
        raise InputError(f"Action {name!r:.60} was closed on {closed[name].recorded_at}. Nothing was changed.")
    if name not in {action["id"] for action in opened}:
        known = ", ".join(action["id"] for action in opened) or "none"
        raise InputError(f"There is no open action {name!r:.60}. Nothing was changed. Open: {known}.")
    open_ledger(report_dir).append(ACTION, name, {"note": note})
