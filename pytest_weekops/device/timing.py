"""Launch times: the host clock always, the device clock beside it, and whether the device clock can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyopencl as cl

from pytest_weekops.core.measurement.records import TimerTrust
from pytest_weekops.device.run_delay import Scheduled, scheduled

SHORT_NS = 5_000_000  # of a shorter launch, the host's way to the device and back may be a large share
LEAST_SHARE = 0.5  # of a longer launch's wall time: an event time below it is not the kernel's


@dataclass(frozen=True)
class Launch:
    """One timed launch. ``stamps`` are (queued, submit, start, end) of its first and last event, or None.

    ``scheduled`` is what the process's threads had of the CPUs meanwhile, None where the host does not tell.
    """

    start_ns: int
    wall_ns: int
    stamps: tuple[tuple[int, int, int, int], tuple[int, int, int, int]] | None
    scheduled: Scheduled | None = None

    @property
    def delay_ns(self) -> int | None:
        """For how long its threads were ready and had no CPU; None where the host does not tell."""
        return None if self.scheduled is None else self.scheduled.delay_ns

    @property
    def device_ns(self) -> int | None:
        """From the first event's start to the last event's end."""
        return None if self.stamps is None else self.stamps[1][3] - self.stamps[0][2]


def time_launch(queue: Any, enqueue: Callable[[], Sequence[Any]], behind: Callable[[], None] | None = None) -> Launch:
    """Run ``enqueue`` and wait for the queue; the host interval covers both.

    ``behind`` enqueues more right after it. Then the launch's own last event ends the interval, and the rest goes on.
    """
    before = scheduled()
    start = time.perf_counter_ns()
    events = enqueue()
    if behind is None:
        queue.finish()
    else:
        behind()
        events[-1].wait()
    wall = time.perf_counter_ns() - start
    after = scheduled()
    meanwhile = before.until(after) if before is not None and after is not None else None
    return Launch(start_ns=start, wall_ns=wall, stamps=_stamps(events), scheduled=meanwhile)


def _stamps(events: Sequence[Any]) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]] | None:
    try:
        first, last = (
            (event.profile.queued, event.profile.submit, event.profile.start, event.profile.end)
            for event in (events[0], events[-1])
        )
    except (cl.Error, IndexError):
        return None
    return first, last


def judge_timer(launches: Sequence[Launch]) -> TimerTrust:
    """Whether the device clock proved itself on these launches (OpenCL 3.0, 5.14: the order of the four stamps)."""
    if not launches or any(launch.stamps is None for launch in launches):
        return TimerTrust(trusted=False, reason="the driver has no event times")
    for launch in launches:
        if reason := _distrust(launch):
            return TimerTrust(trusted=False, reason=reason)
    if len(launches) > 1 and len({launch.stamps for launch in launches}) == 1:
        return TimerTrust(trusted=False, reason="event times never change")
    return TimerTrust(trusted=True, reason="event times are ordered and agree with the host clock")


def _distrust(launch: Launch) -> str:
    for queued, submit, start, end in launch.stamps or ():
        if not queued <= submit <= start <= end:
            return f"event times are out of order: queued {queued}, submit {submit}, start {start}, end {end}"
    device = launch.device_ns or 0
    if device <= 0:
        return "an event lasted no time"
    if device > launch.wall_ns:
        return f"an event lasted {device} ns, longer than the host's {launch.wall_ns} ns around it"
    if launch.wall_ns >= SHORT_NS and device < LEAST_SHARE * launch.wall_ns:
        return f"an event lasted {device} ns of a launch of {launch.wall_ns} ns"
    return ""
