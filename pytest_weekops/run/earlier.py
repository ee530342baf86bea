"""A run that was broken off, as it is gone on with: what it had measured, and what in it stands against that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.finding import ExitStatus
from pytest_weekops.core.measurement.records import Case, GateRecord, Measurement, PressureRecord
from pytest_weekops.core.measurement.run_names import next_part
from pytest_weekops.core.measurement.segments import without_halves
from pytest_weekops.evidence.artifacts import read_decision, recorded_hash
from pytest_weekops.evidence.journal import JOURNAL_NAME, Event, encode_event
from pytest_weekops.evidence.stored_run import StoredRun, read_run
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.witnesses import refuse_contradicted

_CLOSING_STAGES = ("suite", "check")
_INTERRUPTED = "the run was interrupted"


@dataclass(frozen=True)
class Earlier:
    """A run that is gone on with: its whole lines up to where it was broken off, and what they hold."""

    stored: StoredRun
    events: tuple[Event, ...]
    lines: tuple[bytes, ...]
    records: tuple[Any, ...]
    halves: int

    @property
    def sha256(self) -> str:
        """The hash of the lines."""
        return hashlib.sha256(b"".join(self.lines)).hexdigest()

    @property
    def run_id(self) -> str:
        """The name of the run that goes on with it."""
        return next_part(self.stored.run_id)

    @property
    def measured(self) -> dict[Case, Measurement]:
        """The measurement of each case that needs no other; one that stayed void to the last attempt needs none."""
        most = self.stored.policy.host.max_attempts
        return {r.case: r for r in self.records if isinstance(r, Measurement) and (not r.void or r.attempt >= most)}

    @property
    def attempts(self) -> dict[Case, int]:
        """How often each case was measured in vain."""
        found: dict[Case, int] = {}
        for record in self.records:
            if isinstance(record, Measurement) and record.void:
                found[record.case] = max(found.get(record.case, 0), record.attempt)
        return found

    @property
    def pressed(self) -> dict[tuple[str, int | None], PressureRecord]:
        """The pressure pulses of each platform and snapshot."""
        return {(r.platform, r.snapshot): r for r in self.records if isinstance(r, PressureRecord)}

    @property
    def last_order(self) -> int:
        """The order of the last measurement, those that do not count any more included."""
        return max((m.data.get("order", 0) for m in self.events if m.type == "measurement"), default=0)

    @property
    def last_snapshot(self) -> datetime | None:
        """When its last snapshot began; None where none did."""
        stamps = [str(event.data.get("started_at")) for event in self.events if event.type == "snapshot"]
        return parse_time(stamps[-1]) if stamps else None

    @property
    def last_known(self) -> datetime:
        """The latest moment that its journal tells of, the end of a measurement or the beginning of something."""
        moments = [parse_time(self.stored.created_at)]
        moments += [parse_time(segment.started_at) for segment in self.stored.segments]
        for event in self.stored.events:
            stamp = event.data.get("started_at") or event.data.get("ended_at")
            if isinstance(stamp, str) and stamp:
                took = event.data.get("elapsed_s", 0.0)
                seconds = float(took) if isinstance(took, int | float) and 0 <= took < 10**7 else 0.0
                moments.append(datetime.fromtimestamp(parse_time(stamp).timestamp() + seconds, UTC))
        return max(moments)


def read_earlier(path: Path, report_dir: Path) -> Earlier:
    """The run in a directory, where it can be gone on with. Raises ``InputError`` with what stands against it."""
    directory = path if path.exists() else report_dir / path
    stored = read_run(directory)
    _refuse_elsewhere(directory, stored, report_dir)
    _refuse_ended(stored)
    _refuse_changed(directory, stored)
    refuse_contradicted(stored.run_id, directory / JOURNAL_NAME)
    _refuse_resumed(stored, report_dir)
    events = _until_closing(stored)
    lines = tuple(encode_event(event.seq, event.type, event.data) for event in events)
    if not (directory / JOURNAL_NAME).read_bytes().startswith(b"".join(lines)):
        raise refused(stored.run_id, "its journal is spelled otherwise than this program writes", "Run it anew")
    everything = [record for record in stored.records if not _is_closing(record)]
    records = without_halves(everything)
    return Earlier(stored, events, lines, tuple(records), len(everything) - len(records))


def _refuse_elsewhere(directory: Path, stored: StoredRun, report_dir: Path) -> None:
    if not directory.is_dir() or directory.resolve().parent != report_dir.resolve():
        what = f"{directory} is no run directory in {report_dir}, where this run's ledger and baselines are"
        raise refused(stored.run_id, what, "Name its directory, and give the --report-dir that it was made with")
    if directory.resolve().name != stored.run_id:
        what = f"{directory} holds the journal of run {stored.run_id}"
        raise refused(directory.name, what, "Name that run's own directory")


def _refuse_ended(stored: StoredRun) -> None:
    if stored.ended is not None and stored.ended != ExitStatus.INTERRUPTED:
        what = f"it ended by itself, with exit status {stored.ended}"
        raise refused(stored.run_id, what, "Run anew for another verdict")
    if not stored.segments:
        raise refused(stored.run_id, "an older version wrote it, which did not note the boot", "Run it anew")
    for record in stored.records:
        if not isinstance(record, GateRecord) or record.stage not in _CLOSING_STAGES or record.passed:
            continue
        if record.key != "suite/pytest/":
            what = f"a check of it failed ({record.gate}: {record.reason})"
            raise refused(stored.run_id, what, "See to that and run it anew")
        if not record.reason.startswith(_INTERRUPTED):
            raise refused(stored.run_id, f"the tests around it did not go well ({record.reason})", "Run it anew")


def _refuse_changed(directory: Path, stored: StoredRun) -> None:
    decision = read_decision(directory)
    if decision is None:
        return
    recorded = recorded_hash(decision, JOURNAL_NAME)
    if recorded != hashlib.sha256((directory / JOURNAL_NAME).read_bytes()).hexdigest():
        what = "its journal is not the one that its decision.json has the hash of"
        raise refused(stored.run_id, what, "Restore it from a copy, or run it anew")


def _refuse_resumed(stored: StoredRun, report_dir: Path) -> None:
    """Refuse to go on twice: what a case came to may be asked once."""
    after = next_part(stored.run_id)
    if (report_dir / after).exists() or any(e.key == after for e in open_ledger(report_dir).entries()):
        what = f"it was gone on with already, as {after}"
        raise refused(stored.run_id, what, f"Go on with {after} where that was broken off, too, or run it anew")


def refused(run_id: str, what: str, advice: str) -> InputError:
    """Why a run cannot be gone on with, in a sentence."""
    return InputError(
        f"Run {run_id} cannot be gone on with: {what}. One verdict speaks of one run under the same circumstances, so "
        f"nothing was measured. {advice}."
    )


def _is_closing(record: object) -> bool:
    return isinstance(record, GateRecord) and record.stage in _CLOSING_STAGES


def _until_closing(stored: StoredRun) -> tuple[Event, ...]:
    """The events before the last gate: it said that the run was interrupted, which is not its end any more."""
    found = []
    for event in stored.events:
        if event.type == "end" or (event.type == "gate" and event.data.get("stage") in _CLOSING_STAGES):
            break
        found.append(event)
    return tuple(found)
