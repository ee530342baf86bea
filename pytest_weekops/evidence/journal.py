"""The journal of a run: written record by record and synced, read back whole or refused.

One line per event, ``{"v":1,"seq":n,"type":...,"data":{...},"crc":"..."}``, appended with a single write and synced
before the next case starts. The reader forgives a torn *last* line (the process died while writing it) and nothing
else: a bad checksum, a missing number or a repeated one further up means that the evidence was altered.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.measurement.calibration import CalibrationRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity, GateRecord, LookRecord, Measurement, PressureRecord
from pytest_weekops.core.record import Record

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.policy.policy import Policy

JOURNAL_VERSION = 1
JOURNAL_NAME = "journal.jsonl"
LARGEST_JOURNAL_BYTES = 2 * 1024**3
LARGEST_LINE_BYTES = 64 * 1024**2

_JUDGED: dict[str, type[JudgedRecord]] = {
    "driver": DriverListing,
    "measurement": Measurement,
    "pressure": PressureRecord,
    "gate": GateRecord,
    "injection": InjectionRecord,
    "look": LookRecord,
    "calibration": CalibrationRecord,
}


@dataclass(frozen=True)
class Event:
    """One line of a journal."""

    seq: int
    type: str
    data: dict[str, Any]


class Journal:
    """Append-only journal of one run; every :meth:`append` is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError as error:
            raise InputError(
                f"Run journal {path} exists already. Two runs in one file could not be told apart. "
                "Choose another --report-prefix."
            ) from error
        except OSError as error:
            raise InputError(
                f"Report directory {path.parent} cannot be written: {error.strerror}. Without a journal nothing that "
                "is measured could be proved. Choose another --report-dir or make room."
            ) from error

    def append(self, kind: str, data: Record | Mapping[str, Any]) -> int:
        """Write one event, sync it, and return its sequence number. Raises ``WeekopsError`` when the disk refuses."""
        body = data.model_dump(mode="json") if isinstance(data, Record) else dict(data)
        line = encode_event(self._seq + 1, kind, body)
        try:
            whole = os.write(self._fd, line) == len(line)
            os.fsync(self._fd)
        except OSError as error:
            raise self._refused(error.strerror) from error
        if not whole:
            raise self._refused("the disk took only part of a line")
        self._seq += 1
        return self._seq

    def _refused(self, why: str | None) -> WeekopsError:
        return WeekopsError(
            f"Journal {self.path} cannot be written: {why}. What was measured so far is in it, the rest would be lost, "
            "so the run stops here. Make room and run again."
        )

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def encode_event(seq: int, kind: str, data: Mapping[str, Any]) -> bytes:
    """One journal line with its checksum, newline included."""
    payload = json.dumps([seq, kind, data], separators=(",", ":"), sort_keys=True, allow_nan=False)
    crc = f"{zlib.crc32(payload.encode()):08x}"
    entry = {"v": JOURNAL_VERSION, "seq": seq, "type": kind, "data": data, "crc": crc}
    return (json.dumps(entry, separators=(",", ":"), allow_nan=False) + "\n").encode()


def read_journal(path: Path) -> list[Event]:
    """All events of a journal in order; a torn last line is dropped, any other damage raises ``InputError``."""
    try:
        if path.stat().st_size > LARGEST_JOURNAL_BYTES:
            raise InputError(f"Journal {path} is larger than 2 GiB. No run writes that much. Check what this file is.")
        if path.exists() and not path.is_file():
            raise InputError(f"Journal {path} is no regular file. Reading it might never end. Name the run's journal.")
        with path.open("rb") as stream:
            events, torn = _read_events(stream, path)
    except OSError as error:
        raise InputError(f"Journal {path} cannot be read: {error.strerror}. Check the path.") from error
    if not events:
        what = "holds only a torn line" if torn else "is empty"
        raise InputError(f"Journal {path} {what}. There is nothing to judge. Run the suite again.")
    return events


def _read_events(stream: BinaryIO, path: Path) -> tuple[list[Event], bool]:
    """Events line by line, and whether the last line was torn off."""
    events: list[Event] = []
    while line := stream.readline(LARGEST_LINE_BYTES):
        if not line.endswith(b"\n"):
            if len(line) == LARGEST_LINE_BYTES:
                raise InputError(
                    f"Journal {path} line {len(events) + 1} is longer than {LARGEST_LINE_BYTES // 2**20} MiB. No "
                    "record of a run is. Check what this file is."
                )
            return events, True
        events.append(_decode_event(line[:-1], len(events) + 1, path))
    return events, False


def _decode_event(line: bytes, number: int, path: Path) -> Event:
    def refuse(what: str) -> InputError:
        return InputError(
            f"Journal {path} line {number} {what}. A journal that was altered proves nothing. Judge an intact copy."
        )

    try:
        entry = json.loads(line)
        seq, kind, data, crc = entry["seq"], entry["type"], entry["data"], entry["crc"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise refuse("is not a journal entry") from error
    if entry.get("v") != JOURNAL_VERSION:
        raise refuse(f"has version {entry.get('v')!r}, this program reads {JOURNAL_VERSION}")
    payload = json.dumps([seq, kind, data], separators=(",", ":"), sort_keys=True)
    if f"{zlib.crc32(payload.encode()):08x}" != crc:
        raise refuse("fails its checksum")
    if seq != number:
        raise refuse(f"has number {seq}: entries are missing or repeated")
    return Event(seq=seq, type=kind, data=data)


@dataclass(frozen=True)
class StoredRun:
    """A run read back from its journal: exactly what the live judge was given."""

    run_id: str
    created_at: str
    command: tuple[str, ...]
    plan: CampaignPlan
    policy: Policy
    baselines: tuple[Baseline, ...] = ()
    identities: Mapping[str, DeviceIdentity] = field(default_factory=dict)
    records: Sequence[JudgedRecord] = ()
    events: Sequence[Event] = ()

    @property
    def kind(self) -> str:
        """``canonical``, ``weekly`` or ``split``."""
        return self.plan.kind


def find_journal(path: Path) -> Path:
    """The journal of a run directory, or the path itself when it is a file."""
    return path / JOURNAL_NAME if path.is_dir() else path


def read_run(path: Path) -> StoredRun:
    """Read a run directory or a journal. Raises ``InputError`` where it is not a whole, readable journal."""
    from pydantic import ValidationError

    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.policy.policy import Policy

    journal = find_journal(path)
    events = read_journal(journal)
    first = events[0]
    if first.type != "run":
        raise InputError(f"Journal {journal} does not start with its run. Its plan is unknown. Judge an intact copy.")
    try:
        return StoredRun(
            run_id=str(first.data["run_id"]),
            created_at=str(first.data["created_at"]),
            command=tuple(first.data["command"]),
            plan=CampaignPlan.model_validate(first.data["plan"]),
            policy=Policy.model_validate(first.data["policy"]),
            baselines=tuple(Baseline.model_validate(e.data) for e in events if e.type == "baseline"),
            identities={
                e.data["profile"]: DeviceIdentity.model_validate(e.data) for e in events if e.type == "identity"
            },
            records=tuple(_JUDGED[e.type].model_validate(e.data) for e in events if e.type in _JUDGED),
            events=events,
        )
    except (ValidationError, KeyError, TypeError) as error:
        raise InputError(
            f"Journal {journal} holds a record of another shape: {str(error).splitlines()[0]}. It was written by "
            "another version or altered. Judge it with the version that wrote it."
        ) from error
