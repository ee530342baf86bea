"""Failed runs that lie in the report directory and are not in the ledger: it was locked, or they were killed first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.records import GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.week.channel import Channel, ChannelState
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.evidence.journal import StoredRun, read_run
from pytest_weekops.week.evidence import decision_facts, unknown_journals


def with_untold(channel: Channel, report_dir: Path, runs: Sequence[RunEntry]) -> Channel:
    """The channel, frozen where it would be promoted and a failed run is newer than the promote of its kind."""
    if channel.state is not ChannelState.PROMOTED:
        return channel
    told = untold_failures(report_dir, runs)
    if not told:
        return channel
    lifts = ("a complete run of the same kind that promotes after it, at a profile not weaker",)
    return replace(channel, state=ChannelState.FROZEN, why=told, lifts=lifts)


def untold_failures(report_dir: Path, runs: Sequence[RunEntry]) -> tuple[str, ...]:
    """Sentences for failed runs that the ledger lacks. A promote of the same kind that was made later answers one.

    Runs made before the first recorded one may come from elsewhere and are left alone.
    """
    if not runs:
        return ()
    first = min(parse_time(run.created_at) for run in runs)
    found = []
    for directory in (journal.parent for journal in unknown_journals(report_dir, runs)):
        kind, created_at, failure = _failure(directory)
        try:
            later = [run for run in runs if run.is_promote and run.kind == kind]
            made = parse_time(created_at)
            answered = made < first or any(parse_time(run.created_at) >= made for run in later)
        except InputError:
            answered = False
        if failure and not answered:
            found.append(f"Run directory {directory.name} is not in the ledger, and {failure}.")
    return tuple(found)


def _failure(directory: Path) -> tuple[str, str, str]:
    """Kind, time and what failed: by the decision where the run came to one, else by its journal."""
    facts = decision_facts(directory / "decision.json")
    if facts:
        failed = facts.get("decision") != "promote" or facts.get("exit_status") != 0
        words = f"its run ended in {facts.get('decision')!r:.20}, exit status {facts.get('exit_status')!r:.10}"
        return str(facts.get("kind")), str(facts.get("created_at")), words if failed else ""
    try:
        run = read_run(directory)
    except InputError as error:
        return "", "", f"its journal cannot be read: {error}"
    return run.kind, run.created_at, _failed_records(run)


def _failed_records(run: StoredRun) -> str:
    """What a run that was broken off had found already; that it was broken off proves nothing by itself."""
    gates = [r for r in run.records if isinstance(r, GateRecord) and not r.passed]
    wrong = [
        r
        for r in run.records
        if isinstance(r, Measurement)
        and not r.void
        and r.status not in (MeasurementStatus.OK, MeasurementStatus.SKIPPED)
    ]
    found: Mapping[str, int] = {"failed gates": len(gates), "measurements that are not ok": len(wrong)}
    words = " and ".join(f"{count} {name}" for name, count in found.items() if count)
    return f"it was broken off with {words}" if words else ""
