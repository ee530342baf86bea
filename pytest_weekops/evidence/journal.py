"""The journal of a run: written record by record and synced, read back whole or refused.

One line per event, ``{"v":2,"seq":n,"type":...,"data":{...},"crc":"..."}``, appended with a single write and synced
before the next case starts. The reader forgives a torn *last* line (the process died while writing it) and nothing
else: a bad checksum, a missing number or a repeated one further up means that the evidence was altered.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from pytest_weekops.core.errors import InputError, WeekopsError
from pytest_weekops.core.record import Record
from pytest_weekops.evidence.journal_lines import VERSIONS, checked_line, is_as_written, parts_as_written
from pytest_weekops.files.hashing import hash_file

JOURNAL_NAME = "journal.jsonl"
RESUME = "resume"  # opens a further segment: the lines before it are another run's, which it goes on with
LARGEST_JOURNAL_BYTES = 2 * 1024**3
LARGEST_LINE_BYTES = 64 * 1024**2
_PART_BYTES = 1024**2


@dataclass(frozen=True)
class Event:
    """One line of a journal, and the SHA-256 of all lines before it where it goes on with another journal's.

    ``told`` is what it says, or the bytes that say it, where whoever reads the journal makes records of them.
    """

    seq: int
    type: str
    told: dict[str, Any] | bytes
    before_sha256: str = ""

    @cached_property
    def data(self) -> dict[str, Any]:
        """What it says. Raises ``ValueError`` where bytes do not say it."""
        told: dict[str, Any] = _read(self.told) if isinstance(self.told, bytes) else self.told
        return told


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


def read_journal(path: Path, *, unread: Container[str] = ()) -> list[Event]:
    """All events of a journal in order; a torn last line is dropped, any other damage raises ``InputError``.

    The data of events of the types ``unread`` may be bytes yet that nobody has read, checksum aside.
    """
    try:
        if path.stat().st_size > LARGEST_JOURNAL_BYTES:
            raise InputError(f"Journal {path} is larger than 2 GiB. No run writes that much. Check what this file is.")
        if path.exists() and not path.is_file():
            raise InputError(f"Journal {path} is no regular file. Reading it might never end. Name the run's journal.")
        with path.open("rb") as stream:
            events, torn = _read_events(stream, path, unread)
    except OSError as error:
        raise InputError(f"Journal {path} cannot be read: {error.strerror}. Check the path.") from error
    if not events:
        what = "holds only a torn line" if torn else "is empty"
        raise InputError(f"Journal {path} {what}. There is nothing to judge. Run the suite again.")
    return events


def _read_events(stream: BinaryIO, path: Path, unread: Container[str]) -> tuple[list[Event], bool]:
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
        event = _as_written(line[:-1], len(events) + 1, unread) or decode_event(line[:-1], len(events) + 1, path)
        if event.type == RESUME:
            event = replace(event, before_sha256=_hash_before(stream, stream.tell() - len(line)))
        events.append(event)
    return events, False


def _hash_before(stream: BinaryIO, size: int) -> str:
    """SHA-256 of the first so many bytes."""
    here, digest = stream.tell(), hashlib.sha256()
    stream.seek(0)
    while size and (part := stream.read(min(size, _PART_BYTES))):
        digest.update(part)
        size -= len(part)
    stream.seek(here)
    return digest.hexdigest()


def _as_written(line: bytes, number: int, unread: Container[str]) -> Event | None:
    """The event in a line that was written here, if it has this number; None for any other line."""
    parts = parts_as_written(line)
    if parts is None or parts[0] != number:
        return None
    try:
        return Event(*parts) if parts[1] in unread else Event(number, parts[1], _read(parts[2]))
    except (ValueError, RecursionError):
        return None


def _read(text: bytes) -> Any:
    """A part of a line as data: in its line's encoding, whatever it would be by itself."""
    return json.loads(text.decode())


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
    return Event(seq=seq, type=kind, told=data)


def find_journal(path: Path) -> Path:
    """The journal of a run directory, or the path itself when it is a file."""
    return path / JOURNAL_NAME if path.is_dir() else path
