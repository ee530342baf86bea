"""The week's decision, drawn from ledger entries and from evidence that somebody else hashed. Pure and total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.calendar import Week, deadline
from pytest_weekops.core.week.attempts import Attempt, attempts_of
from pytest_weekops.core.week.channel import Channel, ChannelState, last_rehearsal
from pytest_weekops.core.week.entry import ACTION, WEEK, Entry, run_entries
from pytest_weekops.core.week.tracks import (
    ITERATE,
    PROMOTE,
    Files,
    RunEvidence,
    driver_problems,
    week_channel,
    week_tracks,
)


@dataclass(frozen=True)
class WeekRecord:
    """The decision document of a week and the exit status it asks for."""

    document: dict[str, Any]
    exit_status: int


def week_record(
    week: Week,
    entries: Sequence[Entry],
    evidence: Sequence[RunEvidence],
    *,
    rollbacks: Mapping[int, Files],
    depends_on: Mapping[str, Any] | None,
    depends_problems: Sequence[str] = (),
    stray: Sequence[str] = (),
    drops: Sequence[str] = (),
    closed_at: str,
) -> WeekRecord:
    """Decide a week. Promote needs every step's evidence, intact, and no failed run left unanswered.

    ``drops`` are those of a cell's level that its policy does not allow.
    """
    attempts = attempts_of(run_entries(entries), week)
    channel = week_channel(entries, week, evidence)
    tracks = week_tracks(attempts, channel, entries, evidence, rollbacks)
    findings = [problem for item in evidence for problem in item.problems]
    findings += [problem for item in rollbacks.values() for problem in item.problems]
    findings += [*driver_problems(evidence), *depends_problems, *stray, *drops]
    missing = [name for name, track in tracks.items() if track["missing"]]
    failing = [name for name, track in tracks.items() if track["decision"] != PROMOTE]
    decision = ITERATE if failing or findings else PROMOTE
    worst = _worst(attempts, channel, decision, closed_at)
    new = _new_actions(week, entries, channel, tracks, findings, worst, closed_at)
    carried = open_actions(entries)
    document = {
        "schema": "weekops-week/1",
        "review_id": str(week),
        "closed_at": closed_at,
        "scope": _scope(week, attempts),
        "tracks": tracks,
        "required_gates": {name: track["decision"] for name, track in tracks.items()},
        "block_decision": decision,
        "block_rationale": _rationale(failing, missing, findings, channel),
        "missing_steps": missing,
        "findings": findings,
        "severity": worst,
        "summary": _summary(attempts, evidence),
        "attempts": [_attempt(attempt) for attempt in attempts],
        "channel": {"state": channel.state.value, "since": channel.since, "why": list(channel.why)},
        "lifted_by": list(channel.lifts),
        "last_rehearsal": _rehearsal(entries),
        "depends_on": dict(depends_on) if depends_on else None,
        "open_actions": [*carried, *new],
        "carried_over": [action["id"] for action in carried],
        "new_actions": new,
        "ledger": {"records": len(entries), "head": entries[-1].hash if entries else None},
    }
    return WeekRecord(document, exit_status_of(document))


def exit_status_of(document: Mapping[str, Any]) -> int:
    """The exit status that a week's decision document asks for, when it is closed and ever after."""
    if document["block_decision"] == PROMOTE:
        return 0
    if document["severity"]["level"] == 1:
        return 10
    failing = {name for name, track in document["tracks"].items() if track["decision"] != PROMOTE}
    return 11 if failing == set(document["missing_steps"]) and not document["findings"] else 1


def _worst(attempts: Sequence[Attempt], channel: Channel, decision: str, closed_at: str) -> dict[str, Any]:
    """The gravest open failure; where only steps or evidence are missing, SEV3; SEV4 for a promote."""
    standing = [obstacle.run for obstacle in channel.obstacles]
    if standing:
        run = min(standing, key=lambda r: r.severity)
        due = deadline(run.created_at, run.respond_within_minutes)
        return {"level": run.severity, "owner": run.owner, "action": run.action, "deadline": due, "run_id": run.run_id}
    last = attempts[-1].run if attempts else None
    if last is not None and decision == PROMOTE:
        facts = {"owner": last.owner, "run_id": last.run_id}
        return {"level": 4, "action": "record and continue", "deadline": None, **facts}
    severity = last.policy.get("severity", {}) if last is not None else {}
    levels = severity.get("levels", {}) if isinstance(severity, dict) else {}
    sla = levels.get("3", {}) if isinstance(levels, dict) else {}
    due = deadline(closed_at, int(sla.get("within_minutes", 240)))  # nobody knew of it before
    owner = str(sla.get("owner", "policy owner"))
    return {
        "level": 3,
        "owner": owner,
        "action": "clear up what is missing or open; this record stays",
        "deadline": due,
        "run_id": "",
    }


def _new_actions(
    week: Week,
    entries: Sequence[Entry],
    channel: Channel,
    tracks: Mapping[str, Mapping[str, Any]],
    findings: Sequence[str],
    worst: Mapping[str, Any],
    closed_at: str,
) -> list[dict[str, Any]]:
    """What the week owes: an answer to each open failure that no week owes yet, missing steps, and every finding."""
    owner, due = str(worst["owner"]), worst["deadline"]
    known = {action.get("run_id") for action in _all_actions(entries)}
    owed: list[tuple[str, str, str | None, str]] = []
    for run in (obstacle.run for obstacle in channel.obstacles if obstacle.run.run_id not in known):
        checks = ", ".join(run.failed_checks) or run.incompleteness or f"exit status {run.exit_status}"
        text = f"{run.action or 'rerun'} ({run.run_id}: {checks})"
        owed.append((text, run.owner, deadline(run.created_at, run.respond_within_minutes), run.run_id))
    if channel.state is ChannelState.ROLLED_BACK and not channel.obstacles:
        owed += [(text, owner, due, "") for text in channel.lifts]
    for name, track in tracks.items():
        if track["missing"] or (name == "rollback" and track["decision"] != PROMOTE):
            owed.append((f"{name}: {track['rationale']}", owner, due, ""))
    owed += [(f"clear up: {text}", owner, due, "") for text in findings]
    common = {"opened": closed_at, "week": str(week)}
    return [
        {"id": f"{week}-{n}", "text": text, "owner": who, "due": by, "run_id": run_id, **common}
        for n, (text, who, by, run_id) in enumerate(owed, start=1)
    ]


def _all_actions(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [dict(action) for e in entries if e.kind == WEEK for action in e.body.get("new_actions", ())]


def open_actions(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The actions that weeks opened and nobody closed yet, oldest first."""
    closed = closed_actions(entries)
    return [action for action in _all_actions(entries) if action["id"] not in closed]


def closed_actions(entries: Sequence[Entry]) -> dict[str, Entry]:
    """The entries that closed an action, by its id."""
    return {e.key: e for e in entries if e.kind == ACTION}


def _scope(week: Week, attempts: Sequence[Attempt]) -> dict[str, Any]:
    runs = [attempt.run for attempt in attempts]
    return {
        "week": str(week),
        "from": week.monday.isoformat(),
        "to": week.sunday.isoformat(),
        "platforms": sorted({str(p) for run in runs for p in run.plan.get("platforms", ())}),
        "sizes": sorted({n for run in runs for n in run.plan.get("sizes", ()) if isinstance(n, int)}),
        "policies": sorted({f"{run.policy_id} {run.policy_sha256[:16]}" for run in runs}),
    }


def _summary(attempts: Sequence[Attempt], evidence: Sequence[RunEvidence]) -> dict[str, int]:
    promoted = sum(attempt.run.is_promote for attempt in attempts)
    files = [file for item in evidence for file in item.files]
    return {
        "attempts": len(attempts),
        "promoted": promoted,
        "not_promoted": len(attempts) - promoted,
        "evidence_files": len(files),
        "evidence_files_wrong": sum(not file["intact"] for file in files),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    run = attempt.run
    return {
        "n": attempt.n,
        "ledger_record": run.seq,
        "run_id": run.run_id,
        "kind": run.kind,
        "created_at": run.created_at,
        "command": list(run.command),
        "decision": run.decision,
        "exit_status": run.exit_status,
        "severity": run.severity,
        "failed_checks": list(run.failed_checks),
        "counts": dict(run.counts),
        "drivers": dict(run.drivers),
        "results": [dict(row) for row in run.results],
        "findings": [dict(finding) for finding in run.findings],
        "weaker_than_before": list(attempt.change.weaker),
        "changed": list(attempt.change.other),
    }


def _rationale(failing: Sequence[str], missing: Sequence[str], findings: Sequence[str], channel: Channel) -> str:
    if not failing and not findings:
        return "Every step of the runbook has its evidence and promotes; no failed run is unanswered."
    parts = []
    if missing:
        parts.append(f"missing steps: {', '.join(missing)}")
    if blocked := [name for name in failing if name not in missing]:
        parts.append(f"not promoted: {', '.join(blocked)}")
    if findings:
        parts.append(f"{len(findings)} findings about the evidence")
    if channel.obstacles or channel.state is ChannelState.ROLLED_BACK:
        parts.append(f"the channel is {channel.state.value}")
    return f"{'; '.join(parts)}.".capitalize()


def _rehearsal(entries: Sequence[Entry]) -> dict[str, Any] | None:
    entry = last_rehearsal(entries)
    if entry is None:
        return None
    facts = {key: entry.body.get(key) for key in ("verified", "seconds")}
    return {"at": entry.recorded_at, "ledger_record": entry.seq, **facts}
