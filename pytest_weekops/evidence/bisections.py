"""A bisection on disk: what it was begun with, and a file for each step, each whole or absent.

A step counts as long as both of its drivers consist of the very files that were measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from pytest_weekops.core.bisect.step import Settings, Step
from pytest_weekops.core.errors import InputError
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.files.kept_record import R, read_kept_record

SETTINGS_NAME = "bisect.json"
LARGEST_BYTES = 4 * 1024 * 1024
_MAY_DIFFER = frozenset({"step_error"})  # that of the first call counts

_LOST = (
    "What was measured before is not known, so nothing is put in its place. "
    "Restore it, or begin anew with another --dir."
)


class BisectionBook:
    """The directory of one bisection."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def runs(self) -> Path:
        """The report directory of its runs: their ledger and channel are nobody else's."""
        return self.directory / "runs"

    def begin(self, settings: Settings) -> Settings:
        """Keep what it is begun with; what it was begun with before, where that is the same.

        Raises ``InputError`` where another bisection lies there.
        """
        path = self.directory / SETTINGS_NAME
        if not path.exists():
            write_atomic(path, settings.model_dump_json(indent=2, by_alias=True) + "\n")
            return settings
        before = _read(path, Settings)
        names = [name for name in Settings.model_fields if getattr(before, name) != getattr(settings, name)]
        if differ := [name for name in names if name not in _MAY_DIFFER]:
            raise InputError(
                f"Bisection {self.directory} was begun with another {differ[0].rstrip('_').replace('_', ' ')}: "
                f"{getattr(before, differ[0])!r:.120}, and this is {getattr(settings, differ[0])!r:.120}. Its steps "
                "answer another question. Ask as before, or name another place with --dir."
            )
        return before

    def settings(self) -> Settings:
        """What it was begun with. Raises ``InputError`` where none was begun."""
        path = self.directory / SETTINGS_NAME
        if not path.exists():
            raise InputError(
                f"No bisection was begun in {self.directory}, so there is nothing to compare a build with. Begin one: "
                "weekops bisect --good PROFILE@PATH --bad PROFILE@PATH --built PATH."
            )
        return _read(path, Settings)

    def steps(self) -> list[Step]:
        """Every step, in the order in which they were taken. Raises ``InputError`` for one that cannot be read."""
        paths = sorted((self.directory / "steps").glob("[0-9]*.json"), key=lambda path: int(path.stem))
        return [_read(path, Step) for path in paths]

    def keep(self, step: Step) -> None:
        """Keep a step. Raises ``WeekopsError`` where the disk refuses."""
        path = self.directory / "steps" / f"{step.number:03d}.json"
        write_atomic(path, step.model_dump_json(indent=2) + "\n")


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files by path; of one that cannot be read, nothing."""
    return {str(path): _hash_now(path) for path in paths}


def changed_since(files: Mapping[str, str]) -> list[str]:
    """The files that are not what they were, by name."""
    return [name for name, digest in files.items() if _hash_now(Path(name)) != digest]


def _hash_now(path: Path) -> str:
    try:
        status = path.stat()
        return _hash_of(str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=4096)
def _hash_of(path: str, *_state: int) -> str:
    return hash_file(Path(path))


def _read(path: Path, model: type[R]) -> R:
    return read_kept_record(path, model, largest_bytes=LARGEST_BYTES, lost=_LOST)
