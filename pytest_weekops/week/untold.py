"""Failed runs that lie in the report directory and are not in the ledger: evidence of attempts that it does not have.

It was locked when they ended, they were killed first, or it was deleted and begun anew behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.expected import day_of, is_in_force
from pytest_weekops.core.judge.expected_gates import gate_outcomes, lets_off
from pytest_weekops.core.measurement.records import GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.cells_held import not_applicable_of
from pytest_weekops.core.week.channel import Channel, ChannelState
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.week.evidence import decision_facts, unknown_journals

_PROMOTED = "a complete run of the same kind that promotes after it, at a profile not weaker"
_RESTORED = (
    "the ledger as it was, from a copy; else `weekops record` for each of those runs. A directory that came from "
    "elsewhere is no attempt of this channel: move it away"
)


@dataclass(frozen=True)
class Attempt:
    """A run that the ledger lacks: what failed, and what it demanded, where that can be told.

    ``ended``: it came to a decision, and should have been recorded then.
    """

    failure: str
    run: RunEntry | None = None
    ended: bool = False


def with_untold(channel: Channel, report_dir: Path, runs: Sequence[RunEntry]) -> Channel:
    """The channel, frozen where it would be promoted and a failed run that the ledger lacks is not answered."""
    if channel.state is not ChannelState.PROMOTED:
        return channel
    told = untold_failures(report_dir, runs)
    if not told:
        return channel
    lifts = _RESTORED if begun_anew(report_dir, runs) else _PROMOTED
    return replace(channel, state=ChannelState.FROZEN, why=told, lifts=(lifts,))


def untold_failures(report_dir: Path, runs: Sequence[RunEntry]) -> tuple[str, ...]:
    """Sentences for failed runs that the ledger lacks and nothing answers.

    A promote of the same kind answers one that was made before it, at a profile not weaker. One that ended before the
    first recorded run is answered by none: its record, and what else there was, went with the ledger that had it.
    """
    if not runs:
        return ()
    found = []
    for directory, attempt in _failed(report_dir, runs):
        words = f"Run directory {directory.name} is not in the ledger, and {attempt.failure}."
        if _is_older(attempt, runs):
            found.append(f"{words} It ended before the first run of this ledger, which was begun anew behind it.")
        elif not _is_answered(attempt, runs):
            found.append(words)
    return tuple(found)


def begun_anew(report_dir: Path, runs: Sequence[RunEntry]) -> bool:
    """Whether a failed run ended before the first one of the ledger: that ledger was begun after it."""
    return any(_is_older(attempt, runs) for _directory, attempt in _failed(report_dir, runs))


def _failed(report_dir: Path, runs: Sequence[RunEntry]) -> Iterator[tuple[Path, Attempt]]:
    for journal in unknown_journals(report_dir, runs):
        attempt = _attempt(journal.parent)
        if attempt.failure:
            yield journal.parent, attempt


def _is_older(attempt: Attempt, runs: Sequence[RunEntry]) -> bool:
    run = attempt.run
    first = min((parse_time(each.created_at) for each in runs), default=None)
    return attempt.ended and run is not None and first is not None and parse_time(run.created_at) < first


def _is_answered(attempt: Attempt, runs: Sequence[RunEntry]) -> bool:
    run = attempt.run
    if run is None:
        return False
    made = parse_time(run.created_at)
    later = [r for r in runs if r.is_promote and r.kind == run.kind and parse_time(r.created_at) >= made]
    return any(not compare(each, run).weaker for each in later)


def _attempt(directory: Path) -> Attempt:
    """By the decision where the run came to one, else by its journal. What cannot be read has failed."""
    facts = decision_facts(directory / "decision.json")
    if facts:
        failed = facts.get("decision") != "promote" or facts.get("exit_status") != 0
        words = f"its run ended in {facts.get('decision')!r:.20}, exit status {facts.get('exit_status')!r:.10}"
        try:
            return Attempt(words if failed else "", run_entry({**facts, "run_dir": directory.name}), ended=True)
        except InputError:
            return Attempt(words if failed else "")
    try:
        run = read_run(directory)
        return Attempt(_failed_records(run), _demands(run, directory))
    except InputError as error:
        return Attempt(f"its journal cannot be read: {error}")


def _demands(run: StoredRun, directory: Path) -> RunEntry:
    """What a run that was broken off would have shown: its plan and policy, to be compared with a later one's."""
    plan = run.plan.model_dump(mode="json")
    identities = {label: identity.model_dump(mode="json") for label, identity in run.identities.items()}
    entry = RunEntry(
        run_id=run.run_id,
        kind=run.kind,
        created_at=run.created_at,
        command=run.command,
        decision="iterate",
        exit_status=2,
        severity=2,
        policy_sha256=run.policy.sha256,
        policy=run.policy.effective(),
        plan=plan,
        not_applicable=not_applicable_of(plan, identities),
        hardware={label: identity.hardware for label, identity in run.identities.items()},
        run_dir=directory.name,
    )
    _ = entry.week
    return entry


def _failed_records(run: StoredRun) -> str:
    """What a run that was broken off had found already, but for known faults; that it was proves nothing by itself."""
    every = [r for r in run.records if isinstance(r, GateRecord)]
    known = gate_outcomes(run.plan, run.identities, every, run.created_at)
    gates = [gate for gate in every if not gate.passed and not lets_off(known, gate)]
    today = day_of(run.created_at)
    in_force = [one for one in run.plan.expected if is_in_force(one, today)]
    wrong = [
        r
        for r in run.records
        if isinstance(r, Measurement)
        and not r.void
        and r.status not in (MeasurementStatus.OK, MeasurementStatus.SKIPPED)
        and not any(one.is_of(r) for one in in_force)
    ]
    found: Mapping[str, int] = {"failed gates": len(gates), "measurements that are not ok": len(wrong)}
    words = " and ".join(f"{count} {name}" for name, count in found.items() if count)
    return f"it was broken off with {words}" if words else ""
