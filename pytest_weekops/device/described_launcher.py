"""Kernels launched as their operation describes: inputs, one output, scalars and NDRanges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.launch import Launch, Local, Step, count
from pytest_weekops.device.digest import Area
from pytest_weekops.device.operation import Array, HostWork, as_matrix
from pytest_weekops.device.program import Programs, kernels_of
from pytest_weekops.device.zones import PATTERN, Zones, are_exact
from pytest_weekops.files.kernel_sources import Source

_ROW = 2048  # of a flat result, for its digest
_CANNOT_FILL = ("OpenCL 1.0 ", "OpenCL 1.1 ")


def poison_of(launch: Launch) -> Array:
    """What fills the output before a launch: NaN, and the same kind of pattern where it counts in whole numbers.

    A right result may hold that number in one place. In none of them it is what every element is.
    """
    if launch.output_dtype == "float32":
        return np.full(count(launch.output_shape), np.nan, dtype=np.float32)
    return np.full(count(launch.output_shape), PATTERN, dtype=np.uint32).view(launch.output_dtype)


def _refuse_step(step: Step, known: Mapping[str, Any], file: str) -> None:
    if step.kernel not in known:
        raise DeviceError(
            f"{file} has no kernel named {step.kernel}, only {', '.join(known) or 'none'}. Nothing could be launched. "
            "Name it so."
        )
    if known[step.kernel].num_args != len(step.arguments):
        raise DeviceError(
            f"Kernel {step.kernel} of {file} takes {known[step.kernel].num_args} arguments, its operation passes "
            f"{len(step.arguments)}. It would run on what was there before. Make the two agree."
        )


class Zeros:
    """Zero bytes into buffers, on the device.

    Drivers before OpenCL 1.2 cannot fill, and Oclgrind forgets that what it filled was written: both copy zeros.
    """

    def __init__(self, queue: Any, sizes: Sequence[int]) -> None:
        self._queue = queue
        self._source: Any = None
        if sizes and (queue.device.version.startswith(_CANNOT_FILL) or are_exact()):
            zeros = np.zeros(max(sizes), dtype=np.uint8)
            self._source = cl.Buffer(queue.context, cl.mem_flags.READ_WRITE, zeros.nbytes)
            cl.enqueue_copy(queue, self._source, zeros, is_blocking=True)

    def fill(self, buffer: Any, nbytes: int) -> Any:
        """The event of one fill, not waited for."""
        if self._source is not None:
            return cl.enqueue_copy(self._queue, buffer, self._source, byte_count=nbytes)
        return cl.enqueue_fill_buffer(self._queue, buffer, np.zeros(1, dtype=np.uint32), 0, nbytes)

    def release(self) -> None:
        """Free the buffer of zeros, where there is one."""
        if self._source is not None:
            self._source.release()


class DescribedLauncher:
    """Every kernel of a launch with its arguments set once. Raises ``DeviceError`` where one is not in the source."""

    def __init__(
        self,
        queue: Any,
        programs: Programs,
        source: Source,
        launch: Launch,
        drive: Callable[[HostWork], Sequence[Any]] | None = None,
    ) -> None:
        self._queue, self._launch, self._drive, self._slot = queue, launch, drive, 0
        program = programs.get(source)
        known = kernels_of(program)
        for step in launch.steps:
            _refuse_step(step, known, source.path.name)
        self._kernels = [cl.Kernel(program, step.kernel) for step in launch.steps]
        self._zones = Zones(queue)
        for name, size in launch.buffer_bytes.items():
            self._zones.add(name, size, is_scratch=name in launch.scratch)
        for kernel, step in zip(self._kernels, launch.steps, strict=True) if drive is None else ():
            kernel.set_args(*map(self._argument, step.arguments))
        self._poison = poison_of(launch)
        self._zeros = Zeros(queue, [launch.buffer_bytes[name] for name in launch.zeroed])

    def _argument(self, word: Any) -> Any:
        if isinstance(word, Local):
            return cl.LocalMemory(word.nbytes)
        return self._buffers[word] if isinstance(word, str) else word

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
        self._slot = slot
        for kernel, step in zip(self._kernels, self._launch.steps, strict=True) if self._drive is None else ():
            for place, argument in enumerate(step.arguments):
                if isinstance(argument, str) and argument in self._launch.inputs:
                    kernel.set_arg(place, self._buffers[self._input(argument, slot)])

    def poison(self) -> None:
        """Fill the output with what no launch leaves, blocking."""
        cl.enqueue_copy(self._queue, self._buffers[self._launch.output], self._poison, is_blocking=True)

    def enqueue(self) -> Sequence[Any]:
        """One launch: the fills, then every kernel, each behind the one before; or what the host does instead."""
        launch, queue = self._launch, self._queue
        if self._drive is not None:
            names = {name: self._input(name, self._slot) for name in launch.inputs}
            buffers = {name: self._buffers[names.get(name, name)] for name in launch.buffer_bytes}
            kernels = {step.kernel: kernel for step, kernel in zip(launch.steps, self._kernels, strict=True)}
            return self._drive(HostWork(queue, kernels, buffers))
        fills = [self._zeros.fill(self._buffers[name], launch.buffer_bytes[name]) for name in launch.zeroed]
        return [
            *fills,
            *(
                cl.enqueue_nd_range_kernel(queue, kernel, step.global_size, step.local_size)
                for kernel, step in zip(self._kernels, launch.steps, strict=True)
            ),
        ]

    def read(self) -> Array:
        """The output as a matrix, blocking."""
        result = np.empty(self._launch.output_shape, dtype=self._launch.output_dtype)
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
        self._zeros.release()
