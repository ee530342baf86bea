"""What all items of level 0 share: buffers, programs, batches of launches with a key each, and their times."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.errors import BuildError
from pytest_weekops.core.measurement.peak import PeakAmounts
from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.program import build
from pytest_weekops.device.session import Notify
from pytest_weekops.files.kernel_sources import expand

Words = NDArray[np.uint32]

POISON = 0xDEADBEEF
GROUP = 64  # work-items, in every kernel of level 0 that is measured for throughput
KEYS = 32  # launches have keys below it, one after another
_MOST_LAUNCHES = 1000  # in a batch
_LOOKED_AT = 4096  # words of a stretch
_LEAST_BYTES, _MOST_BYTES = 32 * 2**20, 256 * 2**20
_BLOCK = 1024 * 16  # words of an array are a multiple of it


class WrongResult(Exception):
    """A result is not what it has to be; the text says which, where and what was found."""


@dataclass(frozen=True)
class Taken:
    """Nanoseconds of each batch, and how much each of them did; ``each`` is that of one launch, 0 where none is one."""

    times_ns: tuple[float, ...]
    amount: float
    how: str
    each: float = 0.0


class Probe(Protocol):
    """One thing to be launched in one shape. ``amount`` is what a launch does: bytes or operations."""

    amount: float
    how: str

    def launch(self, key: int) -> None:
        """Enqueue one launch whose result differs from that of another key; not waited for."""

    def check(self, key: int, *, whole: bool) -> None:
        """Look at what the last launch left, all of it or a part. Raises ``WrongResult``."""


class Bench:
    """An open device with the amounts that were asked for. Buffers live until :meth:`release`."""

    def __init__(self, device: OpenDevice, amounts: PeakAmounts, kernel_dir: str, notify: Notify) -> None:
        self.device, self.amounts, self.notify = device, amounts, notify
        self.kernel_dir = Path(kernel_dir)
        self._buffers: list[Any] = []
        self._kernels: dict[tuple[str, str, tuple[str, ...]], Any] = {}

    @property
    def queue(self) -> Any:
        """The device's queue, in order."""
        return self.device.queue

    def words(self) -> int:
        """32-bit words of an array: four times the device's cache where nobody chose, and what the device can hold."""
        who = self.device.device
        asked = self.amounts.nbytes or min(max(4 * int(who.global_mem_cache_size), _LEAST_BYTES), _MOST_BYTES)
        least = min(asked, int(who.max_mem_alloc_size), int(who.global_mem_size) // 8)
        return max(_BLOCK, least // 4 // _BLOCK * _BLOCK)

    def buffer(self, nbytes: int) -> Any:
        """Device memory."""
        made = cl.Buffer(self.device.context, cl.mem_flags.READ_WRITE, nbytes)
        self._buffers.append(made)
        return made

    def upload(self, words: NDArray[Any]) -> Any:
        """Device memory with this in it."""
        self.notify(Phase.UPLOAD)
        made = self.buffer(words.nbytes)
        cl.enqueue_copy(self.queue, made, words, is_blocking=True)
        return made

    def poisoned(self, words: int) -> Any:
        """Device memory in which no result stands."""
        return self.upload(np.full(words, POISON, dtype=np.uint32))

    def text(self, file: str) -> str:
        """A kernel source, whole."""
        return expand(self.kernel_dir / file)

    def kernel(self, file: str, name: str, options: tuple[str, ...] = ()) -> Any:
        """A kernel of its own, built once. Raises ``BuildError``."""
        key = (file, name, options)
        if key not in self._kernels:
            self.notify(Phase.BUILD)
            program = build(self.device.context, self.device.device, self.text(file), options, file)
            self._kernels[key] = cl.Kernel(program, name)
        return self._kernels[key]

    def free(self) -> None:
        """Free the buffers made so far; one shape is done, another follows."""
        for made in self._buffers:
            made.release()
        self._buffers.clear()

    def release(self) -> None:
        """Free everything."""
        self.free()
        self._kernels.clear()

    # -- measuring -----------------------------------------------------------------------------------------------

    def take(self, probe: Probe, repeats: int) -> Taken:
        """So many batches of launches, each batch as long as was asked for. Raises ``WrongResult``."""
        self.notify(Phase.WARM_UP)
        self._batch(probe, 0, 1)
        probe.check(0, whole=True)
        lasted = self._batch(probe, 1, 1)
        launches = max(1, min(_MOST_LAUNCHES, math.ceil(self.amounts.target_ms * 1e6 / lasted)))
        times, key = [], 2
        for left in reversed(range(repeats)):
            self.notify(Phase.LAUNCH)
            times.append(self._batch(probe, key, launches))
            key += launches
            self.notify(Phase.VERIFY)
            probe.check((key - 1) % KEYS, whole=left == 0)
        return Taken(tuple(times), probe.amount * launches, probe.how, probe.amount)

    def _batch(self, probe: Probe, key: int, launches: int) -> float:
        start = time.perf_counter_ns()
        for number in range(key, key + launches):
            probe.launch(number % KEYS)
        self.queue.finish()
        return float(max(1, time.perf_counter_ns() - start))

    def trial(self, make: Callable[[], Probe]) -> Taken | None:
        """A short try of one shape, freed again; None where it does not compile. Raises ``WrongResult``."""
        try:
            return self.take(make(), 2)
        except BuildError:
            return None
        finally:
            self.free()

    def best(self, makers: Sequence[Callable[[], Probe]]) -> Taken:
        """Measure the shape that is fastest in a short trial; one that does not compile is passed over.

        Raises ``WrongResult`` where any shape is wrong, and ``BuildError`` where none compiles.
        """
        if len(makers) == 1:
            return self.take(makers[0](), self.amounts.repeats)
        tried = [self.trial(make) for make in makers]
        speeds = [taken.amount / min(taken.times_ns) if taken else 0.0 for taken in tried]
        return self.take(makers[speeds.index(max(speeds))](), self.amounts.repeats)


def stretch(key: int, words: int) -> slice:
    """Where to look after a launch with this key, the same each time and another for each key."""
    length = min(_LOOKED_AT, words)
    begin = random.Random(f"peak {key}").randrange(words - length + 1)  # noqa: S311 - replayed
    return slice(begin, begin + length)


def read_words(queue: Any, buffer: Any, part: slice) -> Words:
    """A part of a buffer of words, blocking."""
    there = np.empty(part.stop - part.start, dtype=np.uint32)
    cl.enqueue_copy(queue, there, buffer, src_offset=4 * part.start, is_blocking=True)
    return there


def refuse_difference(there: NDArray[Any], right: NDArray[Any], begin: int, what: str) -> None:
    """Raise ``WrongResult`` where words differ, with the first that does."""
    if np.array_equal(there, right):
        return
    places = np.flatnonzero(there != right)
    first = int(places[0])
    raise WrongResult(
        f"{what}: {len(places)} of {len(right)} words are wrong, the first at {begin + first}: "
        f"{int(there[first]):#x} instead of {int(right[first]):#x}"
    )
