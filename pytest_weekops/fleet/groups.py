"""Whether anything of a group of processes still runs."""

from __future__ import annotations

import os
from pathlib import Path


def group_runs(group: int) -> bool:
    """Whether it has a process that has not ended; one that nobody waits for, as in some containers, has ended."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_member(entry) == group for entry in Path("/proc").glob("[0-9]*"))


def _member(entry: Path) -> int | None:
    """The group of a process; None where it has ended."""
    try:
        state, _parent, group = (entry / "stat").read_text("ascii", errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else int(group)
