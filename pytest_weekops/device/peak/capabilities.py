"""What an item of level 0 needs of a device, asked by the names that OpenCL has for it."""

from __future__ import annotations

from typing import Any

import pyopencl as cl

from pytest_weekops.core.measurement.peak import Capability
from pytest_weekops.device.opened import OpenDevice

LEAST_LOCAL_BYTES = 768  # what peak_local.cl takes for vectors of one word

_EXTENSIONS: dict[Capability, str] = {"double": "cl_khr_fp64", "half": "cl_khr_fp16"}


def lacking(needs: Capability, device: OpenDevice) -> str:
    """What is not there, in words with OpenCL's own name for it, or nothing."""
    who = device.device
    if needs in _EXTENSIONS:
        extension = _EXTENSIONS[needs]
        return "" if extension in who.extensions.split() else f"the device has no {needs} ({extension})"
    if needs == "out-of-order queue" and not has_out_of_order(who):
        return "the device has no out-of-order queue (CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)"
    if needs == "local memory" and who.local_mem_size < LEAST_LOCAL_BYTES:
        return f"the device has {who.local_mem_size} bytes of local memory (CL_DEVICE_LOCAL_MEM_SIZE)"
    return ""


def has_out_of_order(device: Any) -> bool:
    """Whether host queues of this device may run commands in any order."""
    return bool(device.queue_properties & cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE)


def has_fma(device: Any) -> bool:
    """Whether the device says that it fuses in float. Where it does not, fma is a program, and Clover's never ends."""
    return bool(device.single_fp_config & cl.device_fp_config.FMA)
