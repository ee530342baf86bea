"""Deadlines on a busy host: time in which a worker was ready to run, and had no CPU to run on, is none of its own.

Without that a driver that is well is killed, and called hung, where other programs keep the CPUs to themselves.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

MOST_TIMES = 3.0  # so many times its deadline a worker may have beside it, however busy the host is
_LEAST_S, _POLL_S = 0.01, 0.1  # what the scheduler always takes; how long is waited at least before it is asked again
_PROC = Path("/proc")


def waited_s(pid: int) -> float:
    """Seconds for which a process's main thread was ready to run and had no CPU, 0 where the host does not tell."""
    try:  # proc(5): time on the CPU, time of waiting for it, both in nanoseconds
        return int((_PROC / str(pid) / "schedstat").read_text(encoding="ascii").split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):
        return 0.0


@dataclass
class Deadline:
    """What a worker has for one phase: ``limit_s``, and what it waited for a CPU meanwhile.

    Without ``looks`` nobody looks at it: even that would take a CPU from a launch that is being timed.
    """

    pid: int
    limit_s: float
    looks: bool = True

    def __post_init__(self) -> None:
        """It begins now."""
        self._began = time.monotonic()
        self._waited_s = waited_s(self.pid) if self.looks else 0.0

    @property
    def ends(self) -> float:
        """When it is over on a host that is quiet, on the monotonic clock."""
        return self._began + self.limit_s

    @property
    def waited_s(self) -> float:
        """Seconds that do not count, within bounds."""
        since = waited_s(self.pid) - self._waited_s if self.looks else 0.0
        return min(max(0.0, since), MOST_TIMES * self.limit_s)

    def more_s(self) -> float:
        """Seconds that are left beyond :attr:`ends`, for what the worker waited; 0 where it has had its time."""
        left = self.ends + self.waited_s - time.monotonic()
        return max(left, _POLL_S) if left > _LEAST_S else 0.0
