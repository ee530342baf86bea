"""Buffers between red zones: what a kernel writes beside one is found, and what it reads there is NaN."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.kernel_operation import MOST_ZONE_BYTES

PATTERN = np.uint32(0x7FC5A5A5)  # a quiet NaN that no arithmetic gives
_LEAST_ZONE = 4096  # bytes
_ROWS_BESIDE = 32  # a kernel that forgets an edge writes a tile's rows too many


_EXACT: ContextVar[bool] = ContextVar("exact", default=False)


@contextlib.contextmanager
def exact_buffers() -> Iterator[None]:
    """Buffers without red zones and with nothing in them: for a simulator, which sees each access itself.

    Oclgrind forgets what was initialised in a buffer when another part of it is written from the host.
    """
    token = _EXACT.set(True)
    try:
        yield
    finally:
        _EXACT.reset(token)


def are_exact() -> bool:
    """Whether buffers are made for a simulator now."""
    return _EXACT.get()


def _pattern(nbytes: int) -> Any:
    """So many bytes of the pattern."""
    return np.full(-(-nbytes // PATTERN.nbytes), PATTERN, dtype=np.uint32).view(np.uint8)[:nbytes]


class ZonedBuffer:
    """``nbytes`` of device memory, a red zone before it and one behind it, down to the byte.

    ``buffer`` is what kernels and copies get. ``row_bytes`` widens the zones: some rows of a matrix fit in. A driver
    without sub-buffers has the zone behind only.
    """

    def __init__(self, queue: Any, name: str, nbytes: int, row_bytes: int = 0) -> None:
        self.name, self.nbytes = name, max(nbytes, 4)
        self._queue = queue
        align = max(1, queue.device.mem_base_addr_align // 8, _LEAST_ZONE)
        zone = min(max(_ROWS_BESIDE * row_bytes, _LEAST_ZONE), MOST_ZONE_BYTES)
        self._zone = -(-zone // align) * align
        self._front = self._zone
        flags = cl.mem_flags.READ_WRITE
        self._before = self._after = np.empty(0, dtype=np.uint8)
        self.buffer: Any
        if _EXACT.get():
            self._front = self._zone = 0
            self._parent = cl.Buffer(queue.context, flags, self.nbytes)
            self.buffer = self._parent
            return
        self._parent = cl.Buffer(queue.context, flags, self._front + self.nbytes + self._zone)
        try:
            self.buffer = self._parent.get_sub_region(self._front, self.nbytes)
        except cl.Error:
            self._front, self.buffer = 0, self._parent
        self._before, self._after = _pattern(self._front), _pattern(self._zone)
        self.arm()

    def arm(self) -> None:
        """Fill both zones, blocking."""
        for content, place in self._zones():
            cl.enqueue_copy(self._queue, self._parent, content, dst_offset=place, is_blocking=True)

    def _zones(self) -> list[tuple[Any, int]]:
        before = [(self._before, 0)] if self._front else []
        after = [(self._after, self._front + self.nbytes)] if self._zone else []
        return [*before, *after]

    def damage(self) -> str:
        """What was written beside the buffer, in words; nothing where both zones are whole."""
        found = []
        for content, place in self._zones():
            now = np.empty_like(content)
            cl.enqueue_copy(self._queue, now, self._parent, src_offset=place, is_blocking=True)
            changed = np.flatnonzero(now != content)
            if changed.size:
                is_front = place == 0 and self._front > 0
                side = "before its beginning" if is_front else "behind its end"
                nearest = int(changed[-1]) - content.size if is_front else int(changed[0])
                words = np.unique(changed // 4).size
                found.append(f"{words} floats {side}, the nearest at byte {nearest:+d}")
        return f"{self.name}: {' and '.join(found)}" if found else ""

    def release(self) -> None:
        """Free the memory."""
        if self.buffer is not self._parent:
            self.buffer.release()
        self._parent.release()


class Zones:
    """The buffers of one launcher by name, each between red zones."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._zoned: list[ZonedBuffer] = []
        self._buffers: dict[str, Any] = {}

    @property
    def buffers(self) -> Mapping[str, Any]:
        """What kernels and copies get, by name."""
        return self._buffers

    def add(self, name: str, nbytes: int, row_bytes: int = 0, *, is_scratch: bool = False) -> None:
        """Allocate one more. A scratch buffer is NaN at first, so that no kernel lives on what it finds there."""
        self._zoned.append(ZonedBuffer(self._queue, name, nbytes, row_bytes))
        self._buffers[name] = self._zoned[-1].buffer
        if is_scratch:
            cl.enqueue_copy(self._queue, self._buffers[name], _pattern(nbytes), is_blocking=True)

    def damage(self) -> str:
        """What was written beside any of them, in words, or nothing; what was damaged is filled again."""
        found = []
        for zoned in self._zoned:
            if damage := zoned.damage():
                found.append(damage)
                zoned.arm()
        return "; ".join(found)

    def release(self) -> None:
        """Free all of them."""
        for zoned in self._zoned:
            zoned.release()
        self._zoned.clear()
        self._buffers.clear()
