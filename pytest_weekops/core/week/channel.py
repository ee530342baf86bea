"""The channel: whether the candidate driver may be deployed now, drawn from the ledger's entries alone.

Every run that did not promote stands open until a complete run of the same kind promotes at a profile that is not
weaker. An open SEV1 or SEV2 freezes the channel, in whatever week it was; a milder one binds within its own ISO week,
and the next week's promote answers it. A rollback in effect holds the channel until a promote that measured the
platform which was rolled away from.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.entry import DEPLOYED, ROLLBACK, Entry, RunEntry, run_entries

_CLOCK_SKEW = timedelta(hours=1)  # between two machines that share a report directory


class ChannelState(StrEnum):
    """``promoted`` is the only state in which a deployment may go ahead."""

    PROMOTED = "promoted"
    FROZEN = "frozen"
    ROLLED_BACK = "rolled_back"
    ITERATE = "iterate"


@dataclass(frozen=True)
class Obstacle:
    """A run that did not promote and is not answered yet; ``refused`` says which later promotes did not lift it."""

    run: RunEntry
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollbackInEffect:
    """A rollback that was begun and not undone; ``stage`` is the last one recorded, ``origin`` the profile's hash."""

    seq: int
    since: str
    stage: str
    from_platform: str
    to_platform: str
    seconds: float | None = None
    origin: str = ""


@dataclass(frozen=True)
class Channel:
    """State, since when, why, and what lifts it."""

    state: ChannelState
    since: str
    why: tuple[str, ...]
    lifts: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    rollback: RollbackInEffect | None = None
    promoted_by: tuple[RunEntry, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def channel_of(entries: Sequence[Entry], *, now: str | None = None, max_age_days: float | None = None) -> Channel:
    """The channel's state. With ``now`` and ``max_age_days``, a promote older than that no longer counts."""
    runs = run_entries(entries)
    obstacles = open_obstacles(runs)
    standing = rollbacks_in_effect(entries)
    promotes = tuple(run for run in runs if run.kind != "canonical" and run.is_promote)
    pending = [one for one in standing if not _answered(one, promotes)]
    held = bool(pending)
    rollback = (pending or [*standing])[-1] if standing else None
    notes = tuple(_notes(rollback, entries, held=held))
    frozen = [o for o in obstacles if o.run.freezes]
    if rollback is not None and held:
        why = (_rollback_words(rollback), *(_failure_words(o) for o in frozen))
        lifts = (*_lifts(rollback), *(_lift_words(o) for o in frozen))
        return Channel(ChannelState.ROLLED_BACK, rollback.since, why, lifts, obstacles, rollback, promotes[-1:], notes)
    if obstacles:
        state = ChannelState.FROZEN if frozen else ChannelState.ITERATE
        shown = frozen or list(obstacles)
        why, lifts = tuple(map(_failure_words, shown)), tuple(map(_lift_words, shown))
        since = shown[0].run.created_at
        return Channel(state, since, why, lifts, obstacles, rollback, promotes[-1:], notes)
    return _without_obstacles(runs, promotes, rollback, notes, now, max_age_days)


def _without_obstacles(
    runs: Sequence[RunEntry],
    promotes: tuple[RunEntry, ...],
    rollback: RollbackInEffect | None,
    notes: tuple[str, ...],
    now: str | None,
    max_age_days: float | None,
) -> Channel:
    measure = "a weekly or split run that is complete and ends in promote"
    if not promotes:
        why = "No complete weekly or split run ended in promote." if runs else "No run is recorded."
        return Channel(ChannelState.ITERATE, runs[-1].created_at if runs else "", (why,), (measure,), notes=notes)
    last = promotes[-1]
    if now is not None and parse_time(last.created_at) - parse_time(now) > _CLOCK_SKEW:
        words = f"Run {last.run_id} promoted in the future ({last.created_at}): a clock was wrong, its age is unknown."
        return Channel(ChannelState.ITERATE, last.created_at, (words,), (measure,), (), rollback, (last,), notes)
    if now is not None and max_age_days is not None:
        age = parse_time(now) - parse_time(last.created_at)
        if age > timedelta(days=max_age_days):
            words = f"Run {last.run_id} promoted {age.days} days ago; at most {max_age_days:g} are allowed."
            return Channel(ChannelState.ITERATE, last.created_at, (words,), (measure,), (), rollback, (last,), notes)
    why = f"Run {last.run_id} ({last.kind}) was complete and ended in promote; no failed run is unanswered."
    return Channel(ChannelState.PROMOTED, last.created_at, (why,), (), (), rollback, (last,), notes)


def open_obstacles(runs: Sequence[RunEntry]) -> tuple[Obstacle, ...]:
    """The runs that did not promote and were not answered since, oldest first."""
    standing: list[Obstacle] = []
    for run in runs:
        if run.is_promote:
            standing = [left for obstacle in standing if (left := _after_promote(obstacle, run)) is not None]
        else:
            standing.append(Obstacle(run))
    return tuple(standing)


def _after_promote(obstacle: Obstacle, promote: RunEntry) -> Obstacle | None:
    failed = obstacle.run
    if promote.kind != failed.kind:
        return obstacle
    # Order of recording is not enough: a run made before the failure says nothing about what came after it.
    if parse_time(promote.created_at) < parse_time(failed.created_at):
        refused = f"{promote.run_id} was made before the failure"
    else:
        if not failed.freezes and promote.week > failed.week:
            return None
        weaker = compare(promote, failed).weaker
        if not weaker:
            return None
        refused = f"{promote.run_id} promoted at a weaker profile: {'; '.join(weaker)}"
    return Obstacle(failed, (*obstacle.refused, refused))


def _failure_words(obstacle: Obstacle) -> str:
    run = obstacle.run
    checks = ", ".join(run.failed_checks) or run.incompleteness or f"exit status {run.exit_status}"
    words = f"Run {run.run_id} ({run.kind}, {run.week}) ended in {run.decision} at SEV{run.severity}: {checks}."
    return " ".join((words, *(f"Not lifted: {reason}." for reason in obstacle.refused)))


def _lift_words(obstacle: Obstacle) -> str:
    run = obstacle.run
    command = shlex.join(run.command) if run.command else f"the {run.kind} suite"
    return f"a complete {run.kind} run that promotes at a profile not weaker than {run.run_id}'s: {command}"


# -- rollback ----------------------------------------------------------------------------------------------------


def rollback_in_effect(entries: Sequence[Entry]) -> RollbackInEffect | None:
    """The last rollback that was begun and not undone. One that was only begun counts: where it stopped is unknown."""
    standing = rollbacks_in_effect(entries)
    return standing[-1] if standing else None


def rollbacks_in_effect(entries: Sequence[Entry]) -> tuple[RollbackInEffect, ...]:
    """Every rollback that was begun and not undone, oldest first: each undo takes the last one back."""
    standing: list[RollbackInEffect] = []
    for entry in entries:
        if entry.kind != ROLLBACK:
            continue
        stage = str(entry.body.get("stage", ""))
        if stage == "begun":
            begun = _begun(entry)
            # One that ended before its switch and was begun again is one rollback, not two.
            if standing and standing[-1].stage == "begun" and standing[-1].origin == begun.origin:
                begun = replace(begun, seq=standing[-1].seq, since=standing[-1].since)
                standing.pop()
            standing.append(begun)
        elif stage in ("switched", "verified", "unverified") and standing:
            standing[-1] = replace(standing[-1], stage=stage, seconds=as_finite(entry.body.get("seconds")))
        elif stage == "undone" and standing:
            standing.pop()
    return tuple(standing)


def _begun(entry: Entry) -> RollbackInEffect:
    before: Mapping[str, Any] = entry.body.get("from") or {}
    after: Mapping[str, Any] = entry.body.get("to") or {}
    names = str(before.get("platform", "")), str(after.get("platform", ""))
    return RollbackInEffect(entry.seq, entry.recorded_at, "begun", *names, origin=str(before.get("sha256", "")))


def _answered(rollback: RollbackInEffect, promotes: Sequence[RunEntry]) -> bool:
    return any(
        run.seq > rollback.seq
        and parse_time(run.created_at) >= parse_time(rollback.since) - timedelta(seconds=1)
        and _measured(run, rollback)
        for run in promotes
    )


def _measured(run: RunEntry, rollback: RollbackInEffect) -> bool:
    """Whether a run measured what was rolled away from: the baseline's own promote says nothing about it."""
    platforms = [str(name) for name in run.plan.get("platforms", ())]
    if rollback.from_platform and rollback.from_platform != rollback.to_platform:
        return rollback.from_platform in platforms
    return any(name != rollback.to_platform for name in platforms)


def _rollback_words(rollback: RollbackInEffect) -> str:
    target = rollback.to_platform or "the baseline"
    stories = {
        "begun": f"A rollback to {target} was begun and not finished: `weekops rollback --apply` finishes it.",
        "switched": f"The runtime profile was switched to {target}, not verified yet: run `weekops rollback --apply`.",
        "unverified": f"The runtime profile was switched to {target}, and its verification FAILED.",
    }
    return stories.get(rollback.stage, f"The runtime profile was rolled back to {target} and verified.")


def _lifts(rollback: RollbackInEffect) -> Iterator[str]:
    away = rollback.from_platform or "the candidate"
    yield f"a complete weekly or split run of {away} that promotes; `weekops rollback --undo` puts the profile back"


def _notes(rollback: RollbackInEffect | None, entries: Sequence[Entry], *, held: bool) -> Iterator[str]:
    if rollback is None:
        return
    since = [entry for entry in entries if entry.kind == DEPLOYED and entry.seq > rollback.seq]
    if since:
        platform = (since[-1].body.get("to") or {}).get("platform") or "another platform"
        yield f"A staged promotion made {platform}'s runtime profile the active one on {since[-1].recorded_at}."
    elif not held:
        yield (
            f"The runtime profile is still {rollback.to_platform or 'the baseline'}'s; "
            "`weekops rollback --undo` puts the one before back."
        )


def last_rehearsal(entries: Sequence[Entry]) -> Entry | None:
    """The last rehearsal of a rollback, whatever its outcome."""
    found = [e for e in entries if e.kind == ROLLBACK and e.body.get("stage") == "rehearsed"]
    return found[-1] if found else None
