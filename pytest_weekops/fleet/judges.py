"""Judging hosts in processes beside the coordinator: it goes on following the others, and every CPU takes part.

For large fleets only, and never where hosts are measured on this machine: a judge at work would be noise there.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from pytest_weekops.core.fleet.fleet_file import FleetFile
from pytest_weekops.core.fleet.outcome import HostOutcome
from pytest_weekops.fleet.judged import AskedOfHost, judged_host

WORTH_PROCESSES = 24  # hosts; fewer are judged before a process has begun
_MOST_PROCESSES = 8
_PR_SET_PDEATHSIG = 1
_NEW_OBJECTS = 200_000  # before garbage is looked for: a journal makes so many, nearly all of them freed without


def processes(fleet: FleetFile) -> int:
    """How many are worth starting for a fleet; 1 is this one alone."""
    is_here = any(pool.local is not None for pool in fleet.pools.values())
    if is_here or len(fleet.hosts) < WORTH_PROCESSES:
        return 1
    return min(len(os.sched_getaffinity(0)) + 1, _MOST_PROCESSES)  # one, since each waits for the disk at its end


async def judged_beside(asked: AskedOfHost, journal: Path, count: int) -> HostOutcome:
    """The same as :func:`judged_host`, by one of ``count`` processes.

    Where one of them is killed, or brings something back that cannot be read, the host is judged here.
    """
    if count > 1:
        try:
            return await asyncio.get_running_loop().run_in_executor(_pool(count), judged_host, asked, journal)
        except BrokenProcessPool:
            _pool.cache_clear()
    return judged_host(asked, journal)


@cache
def _pool(count: int) -> ProcessPoolExecutor:
    """Processes that were started anew: one that has threads, as the coordinator, is not to be forked.

    They end with this process: by themselves where it comes to its end, by the kernel's signal otherwise.
    """
    return ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(os.getpid(),))


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the coordinator, and end with it; look for garbage once a host and not all the time."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)
