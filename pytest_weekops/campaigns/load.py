"""A neighbour to measure beside: a busy loop on one CPU that comes and goes, for as long as its block lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SHORTEST_S, LONGEST_S = 2.0, 8.0
_LOOP = """
import os, random, sys, time
measurer, shortest, longest, seed, begun = int(sys.argv[1]), *map(float, sys.argv[2:6])
draw = random.Random(seed)
def left():
    global begun
    length = draw.uniform(shortest, longest)
    passed = min(begun, length)
    begun -= passed
    return length - passed
def is_wanted():
    try:
        os.kill(measurer, 0)
    except OSError:
        return False
    return True
while is_wanted():
    ends = time.monotonic() + left()
    while time.monotonic() < ends and is_wanted():
        for _ in range(100_000):
            pass
    time.sleep(left())
"""
# Its parent ends at once: the CPU time of a child of ours would be our own, and the loop nobody's disturbance.
_START = """
import subprocess, sys
nothing = subprocess.DEVNULL
print(subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stdout=nothing, stderr=nothing).pid)
"""


@contextmanager
def busy_loop(seed: int = 1, begun_s: float = 0.0) -> Iterator[int]:
    """Works and pauses for two to eight seconds each, drawn by the seed; its process id. It ends with us, too.

    It goes on as one does that was begun ``begun_s`` seconds ago: each starts with work, and what is measured in the
    first seconds of many such loops would meet nothing else.
    """
    words = (_LOOP, *map(str, (os.getpid(), SHORTEST_S, LONGEST_S, seed, begun_s)))
    started = subprocess.run([sys.executable, "-c", _START, *words], capture_output=True, text=True, check=True)
    pid = int(started.stdout)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
