"""``weekops status``: may the candidate be deployed now, since when, why, and what lifts it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops.cli.places import add_report_dir, nothing_in
from pytest_weekops.core.calendar import Week, week_of
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import finite_from
from pytest_weekops.core.week.attempts import Attempt, attempts_of
from pytest_weekops.core.week.channel import Channel, ChannelState, channel_of, last_rehearsal
from pytest_weekops.core.week.entry import Entry, run_entries
from pytest_weekops.report.case_line import clock
from pytest_weekops.report.saying import say
from pytest_weekops.week.evidence import promotes_evidence, unaccounted
from pytest_weekops.week.ledger import RUN_BUSY_TIMEOUT_S, Ledger, open_ledger
from pytest_weekops.week.untold import with_untold

RECORDING_S = RUN_BUSY_TIMEOUT_S + 2.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_report_dir(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="check the ledger, the files of runs that promoted, and pins; 1 where one is wrong",
    )
    parser.add_argument(
        "--require", choices=[state.value for state in ChannelState], help="exit 0 only in this state, else 1"
    )
    parser.add_argument("--max-age-days", metavar="N", help="a promote older than this no longer counts")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, or 1 where ``--require`` or ``--verify`` is not met."""
    ledger = open_ledger(arguments.report_dir)
    if arguments.verify and (problems := ledger.problems()):
        return _say_damage(ledger, problems, as_json=arguments.json)
    entries = ledger.entries()
    if arguments.verify:
        from pytest_weekops.week.pins import changed_baselines

        entries, problems = _accounted(ledger, entries)
        evidence = promotes_evidence(run_entries(entries), ledger.report_dir)
        problems += [*evidence.problems, *changed_baselines(ledger.report_dir, entries)]
        if problems:
            return _say_damage(ledger, problems, as_json=arguments.json)
        verified = f"ledger: {len(entries)} records, every one verifies; {evidence.words}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    channel = channel_of(entries, now=now, max_age_days=_days(arguments.max_age_days))
    runs = run_entries(entries)
    channel = with_untold(channel, arguments.report_dir, runs)
    attempts = attempts_of(runs, week_of(now))
    if arguments.json:
        print(json.dumps(_document(channel, attempts, entries, week_of(now)), indent=2, sort_keys=True))
    else:
        _print(channel, attempts, entries, week_of(now), ledger.report_dir)
    if arguments.verify:
        say(verified, sys.stderr if arguments.json else sys.stdout)
    if arguments.require and channel.state.value != arguments.require:
        say(f"weekops: the channel is {channel.state.value}, not {arguments.require}", sys.stderr)
        return 1
    return 0


def _accounted(ledger: Ledger, entries: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], list[str]]:
    """The entries and what lies beside the ledger without being in it; what was written just now is given time.

    A run writes its decision first and its record then, and may wait for another writer in between.
    """
    deadline = time.monotonic() + RECORDING_S
    while problems := unaccounted(ledger.report_dir, entries):
        young = unaccounted(ledger.report_dir, entries, older_than_s=RECORDING_S) != problems
        if not young or time.monotonic() > deadline:
            break
        time.sleep(0.5)
        entries = ledger.entries()
    return entries, problems


def _days(text: str | None) -> float | None:
    if text is None:
        return None
    days = finite_from(text)
    if days is None or days < 0:
        raise InputError(f"--max-age-days {text!r:.40} is no number of days. Every promote would count. Give a number.")
    return days


def _say_damage(ledger: Ledger, problems: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"state": None, "ledger": ledger.name, "verified": False, "problems": list(problems)}))
    for problem in problems:
        say(f"weekops: ledger {ledger.name}: {problem}", sys.stderr)
    say("weekops: the channel's state is not known. Restore what is named from a copy.", sys.stderr)
    return 1


def _document(channel: Channel, attempts: Sequence[Attempt], entries: Sequence[Entry], week: Week) -> dict[str, Any]:
    rehearsal = last_rehearsal(entries)
    return {
        "schema": "weekops-status/1",
        "state": channel.state.value,
        "since": channel.since,
        "why": list(channel.why),
        "lifted_by": list(channel.lifts),
        "notes": list(channel.notes),
        "open_failures": [
            {
                "run_id": o.run.run_id,
                "kind": o.run.kind,
                "severity": o.run.severity,
                "week": str(o.run.week),
                "failed_checks": list(o.run.failed_checks),
                "not_lifted_by": list(o.refused),
            }
            for o in channel.obstacles
        ],
        "promoted_by": [run.run_id for run in channel.promoted_by],
        "rollback": asdict(channel.rollback) if channel.rollback else None,
        "week": str(week),
        "attempts": [attempt_document(attempt) for attempt in attempts],
        "last_rehearsal": {"at": rehearsal.recorded_at, **rehearsal.body} if rehearsal else None,
        "ledger": {"records": len(entries), "head": entries[-1].hash if entries else None},
    }


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """One attempt as JSON data."""
    run = attempt.run
    return {
        "n": attempt.n,
        "run_id": run.run_id,
        "kind": run.kind,
        "created_at": run.created_at,
        "decision": run.decision,
        "exit_status": run.exit_status,
        "severity": run.severity,
        "failed_checks": list(run.failed_checks),
        "recorded_late_s": run.late_s,
        "weaker_than_before": list(attempt.change.weaker),
        "changed": list(attempt.change.other),
    }


def _print(
    channel: Channel, attempts: Sequence[Attempt], entries: Sequence[Entry], week: Week, directory: Path
) -> None:
    if not entries:
        say(nothing_in(directory, "run"))
    since = f" since {channel.since}" if channel.since else ""
    say(f"channel: {channel.state.value}{since}")
    for text in channel.why:
        say(f"  why: {text}")
    for text in channel.lifts:
        words, colon, command = text.partition("'s: ")  # a run's name, and the command that made it
        say(f"  lifted by: {words}{colon.rstrip()}")
        if command:
            say(f"    {command}", whole=True)
    for text in channel.notes:
        say(f"  note: {text}")
    say(f"attempts of {week}: {len(attempts) or 'none'}")
    for attempt in attempts:
        run = attempt.run
        checks = f": {', '.join(run.failed_checks)}" if run.failed_checks else ""
        say(f"  {run.kind} attempt {attempt.n}: {run.decision} (SEV{run.severity}) {run.run_id}{checks}")
        if run.late_s is not None:
            say(f"    recorded {clock(run.late_s)} after it ended, by `weekops record`")
        for text in attempt.change.weaker:
            say(f"    weaker than the attempt before: {text}")
        for text in attempt.change.other:
            say(f"    changed: {text}")
    rehearsal = last_rehearsal(entries)
    if rehearsal is not None:
        outcome = "verified" if rehearsal.body.get("verified") else "NOT verified"
        say(f"last rehearsal of the rollback: {rehearsal.recorded_at}, {rehearsal.body.get('seconds')} s, {outcome}")
