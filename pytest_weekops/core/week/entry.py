"""Entries of the ledger: their chain of hashes, and what a run's entry says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field

from pytest_weekops.core.calendar import Week, parse_time, week_of
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.record import Record

GENESIS = "0" * 64
RUN, ROLLBACK, WEEK, ACTION, ALERT, PIN = "run", "rollback", "week", "action", "alert", "pin"
FLEET = "fleet"  # what a fleet of hosts came to; no run of this machine, and no answer for its channel
FLEET_WEEK = "fleet_week"  # a week of the fleets of a report directory, closed
DEPLOYED = "deployed"  # a runtime profile that was made the active one before it was measured, by a staged promotion


def canonical_json(data: Any) -> str:
    """The one spelling of a value that hashes are taken of. Raises ``ValueError`` for NaN and infinity."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


@dataclass(frozen=True)
class Entry:
    """One record of the ledger. ``hash`` covers everything else and the hash of the entry before."""

    seq: int
    kind: str
    key: str
    recorded_at: str
    body: Mapping[str, Any]
    hash: str = ""

    def chained(self, previous: str) -> str:
        """The hash this entry must have behind an entry with the hash ``previous``."""
        text = canonical_json([self.seq, self.kind, self.key, self.recorded_at, self.body])
        return hashlib.sha256(previous.encode() + text.encode()).hexdigest()


def chain_problems(entries: Iterable[Entry]) -> list[str]:
    """Sentences for every entry that was changed, removed or put in another place; empty where the chain holds."""
    problems: list[str] = []
    previous, expected = GENESIS, 1
    for entry in entries:
        if entry.seq < expected:
            problems.append(
                f"Record {entry.seq} ({entry.kind} {entry.key}) stands behind record {expected - 1}: it was put there."
            )
            continue
        if entry.seq > expected:
            missing = f"{expected}" if entry.seq == expected + 1 else f"{expected} to {entry.seq - 1}"
            problems.append(f"Record {missing} is missing before record {entry.seq}: it was removed.")
        elif entry.chained(previous) != entry.hash:
            problems.append(f"Record {entry.seq} ({entry.kind} {entry.key}) does not match its hash: it was changed.")
        previous, expected = entry.hash, entry.seq + 1
    return problems


class RunEntry(Record):
    """What the ledger keeps of one run. ``plan`` and ``policy`` are kept whole: a rerun is compared with them.

    ``not_applicable`` has the kernels that a platform's device could not run, None where an older version recorded it.
    ``peaks`` are the platforms whose level 0 bounded their launches.
    ``late_s`` is None where the run entered itself when it ended; else the seconds until somebody else entered it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings", defer_build=True)

    run_id: str
    kind: str
    created_at: str
    command: tuple[str, ...] = ()
    decision: str
    exit_status: int
    severity: int = Field(ge=1, le=4)
    failed_checks: tuple[str, ...] = ()
    inconclusive_checks: tuple[str, ...] = ()
    owner: str = ""
    respond_within_minutes: int = 0
    action: str = ""
    policy_id: str = ""
    policy_sha256: str = ""
    policy: dict[str, Any] = Field(default_factory=dict)
    plan: dict[str, Any] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    hardware: dict[str, str] = Field(default_factory=dict)
    drivers: dict[str, str] = Field(default_factory=dict)
    baselines: dict[str, Any] = Field(default_factory=dict)
    not_applicable: dict[str, tuple[str, ...]] | None = None
    peaks: tuple[str, ...] = ()
    run_dir: str = ""
    decision_sha256: str = ""
    artifacts: tuple[dict[str, Any], ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    results: tuple[dict[str, Any], ...] = ()
    late_s: float | None = None
    seq: int = 0

    @property
    def week(self) -> Week:
        """The ISO week in which the run was made."""
        return week_of(self.created_at)

    @property
    def is_promote(self) -> bool:
        """Whether the run was complete and ended in promote: verdict, exit status and counts all say so."""
        said = self.decision == "promote" and self.exit_status == 0
        return said and not self.failed_checks and not self.incompleteness

    @property
    def incompleteness(self) -> str:
        """What the run did not measure of its plan, or nothing."""
        if self.counts.get("deselected", 0) > 0:
            return f"{self.counts['deselected']} items were deselected"
        if self.kind == "canonical":
            return ""
        planned, measured = self.counts.get("planned", 0), self.counts.get("measured", 0)
        # With looks, snapshots that the host left alone stand in for others; that they are enough is in the verdict.
        instead = self.counts.get("stayed_void", 0) if self.plan.get("looks") else 0
        if measured > 0 and 0 < planned <= measured + instead:
            return ""
        return f"{measured} of {planned} planned cases were measured"

    @property
    def freezes(self) -> bool:
        """Whether this outcome freezes promotion: SEV1 and SEV2 always, others where the policy says so."""
        if self.decision == "promote" and self.exit_status == 0:
            return False
        levels = self.policy.get("severity", {}).get("levels", {}) if isinstance(self.policy, dict) else {}
        level = levels.get(str(self.severity), {}) if isinstance(levels, dict) else {}
        return self.severity <= 2 or (isinstance(level, dict) and level.get("freeze") is True)


def run_entries(entries: Iterable[Entry]) -> tuple[RunEntry, ...]:
    """The runs among the entries as they were recorded, but each that was recorded late in the place where it was made.

    A failed run that came into the ledger behind a promote was made before it, and is answered by it.
    """
    found: list[RunEntry] = []
    for run in (_run_entry(entry) for entry in entries if entry.kind == RUN):
        place = len(found)
        if run.late_s is not None:
            made = parse_time(run.created_at)
            place = next((at for at, other in enumerate(found) if parse_time(other.created_at) > made), place)
        found.insert(place, run)
    return tuple(found)


def _run_entry(entry: Entry) -> RunEntry:
    """One run of the ledger. Raises ``InputError`` where its record has another shape: somebody rewrote the chain."""
    try:
        run = RunEntry.model_validate({**entry.body, "seq": entry.seq})
        _ = run.week
    except (ValueError, TypeError, OverflowError, InputError) as error:
        raise InputError(
            f"Record {entry.seq} of the ledger ({entry.kind} {entry.key[:80]!r}) is no run: "
            f"{str(error).splitlines()[0]}. The chain was rewritten, and what it says cannot be trusted; nothing was "
            "changed. Restore the ledger from a copy."
        ) from error
    return run
