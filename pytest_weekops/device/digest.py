"""A digest of the result that is on the device: cheap enough for every launch, different where one bit is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.measurement.catalog import GPU_CLASSES, device_class
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.device.program import Programs
from pytest_weekops.files.shipped import data_dir

DIGEST_FILE = "digest.cl"
_GPU_ITEMS = 64
_MOST_ROWS = 16  # of a work-group
_MOST_STEPS = 32_768  # of a work-item, half of what llvmpipe allows


@dataclass(frozen=True)
class Area:
    """Where a result lies in its buffer, in float32: rows of ``columns``, ``pitch`` apart, ``count`` in all."""

    rows: int
    columns: int
    pitch: int
    count: int


class Digest:
    """The digest kernel on one output buffer. Raises ``BuildError`` and pyopencl's errors."""

    def __init__(self, queue: Any, programs: Programs, identity: DeviceIdentity, output: Any, area: Area) -> None:
        self._queue = queue
        self._items = items = _GPU_ITEMS if device_class(identity) in GPU_CLASSES else 1
        rows = max(1, min(_MOST_ROWS, _MOST_STEPS * items // area.columns))
        text = (data_dir("kernels") / DIGEST_FILE).read_text(encoding="utf-8")
        program = programs.check(text, (f"-DITEMS={items}", f"-DROWS={rows}"), DIGEST_FILE)
        self._groups = -(-area.rows // rows)
        self._answer = np.zeros(area.rows * items, dtype=np.uint32)
        self._buffer = cl.Buffer(queue.context, cl.mem_flags.READ_WRITE, self._answer.nbytes)
        cl.enqueue_copy(queue, self._buffer, self._answer, is_blocking=True)
        self._kernel = cl.Kernel(program, "digest")
        geometry = (np.int32(area.rows), np.int32(area.columns), np.int32(area.pitch), np.int32(area.count))
        self._kernel.set_args(output, *geometry, np.uint32(0), self._buffer)
        self._serial = 0

    def take(self) -> bytes:
        """The digest of what the output holds now, blocking.

        Each carries a number of its own, taken out again here: one that did not run is no repetition of the last.
        """
        self._serial += 1
        serial = np.uint32(self._serial * 0x9E3779B1 & 0xFFFFFFFF)
        self._kernel.set_arg(5, serial)
        cl.enqueue_nd_range_kernel(self._queue, self._kernel, (self._groups * self._items,), (self._items,))
        cl.enqueue_copy(self._queue, self._answer, self._buffer, is_blocking=True)
        return bytes(np.subtract(self._answer, serial).tobytes())

    def release(self) -> None:
        """Free the buffer."""
        self._buffer.release()
