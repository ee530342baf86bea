"""A driver opened in this process, for what no request to a worker tells; it is loaded when it is asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import MeasureRequest

if TYPE_CHECKING:
    from pytest_weekops.device.launcher import Launcher
    from pytest_weekops.device.opened import OpenDevice
    from pytest_weekops.files.kernel_sources import Source


@contextmanager
def opened(platform: str) -> Iterator[OpenDevice]:
    """The device of a platform, its name printed. The environment is the driver's from here on."""
    from pytest_weekops.drivers.platforms import resolve_platforms

    with tempfile.TemporaryDirectory() as scratch:
        (launch,) = resolve_platforms([platform], scratch=Path(scratch))
        os.environ.update({"OPENBLAS_NUM_THREADS": "1", "PYOPENCL_NO_CACHE": "1", **launch.environment})
        from pytest_weekops.device.opened import OpenDevice

        device = OpenDevice(launch.open, lambda _phase: None)
        print(f"{platform}: {device.identity.device_name}, {device.identity.driver_version}")
        yield device


def launcher_of(device: OpenDevice, kernel: str, size: int, operation: str = "gemm") -> tuple[Launcher, Source]:
    """A kernel's launcher at a square size, without data, and the source that was picked."""
    from pytest_weekops.device.bench import pick
    from pytest_weekops.device.known_operations import OPERATIONS
    from pytest_weekops.device.launcher import make_launcher
    from pytest_weekops.device.operation import Shape
    from pytest_weekops.files.kernel_sources import load_sources

    asked = MeasureRequest(kernel=kernel, operation=operation, m=size, n=size, k=size, seed=1, sessions=1, iterations=1)
    source = pick(device, asked, load_sources((str(data_dir("kernels")),)))
    shape = Shape(size, size, size)
    return make_launcher(device.queue, device.programs, source, shape, OPERATIONS[operation]), source
