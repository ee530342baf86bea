"""The files of a site: each is written only where what it is made of has changed, and is whole or as it was before.

Beside them lies ``site.json``: what each page was made of, as a hash, and the hash of the page. A page that somebody
changed or removed is made again, and one that belongs to the site no more is removed; nothing else is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.report.site.names import is_ours

MANIFEST = "site.json"
_SCHEMA = "weekops-site/1"
_LARGEST = 16 * 1024**2
_MANY = 64 * 1024  # bytes of the manifest


@dataclass(frozen=True)
class Wanted:
    """A page: its name, what it is made of, and how its text or its bytes are made."""

    name: str
    key: str
    make: Callable[[], str | bytes]


def has_many_pages(directory: Path) -> bool:
    """Whether a site of some hundred pages is there: what is new in it is little beside what is looked through."""
    try:
        return (directory / MANIFEST).stat().st_size >= _MANY
    except OSError:
        return False


def is_older(directory: Path, *files: Path) -> bool:
    """Whether the site there was written before one of these files; a guess, on which no page depends."""
    written = _written_at(directory / MANIFEST)
    return any(_written_at(file) >= written for file in files)


def _written_at(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


class SiteFiles:
    """The directory of a site. Raises ``InputError`` for one that holds anything else."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._before = self._opened()
        self._now: dict[str, tuple[str, str]] = {}
        self._fresh: dict[tuple[str, str], bool] = {}  # a page is read once, however often it is asked for
        self.written = 0
        self.removed = 0

    @property
    def pages(self) -> int:
        """How many pages the site has."""
        return len(self._now)

    def is_fresh(self, wanted: Wanted) -> bool:
        """Whether a page is there as it was made, and what it is made of has not changed since."""
        asked = wanted.name, wanted.key
        if asked not in self._fresh:
            self._fresh[asked] = self._is_as_made(*asked)
        return self._fresh[asked]

    def _is_as_made(self, name: str, key: str) -> bool:
        known, sha256 = self._before.get(name, ("", ""))
        if known != key:
            return False
        try:
            return hashlib.sha256((self.directory / name).read_bytes()).hexdigest() == sha256
        except OSError:
            return False

    def put(self, wanted: Wanted) -> None:
        """Write a page, unless it is fresh."""
        if self.is_fresh(wanted):
            self._now[wanted.name] = self._before[wanted.name]
            return
        made = wanted.make()
        body = made.encode("utf-8", "backslashreplace") if isinstance(made, str) else made
        write_atomic(self.directory / wanted.name, body, is_durable=False)  # else a thousand pages wait for the disk
        self._now[wanted.name] = wanted.key, hashlib.sha256(body).hexdigest()
        self.written += 1

    def finish(self) -> None:
        """Remove what belongs to the site no more, and write down what it is made of now."""
        for name in self._before.keys() - self._now.keys():
            with contextlib.suppress(FileNotFoundError):
                (self.directory / name).unlink()
                self.removed += 1
        if self._now != self._before:
            self._write(self._now)

    def _opened(self) -> dict[str, tuple[str, str]]:
        place = self.directory / MANIFEST
        if place.is_file():
            return self._read(place)
        if self.directory.exists() and (not self.directory.is_dir() or any(self.directory.iterdir())):
            raise InputError(
                f"--output {self.directory} holds something else than a site: it has no {MANIFEST}. Its pages would "
                "come to lie among other files, and over some of them. Give a directory that is empty or not there yet."
            )
        self._write({})  # before the first page: a site that was broken off is gone on with
        return {}

    def _read(self, place: Path) -> dict[str, tuple[str, str]]:
        try:
            document = json.loads(place.read_bytes()[:_LARGEST])
            told = {_SCHEMA: document["pages"]}[document["schema"]]
            found = {str(name): (str(page["key"]), str(page["sha256"])) for name, page in told.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{place} is no record of a site that this program made: {error!s:.120}. Which files are its own could "
                "not be told, so nothing was changed. Give another --output, or remove that directory and build anew."
            ) from error
        return {name: page for name, page in found.items() if is_ours(name)}

    def _write(self, pages: dict[str, tuple[str, str]]) -> None:
        document = {name: {"key": key, "sha256": sha256} for name, (key, sha256) in sorted(pages.items())}
        text = json.dumps({"schema": _SCHEMA, "pages": document}, indent=0)
        write_atomic(self.directory / MANIFEST, text + "\n", is_durable=False)
