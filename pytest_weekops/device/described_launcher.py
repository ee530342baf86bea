"""A kernel launched as its operation describes: inputs, one float32 output, scalars and NDRange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Launch, count
from pytest_weekops.device.operation import Array, as_matrix
from pytest_weekops.device.program import Programs, kernels_of
from pytest_weekops.files.kernel_sources import Source


class DescribedLauncher:
    """One kernel with its arguments set once. Raises ``DeviceError`` where the source has no kernel of that name."""

    def __init__(self, queue: Any, programs: Programs, source: Source, launch: Launch) -> None:
        self._queue, self._launch = queue, launch
        kernels = kernels_of(programs.get(source))
        if launch.kernel not in kernels:
            raise DeviceError(
                f"{source.path.name} has no kernel named {launch.kernel}, only {', '.join(kernels) or 'none'}. Nothing "
                "could be launched. Name it so."
            )
        self._kernel = kernels[launch.kernel]
        if self._kernel.num_args != len(launch.arguments):
            raise DeviceError(
                f"Kernel {launch.kernel} of {source.path.name} takes {self._kernel.num_args} arguments, its operation "
                f"passes {len(launch.arguments)}. It would run on what was there before. Make the two agree."
            )
        flags = cl.mem_flags.READ_WRITE
        self._buffers = {name: cl.Buffer(queue.context, flags, size) for name, size in launch.buffer_bytes.items()}
        self._kernel.set_args(*(self._buffers[a] if isinstance(a, str) else a for a in launch.arguments))
        self._nan = np.full(count(launch.output_shape), np.nan, dtype=np.float32)

    def upload(self, inputs: Mapping[str, Array]) -> None:
        """Copy every input to the device, blocking."""
        for name in self._launch.inputs:
            cl.enqueue_copy(self._queue, self._buffers[name], np.ascontiguousarray(inputs[name]), is_blocking=True)

    def poison(self) -> None:
        """Fill the output with NaN, blocking."""
        cl.enqueue_copy(self._queue, self._buffers[self._launch.output], self._nan, is_blocking=True)

    def enqueue(self) -> Sequence[Any]:
        """One launch."""
        launch = self._launch
        return (cl.enqueue_nd_range_kernel(self._queue, self._kernel, launch.global_size, launch.local_size),)

    def read(self) -> NDArray[np.float32]:
        """The output as a matrix, blocking."""
        result = np.empty(self._launch.output_shape, dtype=np.float32)
        cl.enqueue_copy(self._queue, result, self._buffers[self._launch.output], is_blocking=True)
        return as_matrix(result)

    def release(self) -> None:
        """Free the buffers."""
        for buffer in self._buffers.values():
            buffer.release()
        self._buffers.clear()
