"""The static choice behind ``auto``: which variant suits this device and this shape. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_weekops.core.measurement.catalog import GPU_CLASSES, KernelEntry, device_class
from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS
from pytest_weekops.core.measurement.needs import lacking, needs_of
from pytest_weekops.core.measurement.records import DeviceIdentity

PACKING_PAYS_FROM = 96  # below this edge the pre-kernels cost more than they save
LARGE_TILES_PAY_FROM = 768  # below this edge groups of thousands of outputs are too few for a GPU
# Behind the tiles a GPU takes what needs no local memory and still loads neighbouring words: never one item per group.
_ORDER = {
    "gpu": ("regtile", "lanes", "tile24", "tile20", "scalar"),
    "tiles": ("tile24", "tile20", "lanes", "scalar"),
    "tiles-of-20": ("tile20", "tile24", "lanes", "scalar"),
    "small": ("block", "scalar"),
    "large": ("packed", "block", "scalar"),
    "lanes": ("lanes", "block", "scalar"),
}


def usable(entry: KernelEntry, identity: DeviceIdentity) -> str:
    """Why a variant cannot run on a device, or nothing."""
    allowed = identity.max_work_group_size
    # How many lanes and lines of items a group has depends on the class of device.
    defines = entry.defines_for(device_class(identity))
    needed = max(entry.needs.work_group_size, defines.get("LANES", 1) * defines.get("LINES", 1))
    if needed > allowed:
        return f"needs {needed} work-items per group, the device allows {allowed}"
    if entry.needs.local_mem_bytes > identity.local_mem_bytes:
        return f"needs {entry.needs.local_mem_bytes} bytes of local memory, the device has {identity.local_mem_bytes}"
    return aborts(entry, identity)


def aborts(entry: KernelEntry, identity: DeviceIdentity) -> str:
    """Why a variant is not even tried on a driver that is known for what it does then; or nothing.

    Its compiler takes the process down, or this very version is known to be wrong, or the device lacks a capability.
    """
    return lacking(needs_of(entry.mode, entry.needs), identity)


def worth_trying(entry: KernelEntry, identity: DeviceIdentity) -> bool:
    """Whether T3 should meet a variant on a device at all: it can run there, and was made for its kind."""
    kind = "gpu" if device_class(identity) in GPU_CLASSES else "cpu"
    return entry.made_for in ("any", kind) and not usable(entry, identity)


def auto_variants(identity: DeviceIdentity, entries: Mapping[str, KernelEntry]) -> tuple[str, ...]:
    """The variants that ``auto`` may take on a device, whatever the shape."""
    kind = device_class(identity)
    orders: tuple[str, ...] = ("small", "lanes" if kind in ("llvmpipe", "clover") else "large")
    if kind in GPU_CLASSES:
        orders = ("tiles", "tiles-of-20") if kind == "polaris" else ("gpu", "tiles")
    names = dict.fromkeys(name for order in orders for name in _ORDER[order])
    return tuple(name for name in names if name in entries and not usable(entries[name], identity))


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
    if kind == "polaris":
        # Multiples of 20 leave tile20 no group that works on padding; elsewhere the larger tile reads less.
        order = _ORDER["tiles-of-20" if m % 20 == n % 20 == 0 else "tiles"]
    elif kind in GPU_CLASSES:
        order = _ORDER["gpu" if min(m, n) >= LARGE_TILES_PAY_FROM else "tiles"]
    elif min(m, n, k) < PACKING_PAYS_FROM:
        order = _ORDER["small"]
    else:
        order = _ORDER["lanes" if kind in ("llvmpipe", "clover") else "large"]
    for name in order:
        if name in entries and not usable(entries[name], identity):
            return entries[name]
    raise ValueError("no variant of the catalogue can run on this device")
