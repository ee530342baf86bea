"""Frames on a pipe: ``MAGIC``, length, CRC-32, then one JSON object (see ``protocol``)."""

from __future__ import annotations

import json
import os
import select
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.record import Record
from pytest_weekops.worker.protocol import MAGIC, MAX_PAYLOAD_BYTES

_HEAD = struct.Struct(f">{len(MAGIC)}sII")


class DeadlineExpired(WorkerError):
    """Nothing whole arrived before the deadline."""


def encode(record: Record) -> bytes:
    """One record as a frame."""
    payload = record.model_dump_json().encode()
    return _HEAD.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


def send(fd: int, record: Record) -> None:
    """Write one frame whole. Raises ``BrokenPipeError`` when nobody reads any more."""
    view = memoryview(encode(record))
    while view:
        view = view[os.write(fd, view) :]


def receive(
    fd: int, *, deadline: float | None = None, more_s: Callable[[], float] = lambda: 0.0
) -> dict[str, Any] | None:
    """Read one frame; None at a clean end of the stream.

    ``deadline`` is a ``time.monotonic()`` value; once it has passed, ``more_s`` says how long to wait beyond it.
    Raises ``DeadlineExpired`` when all of that passes first and ``WorkerError`` for anything that is no frame: a wrong
    magic, an absurd length, a wrong checksum, an end in mid-frame.
    """
    until = _Until(deadline, more_s)
    head = _read(fd, _HEAD.size, until)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise WorkerError(f"the stream ended after {len(head)} bytes of a frame's head: {head[:32]!r}")
    magic, length, checksum = _HEAD.unpack(head)
    if magic != MAGIC:
        raise WorkerError(f"not a frame: it starts with {head[:16]!r}")
    if length > MAX_PAYLOAD_BYTES:
        raise WorkerError(f"a frame claims {length} bytes, more than the {MAX_PAYLOAD_BYTES} allowed")
    payload = _read(fd, length, until)
    if len(payload) < length:
        raise WorkerError(f"the stream ended after {len(payload)} of a frame's {length} bytes")
    if zlib.crc32(payload) != checksum:
        raise WorkerError("a frame fails its checksum")
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise WorkerError(f"a frame holds no JSON: {error}") from error
    if not isinstance(value, dict):
        raise WorkerError("a frame holds no JSON object")
    return value


@dataclass
class _Until:
    """Waits for bytes until the deadline, if there is one, and for as long as there is more time behind it."""

    deadline: float | None
    more_s: Callable[[], float]

    def wait(self, fd: int) -> None:
        if self.deadline is None:
            return
        left = self.deadline - time.monotonic()
        while left <= 0 or not select.select([fd], [], [], left)[0]:
            left = self.more_s()
            if left <= 0:
                raise DeadlineExpired("the deadline passed")


def _read(fd: int, count: int, until: _Until) -> bytes:
    """Read ``count`` bytes, fewer only at the end of the stream."""
    parts: list[bytes] = []
    left = count
    while left:
        until.wait(fd)
        part = os.read(fd, min(left, 1 << 20))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
