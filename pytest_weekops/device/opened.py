"""An open device: context, profiling queue, programs and identity, for the life of a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyopencl as cl

from pytest_weekops.core.measurement.records import DeviceIdentity, Phase
from pytest_weekops.device.driver_files import ProcessFiles
from pytest_weekops.device.inventory import find_device, identify
from pytest_weekops.device.library import answering_library, named_library, opened_library, require_named
from pytest_weekops.device.program import Programs
from pytest_weekops.worker.protocol import OpenRequest


class OpenDevice:
    """Everything that is made once per worker."""

    def __init__(self, request: OpenRequest, notify: Callable[[Phase], None]) -> None:
        self.files = ProcessFiles()
        notify(Phase.ENUMERATE)
        platform, device = find_device(request)
        library, answering = opened_library(named_library(request.icd)), answering_library(platform)
        require_named(request, library, answering)
        self.files.own(library, answering)
        self.platform = platform
        self.device = device
        self.identity: DeviceIdentity = identify(platform, device, request, library=library, answering=answering)
        notify(Phase.CONTEXT)
        self.context: Any = cl.Context([device])
        self.queue: Any = cl.CommandQueue(self.context, device, properties=cl.command_queue_properties.PROFILING_ENABLE)
        self.programs = Programs(self.context, device, self.identity)
