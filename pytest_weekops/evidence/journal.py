"""The journal of a run: written record by record and synced, read back whole or refused.

One line per event, ``{"v":2,"seq":n,"type":...,"data":{...},"crc":"..."}``, appended with a single write and synced
before the next case starts. The reader forgives a torn *last* line (the process died while writing it) and nothing
else: a bad checksum, a missing number or a repeated one further up means that the evidence was altered.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_weekops.core.conformance.results import ConformanceRecord
from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.judge.judged import JudgedRecord
from pytest_weekops.core.measurement.calibration import CalibrationRecord
from pytest_weekops.core.measurement.capabilities import InServiceRecord
from pytest_weekops.core.measurement.driver_files import DriverListing
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import (
    DeviceIdentity,
    GateRecord,
    LookRecord,
    Measurement,
    PartnerRecord,
    PressureRecord,
)
from pytest_weekops.core.measurement.segments import Segment, without_halves
from pytest_weekops.core.record import Record
from pytest_weekops.evidence.journal_lines import VERSIONS, checked_line, is_as_written
from pytest_weekops.files.hashing import hash_file

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline, MissingBaseline
    from pytest_weekops.core.policy.policy import Policy

JOURNAL_NAME = "journal.jsonl"
RESUME = "resume"  # opens a further segment: the lines before it are another run's, which it goes on with
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
    "partner": PartnerRecord,
    "conformance": ConformanceRecord,
    "in_service": InServiceRecord,
}
_TOLD = (
    "run",
    "identity",
    "baseline",
    "missing_baseline",
    "tuning",
    "snapshot",
    "start",
    "smoke",
    "guard",
    "note",
    "end",
)
KNOWN = frozenset((*_JUDGED, *_TOLD, RESUME))  # what else a line may be, the judge would pass over


@dataclass(frozen=True)
class Event:
    """One line of a journal, and the SHA-256 of all lines before it where it goes on with another journal's."""

    seq: int
    type: str
    data: dict[str, Any]
    before_sha256: str = ""


class Journal:
    """Append-only journal of one run; every :meth:`append` is on disk when it returns.

    It knows what it wrote: others can write to the same file, and what they made of it is no evidence of this run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = _Written(0, 0, hashlib.sha256())
        self._unsettled = b""  # a line that was begun and not counted yet
        self._broken = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            self._file = _identity(os.fstat(self._fd))
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

    def take_over(self, lines: Sequence[bytes]) -> None:
        """Begin with whole lines of the journal that this one goes on with. Raises ``WeekopsError``."""
        try:
            for line in lines:
                self._put(line)
                self._count()
            os.fsync(self._fd)
        except OSError as error:
            self._broken = error.strerror or str(error)
            raise self._refused(self._broken) from error

    def append(self, kind: str, data: Record | Mapping[str, Any]) -> int:
        """Write one event, sync it, and return its sequence number. Raises ``WeekopsError`` when the disk refuses.

        After that nothing more is taken: what followed a lost line would read as if the line had never been.
        """
        if self._broken:
            raise self._refused(self._broken)
        body = data.model_dump(mode="json") if isinstance(data, Record) else dict(data)
        try:
            self._settle()
            self._put(encode_event(self._written.events + 1, kind, body))
            os.fsync(self._fd)
        except OSError as error:
            self._broken = error.strerror or str(error)
            raise self._refused(self._broken) from error
        self._count()
        return self._written.events

    def _put(self, line: bytes) -> None:
        """Write a line in one go. Raises ``OSError`` where the disk does not take all of it."""
        self._unsettled = line
        if os.write(self._fd, line) != len(line):
            raise OSError(0, "the disk took only part of a line")

    def _count(self) -> None:
        """Count the line that was written. In one step: Ctrl-C may come between any two."""
        self._written = self._written.with_line(self._unsettled)
        self._unsettled = b""

    def _settle(self) -> None:
        """Count a line whose writing was interrupted, if it is there; a part of one is taken back."""
        if not self._unsettled:
            return
        grown = os.fstat(self._fd).st_size - self._written.size
        if grown == len(self._unsettled):
            os.fsync(self._fd)
            self._count()
        elif 0 <= grown < len(self._unsettled):
            os.ftruncate(self._fd, self._written.size)
            self._unsettled = b""
        else:
            raise OSError(0, "it was cut or added to by somebody else")

    @property
    def facts(self) -> dict[str, Any]:
        """Name, SHA-256 and size of the journal as it was written, whatever lies on disk by now."""
        return {"path": self.path.name, "sha256": self._written.hash.hexdigest(), "bytes": self._written.size}

    def damage(self) -> str:
        """What is wrong with the file on disk; empty where it is, to the byte, what was written here."""
        try:
            self._settle()
            there = self.path.stat()
            if _identity(there) != self._file:
                return "another file lies in the place of the journal"
            size, digest = self._written.size, self._written.hash.hexdigest()
            if there.st_size != size:
                return f"the journal has {there.st_size} bytes and this run wrote {size}: it was cut or added to"
            if hash_file(self.path) != digest:
                return "the journal was changed: its SHA-256 is not that of what this run wrote"
        except FileNotFoundError:
            return "the journal was removed"
        except OSError as error:
            return f"the journal cannot be read: {error.strerror}"
        return ""

    def written(self) -> bytes | None:
        """What was written, from the open file, which outlives its name; None where its content was changed."""
        content = os.pread(self._fd, self._written.size + 1, 0)
        return content if hashlib.sha256(content).digest() == self._written.hash.digest() else None

    def _refused(self, why: str) -> WeekopsError:
        return WeekopsError(
            f"Journal {self.path} cannot be written: {why}. What was measured so far is in it, the rest would be lost, "
            "so the run stops here. Make room and run again."
        )

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True)
class _Written:
    """How much of a journal is written: events, bytes, and the hash of these bytes."""

    events: int
    size: int
    hash: hashlib._Hash

    def with_line(self, line: bytes) -> _Written:
        digest = self.hash.copy()
        digest.update(line)
        return _Written(self.events + 1, self.size + len(line), digest)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def encode_event(seq: int, kind: str, data: Mapping[str, Any]) -> bytes:
    """One journal line with its checksum, newline included."""
    return checked_line({"seq": seq, "type": kind, "data": data})


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
    digest = hashlib.sha256()
    while line := stream.readline(LARGEST_LINE_BYTES):
        if not line.endswith(b"\n"):
            if len(line) == LARGEST_LINE_BYTES:
                raise InputError(
                    f"Journal {path} line {len(events) + 1} is longer than {LARGEST_LINE_BYTES // 2**20} MiB. No "
                    "record of a run is. Check what this file is."
                )
            return events, True
        event = decode_event(line[:-1], len(events) + 1, path)
        events.append(replace(event, before_sha256=digest.hexdigest()) if event.type == RESUME else event)
        digest.update(line)
    return events, False


def decode_event(line: bytes, number: int, path: Path, *, parse_constant: Callable[[str], Any] | None = None) -> Event:
    """The event in one line, which has to be this one by its number. Raises ``InputError``.

    ``parse_constant`` is called for NaN and infinities, which no journal is written with.
    """

    def refuse(what: str) -> InputError:
        return InputError(
            f"Journal {path} line {number} {what}. A journal that was altered proves nothing. Judge an intact copy."
        )

    try:
        entry = json.loads(line, parse_constant=parse_constant)
        seq, kind, data, crc = entry["seq"], entry["type"], entry["data"], entry["crc"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise refuse("is not a journal entry") from error
    if (version := entry.get("v")) not in VERSIONS:
        raise refuse(f"has version {version!r:.60}, this program reads {' and '.join(map(str, VERSIONS))}")
    if not is_as_written(line, version, [seq, kind, data], crc):
        raise refuse("fails its checksum")
    if seq != number:
        raise refuse(f"has number {seq}: entries are missing or repeated")
    return Event(seq=seq, type=kind, data=data)


@dataclass(frozen=True)
class StoredRun:
    """A run read back from its journal: exactly what the live judge was given.

    ``kernels`` are the hashes of the kernel files as they were when it began, ``version`` that of the program that
    wrote it. ``segments`` has one entry for a run in one go; none where an older version wrote it.
    """

    run_id: str
    created_at: str
    command: tuple[str, ...]
    plan: CampaignPlan
    policy: Policy
    baselines: tuple[Baseline, ...] = ()
    missing_baselines: tuple[MissingBaseline, ...] = ()
    identities: Mapping[str, DeviceIdentity] = field(default_factory=dict)
    records: Sequence[JudgedRecord] = ()
    events: Sequence[Event] = ()
    version: str = ""
    kernels: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()

    @property
    def ended(self) -> int | None:
        """The exit status that its last line states; None where that is no end."""
        last = self.events[-1] if self.events else None
        status = last.data.get("exit_status") if last is not None and last.type == "end" else None
        return status if isinstance(status, int) else None

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

    from pytest_weekops.core.judge.campaign import Baseline, MissingBaseline
    from pytest_weekops.core.policy.policy import Policy

    journal = find_journal(path)
    events = read_journal(journal)
    first = events[0]
    if first.type != "run":
        raise InputError(f"Journal {journal} does not start with its run. Its plan is unknown. Judge an intact copy.")
    if strange := next((event for event in events if event.type not in KNOWN), None):
        raise InputError(
            f"Journal {journal} line {strange.seq} is a {strange.type!r:.60}, which this program does not know. What "
            "it says could decide against the run. Judge it with the version that wrote it."
        )
    try:
        segments, records = _segments(events, journal), _records(events)
        return StoredRun(
            run_id=segments[-1].run_id if segments else str(first.data["run_id"]),
            created_at=str(first.data["created_at"]),
            command=tuple(first.data["command"]),
            plan=CampaignPlan.model_validate(first.data["plan"]),
            policy=Policy.model_validate(first.data["policy"]),
            baselines=tuple(Baseline.model_validate(e.data) for e in events if e.type == "baseline"),
            missing_baselines=tuple(
                MissingBaseline.model_validate(e.data) for e in events if e.type == "missing_baseline"
            ),
            identities={
                e.data["profile"]: DeviceIdentity.model_validate(e.data) for e in events if e.type == "identity"
            },
            records=records,
            events=events,
            version=str(first.data.get("version", "")),
            kernels={str(name): str(value) for name, value in first.data.get("kernels", {}).items()},
            segments=segments,
        )
    except (ValidationError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"Journal {journal} holds a record of another shape: {str(error).splitlines()[0]}. It was written by "
            "another version or altered. Judge it with the version that wrote it."
        ) from error


def _records(events: Sequence[Event]) -> tuple[JudgedRecord, ...]:
    """What is judged: every record, but for those that lost their partner where the run was gone on with."""
    found: list[JudgedRecord] = []
    last: tuple[object, DeviceIdentity | None] = (None, None)  # who answered, as it is told and as a record
    for event in events:
        if event.type == RESUME:
            found = without_halves(found)
        elif event.type == "measurement" and (told := event.data.get("identity")) is not None:
            last = last if told == last[0] else (told, DeviceIdentity.model_validate(told))
            found.append(Measurement.model_validate({**event.data, "identity": last[1]}))
        elif event.type in _JUDGED:
            found.append(_JUDGED[event.type].model_validate(event.data))
    return tuple(found)


def _segments(events: Sequence[Event], journal: Path) -> tuple[Segment, ...]:
    """The opening of each segment. Raises ``InputError`` where one does not go on with the lines before it."""
    opening = events[0].data.get("segment")
    further = [event for event in events if event.type == RESUME]
    for event in further:
        if event.data["sha256"] != event.before_sha256 or opening is None:
            raise InputError(
                f"Journal {journal} line {event.seq} goes on with other lines than those before it. They were put "
                "together from two runs, which proves nothing. Judge an intact copy."
            )
    data = [opening, *(event.data["segment"] for event in further)] if opening is not None else []
    return tuple(Segment.model_validate(each) for each in data)
