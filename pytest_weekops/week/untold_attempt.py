"""What a run directory that the ledger does not know tells of its attempt: by its decision, else by its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.expected import day_of, is_in_force
from pytest_weekops.core.judge.expected_gates import gate_outcomes, lets_off
from pytest_weekops.core.measurement.records import UNTRIED, GateRecord, Measurement, MeasurementStatus
from pytest_weekops.core.week.cells_held import not_applicable_of
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.week.evidence import decision_facts


@dataclass(frozen=True)
class Attempt:
    """A run that the ledger lacks: what failed, and what it demanded, where that can be told.

    ``ended``: it came to a decision, and should have been recorded then.
    """

    failure: str
    run: RunEntry | None = None
    ended: bool = False


def attempt_of(directory: Path) -> Attempt:
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
    gates = [gate for gate in every if not gate.passed and not gate.undone and not lets_off(known, gate)]
    today = day_of(run.created_at)
    in_force = [one for one in run.plan.expected if is_in_force(one, today)]
    wrong = [
        r
        for r in run.records
        if isinstance(r, Measurement)
        and not r.void
        and r.status not in (MeasurementStatus.OK, *UNTRIED)
        and not any(one.is_of(r) for one in in_force)
    ]
    found: Mapping[str, int] = {"failed gates": len(gates), "measurements that are not ok": len(wrong)}
    words = " and ".join(f"{count} {name}" for name, count in found.items() if count)
    return f"it was broken off with {words}" if words else ""
