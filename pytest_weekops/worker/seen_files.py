"""A driver's file as a worker saw it, before anybody read it: enough to tell later that it is still the same one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

from pytest_weekops.core.record import Record


class SeenFile(Record):
    """Path and file system facts of one file; times in nanoseconds. ``inode`` is 0 where nothing lies there now."""

    path: str
    seen: Literal["mapped", "open", "beside"]
    device: int = 0
    inode: int = 0
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    replaced: bool = False

    @property
    def key(self) -> tuple[str, int, int, int, int, int]:
        """What a hash may be kept under: a change of any content changes one of these."""
        return self.path, self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns


def look_at(path: str, seen: Literal["mapped", "open", "beside"], *, replaced: bool = False) -> SeenFile | None:
    """What lies at a path now; None where that is no regular file. ``replaced``: the worker has another file of it."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return SeenFile(path=path, seen=seen, replaced=True) if replaced else None
    return seen_file(path, seen, found, replaced=replaced) if stat.S_ISREG(found.st_mode) else None


def seen_file(
    path: str, seen: Literal["mapped", "open", "beside"], found: os.stat_result, *, replaced: bool = False
) -> SeenFile:
    """The same from a ``stat`` that was made already."""
    return SeenFile(
        path=path,
        seen=seen,
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        replaced=replaced,
    )
