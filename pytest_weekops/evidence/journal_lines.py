"""How a line of a journal ends: with a checksum of the bytes before it, or, in older ones, of what they say."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

_SAID, _WRITTEN = 1, 2  # whose checksums are over: to check the older ones is to write it all again, sorted
VERSIONS = (_SAID, _WRITTEN)
_BEGINNING = re.compile(rb'\{"v":2,"seq":([1-9][0-9]{0,17}),"type":"([a-z_]+)","data":')


def checked_line(entry: Mapping[str, Any]) -> bytes:
    """A line with its version, this entry and its checksum, newline included. Raises ``ValueError`` for NaN."""
    text = json.dumps({"v": _WRITTEN, **entry}, separators=(",", ":"), allow_nan=False)
    body = text[:-1].encode()
    return body + _end_of(body) + b"\n"


def is_as_written(line: bytes, version: int, said: Sequence[Any], checksum: object) -> bool:
    """Whether a line of one of these versions, without its newline, is the one that its checksum was made of.

    ``said`` is its number, type and data, ``checksum`` what it has for one.
    """
    if version == _WRITTEN:
        return line[-_END_BYTES:] == _end_of(line[:-_END_BYTES])
    text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    return checksum == f"{zlib.crc32(text.encode()):08x}"


def parts_as_written(line: bytes) -> tuple[int, str, bytes] | None:
    """Number, type and data of a line that was written here, without its newline; None for any other, or a wrong one.

    The data are the bytes where they stand. Nobody has looked whether they are JSON: where they are one value, these
    are the line's own parts, and where they are none, the line is none either.
    """
    found = _BEGINNING.match(line)
    if found is None or not is_as_written(line, _WRITTEN, (), ""):
        return None
    return int(found[1]), found[2].decode(), line[found.end() : -_END_BYTES]


def _end_of(body: bytes) -> bytes:
    return b',"crc":"%08x"}' % zlib.crc32(body)


_END_BYTES = len(_end_of(b""))
