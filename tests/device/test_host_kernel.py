"""What a host tells of the kernel below a driver, from trees as real hosts have them."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_weekops.device.host_kernel import host_kernel


def plant(root: Path, files: dict[str, str]) -> Path:
    """Files below a root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_cpu_stands_on_the_kernel_and_its_microcode(tmp_path: Path) -> None:
    """A graphics driver beside it has no part in it."""
    plant(tmp_path, {"proc/cpuinfo": "processor\t: 0\nmicrocode\t: 0xa1\n\nprocessor\t: 1\nmicrocode\t: 0xa1\n"})
    plant(tmp_path, {"proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54  Thu\n"})
    found = host_kernel(is_cpu=True, root=tmp_path)
    assert (found.release, found.drivers, found.firmware) == (os.uname().release, {}, {"microcode": "0xa1"})


def test_what_is_not_told_is_absent(tmp_path: Path) -> None:
    """No guesses."""
    for is_cpu in (True, False):
        found = host_kernel(is_cpu=is_cpu, root=tmp_path)
        assert (found.drivers, found.firmware) == ({}, {})


def test_nvidia_tells_its_module_and_firmware(tmp_path: Path) -> None:
    """Both lines that its module has had for its version."""
    gpu = "proc/driver/nvidia/gpus/0000:3b:00.0/information"
    plant(
        tmp_path, {gpu: "Model: \t\t NVIDIA H100\nVideo BIOS: \t 96.00.89\nGPU Firmware: \t 550.54.15\nGPU UUID: x\n"}
    )
    for line in (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 12\n",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder@U16)\n",
    ):
        plant(tmp_path, {"proc/driver/nvidia/version": line})
        found = host_kernel(is_cpu=False, root=tmp_path)
        assert found.drivers == {"nvidia": "550.54.15"}
        assert found.firmware == {
            "0000:3b:00.0 Video BIOS": "96.00.89",
            "0000:3b:00.0 GPU Firmware": "550.54.15",
        }


def test_a_module_of_the_kernel_itself_tells_its_source(tmp_path: Path) -> None:
    """It has no version of its own; one without either is named all the same."""
    device = "sys/class/drm/card0/device"
    plant(tmp_path, {f"{device}/vbios_version": "113-D00\n", f"{device}/fw_version/mec_fw_version": "0x2b\n"})
    plant(tmp_path, {"sys/module/amdgpu/srcversion": "ABCDEF\n", "sys/class/drm/card1/device/vendor": "0x8086"})
    (tmp_path / device / "driver").symlink_to("../../../bus/pci/drivers/amdgpu")
    (tmp_path / "sys/class/drm/card1/device/driver").symlink_to("../../../bus/pci/drivers/i915")
    found = host_kernel(is_cpu=False, root=tmp_path)
    assert found.drivers == {"amdgpu": "ABCDEF", "i915": ""}
    assert found.firmware == {"amdgpu vbios_version": "113-D00", "amdgpu mec_fw_version": "0x2b"}
