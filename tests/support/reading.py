"""A reader of files from outside with a file that it takes, and how it is asked about any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import InputError


@dataclass(frozen=True)
class Reader:
    """Where a file lies in a directory, what it holds when it is valid, and who reads it."""

    place: str
    valid: bytes
    read: Callable[[Path], object]


def ask(reader: Reader, directory: Path, data: bytes) -> None:
    """Read these bytes: a value, or a sentence that ends like one; no file is made or lost on the way."""
    path = directory / reader.place
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(data)
    before = _files(directory)
    try:
        reader.read(path)
    except InputError as refusal:
        said = str(refusal)
        assert said.strip().endswith((".", "?", "`", '"')), said
        assert len(said) < 2000, said
    assert _files(directory) == before


def _files(directory: Path) -> list[Path]:
    """All files but those that SQLite makes for readers too."""
    return sorted(path for path in directory.rglob("*") if not path.name.endswith(("-shm", "-wal")))
