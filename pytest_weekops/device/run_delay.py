"""What the scheduler did to this process's threads: CPU time they had, and time they were ready and had none.

The witness of other programs on the host: a preempted thread loses no work and is no stolen time, but it waits.
Linux keeps both per thread in ``/proc/self/task/*/schedstat`` (nanoseconds: on a CPU, on a run queue; times run);
see Documentation/scheduler/sched-stats.rst of the kernel.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TASKS = Path("/proc/self/task")


@dataclass(frozen=True)
class Scheduled:
    """Sums over threads since their start, in nanoseconds."""

    cpu_ns: int
    delay_ns: int

    def until(self, later: Scheduled) -> Scheduled:
        """What came between; a thread that ended meanwhile takes its past along, so that nothing is below zero."""
        return Scheduled(max(later.cpu_ns - self.cpu_ns, 0), max(later.delay_ns - self.delay_ns, 0))


def scheduled(tasks: Path = _TASKS) -> Scheduled | None:
    """The sums now, over every thread; None where the kernel does not keep them."""
    cpu = delay = read = 0
    try:
        names = os.listdir(tasks)  # noqa: PTH208 - a path object per thread would cost more than the reading
    except OSError:
        return None
    for name in names:
        try:
            with open(f"{tasks}/{name}/schedstat", "rb", buffering=0) as stream:  # noqa: PTH123 - as above
                on_cpu, waited, _times = stream.read().split()
        except FileNotFoundError:
            continue  # it ended since, or this kernel has no such file
        except (OSError, ValueError):
            return None
        cpu, delay, read = cpu + int(on_cpu), delay + int(waited), read + 1
    return Scheduled(cpu, delay) if read else None
