"""The five tracks of a week: gate, replay, split, severity and rollback, each decided on intact evidence alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.attempts import Attempt
from pytest_weekops.core.week.channel import Channel, ChannelState, channel_of, rollback_in_effect
from pytest_weekops.core.week.entry import ROLLBACK, RUN, Entry, RunEntry, run_entries

PROMOTE, ITERATE = "promote", "iterate"
TRACKS = {"gate": "canonical", "replay": "weekly", "split": "split"}


@dataclass(frozen=True)
class Files:
    """Files as they are now: each with path, hash and whether it is what was recorded; problems as sentences."""

    files: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunEvidence:
    """The files of one run."""

    run: RunEntry
    files: tuple[dict[str, Any], ...]
    problems: tuple[str, ...] = ()


def week_channel(entries: Sequence[Entry], week: Week, evidence: Sequence[RunEvidence]) -> Channel:
    """The channel that decides a week: every failure counts, and of the week's promotes only those in evidence.

    What later weeks promoted answers nothing here. What they failed still holds a promote back.
    """
    named = {item.run.run_id for item in evidence}
    runs = {run.run_id: run for run in run_entries(entries)}

    def counts(entry: Entry) -> bool:
        run = runs[entry.key] if entry.kind == RUN else None
        return run is None or run.week < week or (run.week == week and (run.run_id in named or not run.is_promote))

    then = channel_of([entry for entry in entries if counts(entry)])
    return then if then.state is not ChannelState.PROMOTED else channel_of(entries)


def week_tracks(
    attempts: Sequence[Attempt],
    channel: Channel,
    entries: Sequence[Entry],
    evidence: Sequence[RunEvidence],
    rollbacks: Mapping[int, Files],
) -> dict[str, dict[str, Any]]:
    """Decision, evidence and rationale of every track. ``rollbacks`` are verifications' files by ledger record."""
    tracks = {name: _run_track(kind, evidence) for name, kind in TRACKS.items()}
    tracks["severity"] = _severity_track(attempts, channel, evidence)
    tracks["rollback"] = _rollback_track(attempts, entries, rollbacks)
    return tracks


def driver_problems(evidence: Sequence[RunEvidence]) -> Iterator[str]:
    """Sentences where the runs that decide the week measured different drivers or hardware under one name."""
    seen: dict[str, RunEntry] = {}
    for run in filter(None, (_last(kind, evidence) for kind in TRACKS.values())):
        for label in run.drivers:
            first = seen.setdefault(label, run)
            for what, new, old in (
                ("driver", run.drivers.get(label), first.drivers.get(label)),
                ("hardware", run.hardware.get(label), first.hardware.get(label)),
            ):
                if new != old:
                    yield (
                        f"Platform {label} had another {what} in run {run.run_id} ({new}) than in run "
                        f"{first.run_id} ({old}): what one of them proved does not hold for the other."
                    )


def _last(kind: str, evidence: Sequence[RunEvidence]) -> RunEntry | None:
    return next((item.run for item in reversed(evidence) if item.run.kind == kind), None)


def _run_track(kind: str, evidence: Sequence[RunEvidence]) -> dict[str, Any]:
    mine, run = [item for item in evidence if item.run.kind == kind], _last(kind, evidence)
    if run is None:
        return _outcome(ITERATE, f"MISSING: no {kind} run of this week is recorded.", missing=True)
    files = [file for item in mine for file in item.files]
    if any(item.problems for item in mine):
        return _outcome(ITERATE, "Evidence is missing or does not match its recorded hash.", files)
    if not run.is_promote:
        checks = ", ".join(run.failed_checks) or run.incompleteness or f"exit status {run.exit_status}"
        return _outcome(ITERATE, f"Run {run.run_id} ended in {run.decision} at SEV{run.severity}: {checks}.", files)
    return _outcome(PROMOTE, f"Run {run.run_id} was complete and ended in promote.", files)


def _outcome(
    decision: str, rationale: str, files: Sequence[Mapping[str, Any]] = (), *, missing: bool = False
) -> dict[str, Any]:
    return {"decision": decision, "rationale": rationale, "evidence": [dict(f) for f in files], "missing": missing}


def _severity_track(attempts: Sequence[Attempt], channel: Channel, evidence: Sequence[RunEvidence]) -> dict[str, Any]:
    if not attempts:
        return _outcome(ITERATE, "MISSING: there is no run to map.", missing=True)
    # A run's severity stands in its decision.
    files = [file for item in evidence for file in item.files if str(file["path"]).endswith("/decision.json")]
    if channel.obstacles or channel.state is ChannelState.ROLLED_BACK:
        return _outcome(ITERATE, " ".join(channel.why), files)
    failed = [attempt for attempt in attempts if not attempt.run.is_promote]
    words = f"{len(failed)} failed attempts, each answered by a rerun" if failed else "no attempt failed"
    return _outcome(PROMOTE, f"{words}; nothing is open.".capitalize(), files)


# -- rollback ----------------------------------------------------------------------------------------------------


def rollback_proofs(attempts: Sequence[Attempt], entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The verified rollbacks that answer the week's SEV1 runs, each once: their files are evidence of the week."""
    proofs = [proof for run in _demanded(attempts) if (proof := _proof(run, entries)) is not None]
    return tuple({proof.seq: proof for proof in proofs}.values())


def _rollback_track(
    attempts: Sequence[Attempt], entries: Sequence[Entry], rollbacks: Mapping[int, Files]
) -> dict[str, Any]:
    demanded = _demanded(attempts)
    if not demanded:
        critical = any(_is_critical(attempt.run) for attempt in attempts)
        words = "The policy says never to roll back." if critical else "No run of the week was at SEV1."
        return _outcome(PROMOTE, f"Not required. {words}")
    unproved = next((run for run in demanded if _proof(run, entries) is None), None)
    if unproved is not None:
        failed = any(_stage(entry) == "unverified" and entry.seq > unproved.seq for entry in entries)
        tried = "its verification failed" if failed else "none is recorded"
        words = f"MISSING: run {unproved.run_id} at SEV1 requires a verified rollback, and {tried}."
        return _outcome(ITERATE, words, missing=not failed)
    proofs = rollback_proofs(attempts, entries)
    checked = [rollbacks.get(proof.seq, Files(problems=("It was not checked.",))) for proof in proofs]
    words = " ".join(
        f"Verified {proof.body.get('seconds')} s after the trigger (ledger record {proof.seq})." for proof in proofs
    )
    broken = any(item.problems or not item.files for item in checked)
    words += " Its evidence is missing or does not match its recorded hash." if broken else ""
    return _outcome(ITERATE if broken else PROMOTE, words, [file for item in checked for file in item.files])


def _demanded(attempts: Sequence[Attempt]) -> list[RunEntry]:
    return [attempt.run for attempt in attempts if _is_critical(attempt.run) and _mode(attempt.run) != "never"]


def _is_critical(run: RunEntry) -> bool:
    return run.severity == 1 and not run.is_promote


def _mode(run: RunEntry) -> str:
    rollback = run.policy.get("rollback", {})
    return str(rollback.get("mode", "plan")) if isinstance(rollback, dict) else "plan"


def _stage(entry: Entry) -> str:
    return str(entry.body.get("stage")) if entry.kind == ROLLBACK else ""


def _proof(run: RunEntry, entries: Sequence[Entry]) -> Entry | None:
    """The verification that answers a SEV1: the first one after it, or that of a rollback then in effect."""
    after = next((e for e in entries if _stage(e) == "verified" and e.seq > run.seq), None)
    if after is not None:
        return after
    before = [e for e in entries if e.seq < run.seq]
    standing = rollback_in_effect(before)
    if standing is None or standing.stage != "verified":
        return None
    return next((e for e in reversed(before) if _stage(e) == "verified"), None)
