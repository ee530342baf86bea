"""The files that a driver consists of on one machine, and what differs between two listings of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pytest_weekops.core.record import Record

_SHOWN = 12  # so many digits of a hash tell two files apart for people


class DriverFile(Record):
    """One file of a driver, as it lay on disk.

    ``seen`` says how it was found: ``mapped`` into the worker, held ``open`` by it, or ``beside`` a mapped library in a
    place that this driver's compiler is known to read at each build. ``sha256`` is empty where the file could not be
    read any more as the worker had it.
    """

    path: str
    sha256: str
    seen: Literal["mapped", "open", "beside"] = "mapped"

    @property
    def name(self) -> str:
        """The file's name without its directory."""
        return self.path.rpartition("/")[2]


class DriverListing(Record):
    """All files of the driver of one platform that were seen until a measurement, sorted by path.

    A driver may load more of itself at any build; then a longer listing follows. A measurement names the listing that
    was true for it by its :attr:`digest`. ``after`` is the digest of the listing that it follows, empty for the first,
    so that none can be left out.
    """

    type: Literal["driver"] = "driver"
    platform: str
    files: tuple[DriverFile, ...] = ()
    after: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the paths and hashes."""
        return listing_digest(self.files)


@dataclass(frozen=True)
class FileChange:
    """One file that is another, or is in one of two listings only."""

    before: DriverFile | None
    after: DriverFile | None

    @property
    def is_replaced(self) -> bool:
        """Whether both listings have the file, with other contents."""
        return self.before is not None and self.after is not None

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            file = self.before or self.after
            return f"{file.name if file else ''} is {'new' if self.before is None else 'gone'}"
        moved = self.before.path != self.after.path
        names = [f"{each.path if moved else each.name} {_hash(each)}" for each in (self.before, self.after)]
        return f"{names[0]} became {names[1] if moved else _hash(self.after)}"


def listing_digest(files: Iterable[DriverFile]) -> str:
    """SHA-256 over paths and hashes, in the order of the paths; how a file was found does not matter."""
    lines = sorted(f"{file.path}\0{file.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode(errors="surrogatepass")).hexdigest()


def merged(known: Sequence[DriverFile], found: Sequence[DriverFile]) -> tuple[DriverFile, ...]:
    """Both listings as one, sorted by path; of a file in both, what was found last."""
    files = {file.path: file for file in known} | {file.path: file for file in found}
    return tuple(files[path] for path in sorted(files))


def replaced_files(before: Sequence[DriverFile], after: Sequence[DriverFile]) -> tuple[FileChange, ...]:
    """Files of the first listing that are others in the second; those that only one has are none."""
    known = {file.path: file for file in before}
    pairs = [(known[file.path], file) for file in after if file.path in known]
    return tuple(FileChange(old, new) for old, new in pairs if old.sha256 != new.sha256)


def changed_files(before: Sequence[DriverFile], after: Sequence[DriverFile]) -> tuple[FileChange, ...]:
    """Everything that differs: replaced, moved with other contents, gone, new. The same file elsewhere is no change."""
    old, new = {f.path: f for f in before}, {f.path: f for f in after}
    changes = list(replaced_files(before, after))
    gone = [file for path, file in old.items() if path not in new]
    came = [file for path, file in new.items() if path not in old]
    for file in gone:
        twin = next((other for other in came if other.name == file.name), None)
        if twin is not None:
            came.remove(twin)
        if twin is None or twin.sha256 != file.sha256:
            changes.append(FileChange(file, twin))
    return (*changes, *(FileChange(None, file) for file in came))


def _hash(file: DriverFile) -> str:
    return file.sha256[:_SHOWN] or "(unreadable)"
