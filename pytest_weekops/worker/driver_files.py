"""The files of one platform's driver over a run: hashed here, by the controller, once for each state of a file.

A worker says which files it has; what is in them nobody has to take its word for. Hashing takes a second for a large
compiler, so it happens when a listing is asked for, never while a launch is timed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pytest_weekops.core.measurement.driver_files import (
    DriverFile,
    DriverListing,
    FileChange,
    changed_files,
    merged,
)
from pytest_weekops.worker.seen_files import SeenFile, seen_file

_KEPT_HASHES = 4096


class DriverFiles:
    """What the workers of one platform had of its driver, from the first to the last."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._opened: tuple[SeenFile, ...] = ()
        self._last: tuple[SeenFile, ...] = ()
        self._listing: DriverListing | None = None
        self.listings: dict[str, DriverListing] = {}

    def opened(self, seen: Sequence[SeenFile]) -> tuple[FileChange, ...]:
        """Take what a fresh worker had when its device was open; what is different from the first worker's."""
        if not self._opened:
            self._opened = tuple(seen)
            return ()
        if _same_state(self._opened, seen):
            return ()
        return changed_files(_hashed(self._opened, self._known()), _hashed(seen, {}))

    def note(self, seen: Sequence[SeenFile]) -> str:
        """Take what a worker had when a measurement ended; the digest of the listing that is true for it."""
        if self._listing is None or not _same_state(self._last, seen):
            known = self.listing().files
            self._last = tuple(seen)
            self._keep(merged(known, _hashed(seen, self._known())))
        return self.listing().digest if seen else ""

    def listing(self) -> DriverListing:
        """The files as they are known now."""
        if self._listing is None:
            self._last = self._opened
            self._keep(_hashed(self._opened, {}))
        assert self._listing is not None
        return self._listing

    def _keep(self, files: tuple[DriverFile, ...]) -> None:
        self._listing = DriverListing(platform=self._platform, files=files)
        self.listings[self._listing.digest] = self._listing

    def _known(self) -> Mapping[str, str]:
        """Hashes that are known already, by path."""
        return {file.path: file.sha256 for file in self._listing.files} if self._listing is not None else {}


def _same_state(before: Sequence[SeenFile], after: Sequence[SeenFile]) -> bool:
    return {(file.key, file.replaced) for file in before} == {(file.key, file.replaced) for file in after}


def _hashed(seen: Sequence[SeenFile], known: Mapping[str, str]) -> tuple[DriverFile, ...]:
    """The files with their hashes, sorted by path.

    A file that a worker has and that was replaced on disk keeps the hash that it had before: a running driver does not
    change by that, and the next worker shows the new one. Where none is known it stays empty.
    """
    hashes = {
        file.path: (known.get(file.path, "") if file.replaced else hash_file(file))
        for file in sorted(seen, key=lambda file: file.path)
    }
    how = {file.path: file.seen for file in seen}
    return tuple(DriverFile(path=path, sha256=digest, seen=how[path]) for path, digest in hashes.items())


def hash_file(file: SeenFile) -> str:
    """SHA-256 of a file, empty where it is not the one that was seen any more or cannot be read."""
    return _hash_of(file.key)


@lru_cache(maxsize=_KEPT_HASHES)
def _hash_of(key: tuple[str, int, int, int, int, int]) -> str:
    try:
        with open(key[0], "rb") as stream:  # noqa: PTH123 - a path of any bytes
            found = seen_file(key[0], "mapped", os.fstat(stream.fileno()))
            return hashlib.file_digest(stream, "sha256").hexdigest() if found.key == key else ""
    except (OSError, ValueError):
        return ""
