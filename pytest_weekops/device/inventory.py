"""Which platforms and devices are there, which one was asked for, and what exactly it is."""

from __future__ import annotations

import hashlib
import os
import platform as host_platform
import re
from pathlib import Path
from typing import Any

import pyopencl as cl

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.capabilities import EXTENSIONS
from pytest_weekops.core.measurement.catalog import (
    ABORTS_ON_ATOMICS,
    ABORTS_ON_HALVES,
    ABORTS_ON_IMAGES,
    ABORTS_ON_POINTER_RESULTS,
    ABORTS_ON_SUB_RECTANGLES,
    ABORTS_ON_VECTOR_LOADS,
    CAPABILITIES,
    FAILS_IN_WIDE_VECTORS,
    FORGETS_ARGUMENTS,
    FUSES_NO_DOUBLES,
    WRONG_IN_MAD_SAT,
    WRONG_IN_STRICT_MATH,
)
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.device.host_kernel import host_kernel
from pytest_weekops.device.library import named_library, why_not_loaded
from pytest_weekops.device.pci import pci_address
from pytest_weekops.worker.protocol import OpenRequest

_TYPE_NAMES = (
    (cl.device_type.GPU, "gpu"),
    (cl.device_type.CPU, "cpu"),
    (cl.device_type.ACCELERATOR, "accelerator"),
)
_POCLS, _MESAS = (("Portable", "3.0"), ("Portable", "3.1")), (("rusticl", "22.3.6"), ("Clover", "22.3.6"))
_OF_VERSIONS = {
    ABORTS_ON_SUB_RECTANGLES: _POCLS,
    WRONG_IN_STRICT_MATH: (*_POCLS, *_MESAS),
    FUSES_NO_DOUBLES: (("Clover", "22.3.6"),),
    FAILS_IN_WIDE_VECTORS: (("Portable", "3.0-rc2"),),
    WRONG_IN_MAD_SAT: (("Intel(R) OpenCL", "2026.22"),),
}
_RANK = {"gpu": 0, "accelerator": 1, "cpu": 2}
# Variables that change what these drivers do; whatever of them is set belongs to the identity.
_TELLING = re.compile(
    r"^(OCL_|POCL_(?!CACHE_DIR)|RUSTICL_|LP_|CLOVER_|GALLIUM_|MESA_|LIBGL_|CL_|CUDA_VISIBLE|ROCR_|HSA_|ONEAPI_|LD_PRELOAD$"
    r"|GLIBC_TUNABLES$)"
)


def type_name(device: Any) -> str:
    """``gpu``, ``cpu`` or ``accelerator``."""
    for flag, name in _TYPE_NAMES:
        if device.type & flag:
            return name
    return "other"


def find_device(request: OpenRequest) -> tuple[Any, Any]:
    """The platform and device asked for. Raises ``DeviceError`` where none or several match."""
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        why = why_not_loaded(named_library(request.icd)) or str(error)
        raise DeviceError(
            f"No OpenCL driver answers for profile {request.profile}: {why}. Nothing can be measured. "
            "Install a driver, or look at `weekops drivers`."
        ) from error
    matching = [platform for platform in platforms if _platform_matches(platform, request)]
    if not matching:
        there = ", ".join(f"{p.name} ({p.version.strip()})" for p in platforms) or "none"
        raise DeviceError(
            f"Profile {request.profile} matches no OpenCL platform. The driver it is for is not the one that answers. "
            f"There: {there}. Choose a profile that is there, or install the driver."
        )
    found = [(platform, device) for platform in matching for device in _devices(platform)]
    if not found:
        raise DeviceError(
            f"Profile {request.profile}: the driver answers as {matching[0].name} ({matching[0].version.strip()}) and "
            "has no device at all. Nothing can be measured on it. A driver without devices does not support this "
            "hardware, or not any more, or may not use it: see its documentation, or choose another profile."
        )
    wanted = [pair for pair in found if _device_matches(pair[1], request)]
    if not wanted:
        there = ", ".join(f"{d.name} ({type_name(d)})" for _p, d in found)
        raise DeviceError(
            f"Profile {request.profile}: the driver has no device {_asked_for(request)}. Nothing can be measured on "
            f"it. There: {there}. Ask for one of these, or choose another profile."
        )
    if len(wanted) > 1 and request.device_pattern:
        raise DeviceError(
            f"--device {request.device_pattern!r} matches {len(wanted)} devices: "
            f"{', '.join(d.name for _p, d in wanted)}. A number must belong to one device. Give a pattern for one."
        )
    return min(wanted, key=lambda pair: _RANK.get(type_name(pair[1]), 3))


def _asked_for(request: OpenRequest) -> str:
    """What a device had to be, in words."""
    kinds = " or ".join(request.device_types)
    parts = [f"of kind {kinds}"] if kinds else []
    return " ".join([*parts, *([f"whose name matches {request.device_pattern!r}"] if request.device_pattern else [])])


def _devices(platform: Any) -> list[Any]:
    try:
        return list(platform.get_devices())
    except cl.Error:  # DEVICE_NOT_FOUND: a platform may be empty
        return []


def _platform_matches(platform: Any, request: OpenRequest) -> bool:
    pairs = (
        (request.platform_name, platform.name),
        (request.platform_vendor, platform.vendor),
        (request.platform_version, platform.version),
    )
    return all(pattern is None or re.search(pattern, text, re.IGNORECASE) for pattern, text in pairs)


def _device_matches(device: Any, request: OpenRequest) -> bool:
    if request.device_types and type_name(device) not in request.device_types:
        return False
    return request.device_pattern is None or bool(re.search(request.device_pattern, device.name, re.IGNORECASE))


def identify(
    platform: Any, device: Any, request: OpenRequest, *, library: Path | None, answering: Path | None
) -> DeviceIdentity:
    """Everything that tells this driver on this device from any other, but for its files.

    ``library`` is the file that the loader opened for it, ``answering`` the one whose code answers.
    """
    kind = type_name(device)
    on_cpu = kind == "cpu" or "llvmpipe" in device.name
    return DeviceIdentity(
        profile=request.profile,
        platform_name=platform.name,
        platform_vendor=platform.vendor,
        platform_version=platform.version.strip(),
        device_name=device.name.strip(),
        device_vendor=device.vendor,
        device_type=kind,
        driver_version=device.driver_version,
        device_version=device.version.strip(),
        library=library.name if library else "",
        library_sha256=hashlib.sha256(library.read_bytes()).hexdigest() if library else "",
        icd=Path(request.icd).name,
        hardware=_cpu() if on_cpu else _bare(device.name),
        host=host_platform.node(),
        environment={
            # The ICD file that a run chose may lie in its scratch directory, whose name is another in each run.
            key: Path(value).name if key == "OCL_ICD_VENDORS" and value == request.icd else value
            for key, value in sorted(os.environ.items())
            if _TELLING.match(key)
        },
        compute_units=device.max_compute_units,
        max_work_group_size=device.max_work_group_size,
        local_mem_bytes=device.local_mem_size,
        global_mem_bytes=device.global_mem_size,
        max_alloc_bytes=device.max_mem_alloc_size,
        has_fp64="cl_khr_fp64" in device.extensions,
        native_vector_floats=_native_floats(device),
        quirks=_quirks(platform, device),
        capabilities=_capabilities(device),
        pci_address=pci_address(device) if kind == "gpu" and not on_cpu else "",
        pyopencl_version=cl.VERSION_TEXT,
        library_path=str(library or ""),
        answered_by=str(answering) if answering and answering != library else "",
        kernel=host_kernel(is_cpu=on_cpu),
    )


def _native_floats(device: Any) -> int:
    try:
        return int(device.native_vector_width_float)
    except cl.Error:  # a driver that does not tell
        return 0


def _quirks(platform: Any, device: Any) -> tuple[str, ...]:
    quirks = []
    if platform.name == "Clover":
        quirks += [
            ABORTS_ON_VECTOR_LOADS,
            ABORTS_ON_ATOMICS,
            ABORTS_ON_HALVES,
            ABORTS_ON_IMAGES,
            ABORTS_ON_POINTER_RESULTS,
            FORGETS_ARGUMENTS,
        ]
    if "llvmpipe" in device.name:
        quirks.append("stops-after-65535-loop-iterations")
    versions = [
        quirk
        for quirk, known in _OF_VERSIONS.items()
        if any(name in platform.name and device.driver_version.startswith(version) for name, version in known)
    ]
    return (*quirks, *versions)


def _capabilities(device: Any) -> tuple[str, ...]:
    """OpenCL's names of what the device has; what it does not tell it has not."""
    has = {
        "out_of_order": bool(device.queue_properties & cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE),
        "fill": not device.version.startswith(("OpenCL 1.0 ", "OpenCL 1.1 ")),
        "svm": _has_svm(device),
        "images": bool(device.image_support),
    }
    extensions = device.extensions.split()
    return (
        *(name for need, name in CAPABILITIES.items() if has[need]),
        *(name for name in EXTENSIONS if name in extensions),
    )


def _has_svm(device: Any) -> bool:
    if device.version.startswith("OpenCL 1."):
        return False
    try:
        return bool(device.svm_capabilities & cl.device_svm_capabilities.COARSE_GRAIN_BUFFER)
    except cl.Error:
        return False


def _cpu() -> str:
    """CPU model and the number of cores this process may use."""
    model = host_platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = " ".join(line.split(":", 1)[1].split())
                break
    except OSError:
        pass
    return f"{model} x {len(os.sched_getaffinity(0))}"


def _bare(name: str) -> str:
    """A GPU's name without the driver's text in parentheses."""
    return " ".join(re.sub(r"\([^)]*\)", "", name).split()) or name
