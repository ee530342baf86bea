"""The static choice behind ``auto``: which variant suits this device and this shape. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_weekops.core.catalog import KernelEntry, device_class
from pytest_weekops.core.modes import CONTROLLED_KERNELS
from pytest_weekops.core.records import DeviceIdentity

PACKING_PAYS_FROM = 96  # below this edge the pre-kernels cost more than they save
_ORDER = {
    "gpu": ("tile24", "tile20", "block", "scalar"),
    "small": ("block", "scalar"),
    "large": ("packed", "block", "scalar"),
    "lanes": ("lanes", "block", "scalar"),
}


def usable(entry: KernelEntry, identity: DeviceIdentity) -> str:
    """Why a variant cannot run on a device, or nothing."""
    if entry.needs.work_group_size > identity.max_work_group_size:
        allowed = identity.max_work_group_size
        return f"needs {entry.needs.work_group_size} work-items per group, the device allows {allowed}"
    if entry.needs.local_mem_bytes > identity.local_mem_bytes:
        return f"needs {entry.needs.local_mem_bytes} bytes of local memory, the device has {identity.local_mem_bytes}"
    if entry.needs.fp64 and not identity.has_fp64:
        return "needs double precision, which the device lacks"
    return ""


def choose_variant(
    mode: str, identity: DeviceIdentity, m: int, n: int, k: int, entries: Mapping[str, KernelEntry]
) -> KernelEntry:
    """The variant behind a kernel mode. Raises ``KeyError`` for an unknown mode, ``ValueError`` for an unusable one."""
    if mode not in ("auto", *CONTROLLED_KERNELS):
        entry = entries[mode]
        if reason := usable(entry, identity):
            raise ValueError(f"variant {mode} {reason}")
        return entry
    kind = device_class(identity)
    if kind == "gpu":
        order = _ORDER["gpu"]
    elif min(m, n, k) < PACKING_PAYS_FROM:
        order = _ORDER["small"]
    else:
        order = _ORDER["lanes" if kind in ("llvmpipe", "clover") else "large"]
    for name in order:
        if name in entries and not usable(entries[name], identity):
            return entries[name]
    raise ValueError("no variant of the catalogue can run on this device")
