"""What Linux tells of a host between two looks: CPU time stolen or withheld, waiting for CPUs, clock, thermal limits.

Each is None where this host does not tell it. Sources: proc(5) for ``/proc/stat``; the kernel's Documentation for
``/proc/pressure`` (accounting/psi.rst), ``cpu.stat`` of both control group versions (admin-guide/cgroup-v2.rst,
scheduler/sched-bwc.rst), ``scaling_cur_freq`` (admin-guide/pm/cpufreq.rst) and ``core_throttle_count`` of x86.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_weekops.worker.load import cpu_ticks

_ROOT = Path("/")
_STEAL = 7  # of those ticks
_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class _Look:
    at_s: float
    stolen: tuple[int, int] | None  # jiffies: stolen, all
    pressure_us: int | None
    throttled_s: float | None
    thermal_events: int | None


def _look(root: Path) -> _Look:
    return _Look(time.monotonic(), _stolen(root), _pressure(root), _throttled(root), _thermal(root))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _whole(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _stolen(root: Path) -> tuple[int, int] | None:
    ticks = cpu_ticks(root / "proc")
    return (ticks[_STEAL], sum(ticks)) if ticks is not None and len(ticks) > _STEAL else None


def _pressure(root: Path) -> int | None:
    """Microseconds since boot in which a thread was ready and had no CPU."""
    some = next((line for line in _text(root / "proc/pressure/cpu").splitlines() if line.startswith("some ")), "")
    return _whole(some.rpartition("total=")[2])


def _throttled(root: Path) -> float | None:
    """Seconds, summed over CPUs, in which a quota kept this process's control group, or one above it, from running."""
    found = [seconds for path in _groups(root) if (seconds := _throttled_in(_text(path / "cpu.stat"))) is not None]
    return max(found, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """Directories of this process's CPU control group and those above it, in each hierarchy that is there."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _number, controllers, path = (*line.split(":", 2), "", "")[:3]
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        inside = Path(path.lstrip("/"))
        for mount in (controllers, "cpu") if controllers else ("", "unified"):
            for group in (inside, *inside.parents):
                yield root / "sys/fs/cgroup" / mount / group


def _throttled_in(text: str) -> float | None:
    values = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    microseconds, nanoseconds = _whole(values.get("throttled_usec", "")), _whole(values.get("throttled_time", ""))
    if microseconds is not None:
        return microseconds * 1e-6
    return None if nanoseconds is None else nanoseconds * 1e-9


def _thermal(root: Path) -> int | None:
    counts = [
        count
        for path in (root / _CPUS).glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
        if (count := _whole(_text(path))) is not None
    ]
    return sum(counts) if counts else None


def _mhz(root: Path) -> float | None:
    clocks = [
        khz * 1e-3
        for path in (root / _CPUS).glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        if (khz := _whole(_text(path))) is not None
    ]
    return round(statistics.fmean(clocks), 1) if clocks else None


@dataclass(frozen=True)
class Seen:
    """What came between two looks, by the names of :class:`HostCondition`; ``root`` stands for ``/`` in tests."""

    steal_percent: float | None
    throttled_percent: float | None
    pressure_percent: float | None
    thermal_events: int | None
    cpu_mhz: float | None


class Witnesses:
    """Starts on creation; :meth:`seen` tells what came since."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._start = _look(root)

    def seen(self) -> Seen:
        """Shares of all CPUs' time (stolen, throttled) and of what passed (pressure), events, and the clock now."""
        now, before = _look(self._root), self._start
        wall_s = now.at_s - before.at_s
        return Seen(
            steal_percent=_share_of_jiffies(before.stolen, now.stolen),
            throttled_percent=_share(before.throttled_s, now.throttled_s, wall_s * (os.cpu_count() or 1)),
            pressure_percent=_share(before.pressure_us, now.pressure_us, wall_s * 1e6),
            thermal_events=_more(before.thermal_events, now.thermal_events),
            cpu_mhz=_mhz(self._root),
        )


def _share_of_jiffies(before: tuple[int, int] | None, now: tuple[int, int] | None) -> float | None:
    if now is None or before is None or now[1] <= before[1]:
        return None
    return round(100.0 * (now[0] - before[0]) / (now[1] - before[1]), 3)


def _share(before: float | None, now: float | None, whole: float) -> float | None:
    """In percent of the whole; None where a count went back, as one does that begins anew."""
    if before is None or now is None or now < before or whole <= 0:
        return None
    return round(100.0 * (now - before) / whole, 3)


def _more(before: int | None, now: int | None) -> int | None:
    return None if before is None or now is None or now < before else now - before
