"""Scratch directories: held by a lock while their process lives, removed by the next one where it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

PREFIX = "weekops-"
MARKER = ".weekops-scratch"
_UNHELD = ".weekops-scratch.new"
_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Scratch:
    """An empty directory of this process's own in the system's temporary directory; as a context manager, its path.

    flock(2) on the marker in it says that its process lives. Making one removes what killed processes left.
    """

    def __init__(self) -> None:
        remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._fd = _mark(self.path)

    def __enter__(self) -> Path:
        """The directory."""
        return self.path

    def __exit__(self, *_error: object) -> None:
        """Remove it."""
        self.close()

    def close(self) -> None:
        """Remove the directory and all in it; harmless when called twice."""
        if self._fd >= 0:
            _empty(self.path)
            os.close(self._fd)
            self._fd = -1
        shutil.rmtree(self.path, ignore_errors=True)


def remove_abandoned() -> None:
    """Remove the scratch directories of this user that carry our marker and that no living process holds."""
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, in use, or being removed by another run
            _remove_unless_held(place)


def _remove_unless_held(place: Path) -> None:
    """Remove one directory. Raises ``OSError`` where it is not ours, has no marker, or its process lives."""
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    marker = os.open(place / MARKER, _OPEN)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _empty(place)
        shutil.rmtree(place)
    finally:
        os.close(marker)


def _mark(place: Path) -> int:
    """Put the marker into a directory, held from the first moment that it has its name; -1 where locks do not work."""
    marker = os.open(place / _UNHELD, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # without a lock nobody can tell that we live, so without a marker nobody removes it
        os.close(marker)
        return -1
    (place / _UNHELD).rename(place / MARKER)
    return marker


def _empty(place: Path) -> None:
    """Remove all but the marker: whoever is killed here leaves a directory that the next one still knows as ours."""
    for entry in place.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
