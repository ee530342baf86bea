"""A kernel launched as its operation describes: inputs, one float32 output, scalars and NDRange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyopencl as cl
from numpy.typing import NDArray

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Launch, count
from pytest_weekops.device.digest import Area
from pytest_weekops.device.operation import Array, as_matrix
from pytest_weekops.device.program import Programs, kernels_of
from pytest_weekops.device.zones import Zones
from pytest_weekops.files.kernel_sources import Source

_ROW = 2048  # of a flat result, for its digest


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
        self._zones = Zones(queue)
        for name, size in launch.buffer_bytes.items():
            self._zones.add(name, size, is_scratch=name in launch.scratch)
        self._kernel.set_args(*(self._buffers[a] if isinstance(a, str) else a for a in launch.arguments))
        self._nan = np.full(count(launch.output_shape), np.nan, dtype=np.float32)

    @property
    def _buffers(self) -> Mapping[str, Any]:
        return self._zones.buffers

    def _input(self, name: str, slot: int) -> str:
        return f"{name} (second)" if slot else name

    def upload(self, inputs: Mapping[str, Array], slot: int = 0) -> None:
        """Copy every input to the device, blocking."""
        for name, buffer in self._launch.inputs.items():
            mine = self._input(name, slot)
            if mine not in self._buffers:
                self._zones.add(mine, buffer.nbytes)
            cl.enqueue_copy(self._queue, self._buffers[mine], np.ascontiguousarray(inputs[name]), is_blocking=True)
        self.use(0)

    def use(self, slot: int) -> None:
        """Take the first (0) or the second inputs (1) from the next launch on."""
        for place, argument in enumerate(self._launch.arguments):
            if isinstance(argument, str) and argument in self._launch.inputs:
                self._kernel.set_arg(place, self._buffers[self._input(argument, slot)])

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

    @property
    def output(self) -> Any:
        """The buffer of the result."""
        return self._buffers[self._launch.output]

    @property
    def area(self) -> Area:
        """A flat array in rows of any length."""
        total = count(self._launch.output_shape)
        columns = min(total, _ROW)
        return Area(-(-total // columns), columns, columns, total)

    def damage(self) -> str:
        """What was written beside any buffer."""
        return self._zones.damage()

    def release(self) -> None:
        """Free the buffers."""
        self._zones.release()
