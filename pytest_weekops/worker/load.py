"""How busy other programs kept this host's CPUs, between two looks: all of its busy time less this gate's own."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.core.measurement.calm import limit_beside
from pytest_weekops.core.measurement.patience import LOOK_S

_PROC = Path("/proc")
_BUSY = (0, 1, 2, 5, 6)  # of the numbers after "cpu" in /proc/stat (proc(5)): user nice system irq softirq
_ALL = 8  # user nice system idle iowait irq softirq steal
_STEAL = 7
_PARENT, _TIMES = 1, slice(11, 15)  # of /proc/PID/stat behind the name: ppid; utime stime cutime cstime


@dataclass(frozen=True)
class _Look:
    busy: int
    whole: int
    own: int
    stolen: int = 0


def cpu_ticks(proc: Path = _PROC) -> tuple[int, ...] | None:
    """Ticks of all CPUs since boot (proc(5)): user nice system idle iowait irq softirq steal, as far as it goes.

    None where the host does not tell.
    """
    try:
        words = (proc / "stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
        return tuple(int(word) for word in words)[:_ALL]
    except (OSError, ValueError, IndexError):
        return None


def _look(pid: int) -> _Look | None:
    """Ticks since boot: all CPUs' busy time and their whole time, and the CPU time of ``pid`` and its children."""
    ticks = cpu_ticks(_PROC)
    if ticks is None or len(ticks) <= max(_BUSY):
        return None
    busy, whole = sum(ticks[place] for place in _BUSY), sum(ticks)
    own = sum(_ticks(entry, pid) for entry in _PROC.iterdir() if entry.name.isdigit())
    return _Look(busy, whole, own, ticks[_STEAL] if len(ticks) > _STEAL else 0)


def _ticks(entry: Path, pid: int) -> int:
    """CPU ticks of a process where it is ``pid`` or one of its children, those of its own dead children included."""
    try:
        fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        mine = entry.name == str(pid) or fields[_PARENT] == str(pid)
        return sum(int(word) for word in fields[_TIMES]) if mine else 0
    except (OSError, ValueError, IndexError):
        return 0  # gone since


class LoadMeter:
    """Starts on creation; :meth:`percent` tells how much CPU time other programs had since."""

    def __init__(self) -> None:
        self._start = _look(os.getpid())

    def percent(self, *, stolen_too: bool = False) -> float | None:
        """CPU time of other programs in percent of all CPUs' time since the start; None where unknown.

        ``stolen_too``: with what other machines on the same host had.
        """
        now = _look(os.getpid())
        if now is None or self._start is None or now.whole <= self._start.whole:
            return None
        others = (now.busy - self._start.busy) - (now.own - self._start.own)
        stolen = now.stolen - self._start.stolen if stolen_too else 0
        return round(100.0 * max(others + stolen, 0) / (now.whole - self._start.whole), 3)


class Neighbours:
    """Whether there is anybody to wait for: other programs' CPU time, looked at after each second of waiting.

    ``most_percent`` is the policy's limit on run delay. A driver with more threads than CPUs has launches that are
    never calm on a host that is quiet; waiting would be vain.
    """

    def __init__(self, most_percent: float | None) -> None:
        self._most = most_percent
        self._meter: LoadMeter | None = None
        self._since = 0.0

    def waits_for_itself(self) -> bool:
        """Whether other programs had next to nothing for a second or more of waiting; asked once in each pause."""
        now = time.monotonic()
        if self._meter is not None and now - self._since < LOOK_S:
            return False
        others = self._meter.percent() if self._meter is not None else None
        self._meter, self._since = LoadMeter(), now
        return others is not None and limit_beside(others, self._most) is None
