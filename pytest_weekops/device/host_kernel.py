"""What lies below a driver: the kernel, its driver for the device, firmware. What the host does not tell is absent."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_weekops.core.measurement.records import HostKernel

_NVIDIA_FIRMWARE = ("GPU Firmware", "Video BIOS")


def host_kernel(*, is_cpu: bool, root: Path = Path("/")) -> HostKernel:
    """The kernel below a CPU's driver, with its microcode; or below a GPU's, with each graphics driver that is there.

    ``root`` is where ``proc`` and ``sys`` lie.
    """
    release = os.uname().release
    if is_cpu:
        microcode = _cpu_fact(root, "microcode")
        return HostKernel(release=release, firmware={"microcode": microcode} if microcode else {})
    drivers, firmware = _nvidia(root)
    for card in sorted((root / "sys/class/drm").glob("card[0-9]*/device")):
        name = _link_name(card / "driver")
        if name:
            drivers.setdefault(name, _module_version(root, name))
            firmware |= {f"{name} {key}": value for key, value in _card_firmware(card).items()}
    return HostKernel(release=release, drivers=drivers, firmware=firmware)


def _nvidia(root: Path) -> tuple[dict[str, str], dict[str, str]]:
    """NVIDIA's module has a place of its own, in containers, too."""
    words = _text(root / "proc/driver/nvidia/version").split()
    drivers = {"nvidia": next((w for w in words if w[:1].isdigit() and "." in w), "")} if words else {}
    firmware: dict[str, str] = {}
    for information in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        for line in _text(information).splitlines():
            key, _, value = line.partition(":")
            if key.strip() in _NVIDIA_FIRMWARE and value.strip():
                firmware[f"{information.parent.name} {key.strip()}"] = value.strip()
    return drivers, firmware


def _module_version(root: Path, name: str) -> str:
    """A module's version; modules of the kernel itself have none, and a hash of their source instead."""
    module = root / "sys/module" / name
    return _text(module / "version") or _text(module / "srcversion")


def _card_firmware(card: Path) -> dict[str, str]:
    files = [card / "vbios_version", *sorted((card / "fw_version").glob("*"))]
    return {path.name: text for path in files if (text := _text(path))}


def _cpu_fact(root: Path, name: str) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _link_name(path: Path) -> str:
    try:
        return path.readlink().name
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
