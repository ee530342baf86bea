"""A GPU's clock, temperature, what slows it, and who else uses it, while something is measured on it.

NVIDIA's through NVML and its binding ``nvidia-ml-py`` (the extra ``nvidia``), AMD's from the files of the amdgpu kernel
driver (the kernel's Documentation, gpu/amdgpu/thermal.rst); the device is found by its PCI address. A device that none
of them knows has no sensors, which is what its records say. Nothing here waits for the device or changes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_weekops.core.measurement.device_condition import DeviceCondition

_ROOT = Path("/")
_EVERY_S = 0.2
# Bits of NVML's reasons why a clock is lower than it could be; an idle device's is none. The names of its header
# begin with nvmlClocksThrottleReason, and with nvmlClocksEventReason from NVML 12.2 on.
_REASONS = {
    0x02: "settings",  # ApplicationsClocksSetting
    0x04: "power",  # SwPowerCap
    0x08: "hardware",  # HwSlowdown
    0x10: "sync",  # SyncBoost
    0x20: "heat",  # SwThermalSlowdown
    0x40: "heat",  # HwThermalSlowdown
    0x80: "power",  # HwPowerBrakeSlowdown
    0x100: "settings",  # DisplayClockSetting
}


@dataclass(frozen=True)
class Look:
    """One look at the sensors; None is what they do not tell."""

    clock_mhz: float | None = None
    temperature_c: float | None = None
    slowed_by: frozenset[str] | None = None
    processes: int | None = None


Sensors = Callable[[], Look]


@lru_cache(maxsize=16)
def sensors_of(pci_address: str, root: Path = _ROOT) -> Sensors | None:
    """How to look at the device at an address as ``0000:41:00.0``; None where nothing tells of it."""
    if not pci_address:
        return None
    return _nvml(pci_address) or _amdgpu(root / "sys/bus/pci/devices" / pci_address)


def _nvml(pci_address: str) -> Sensors | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByPciBusId(pci_address)
    except Exception:  # noqa: BLE001 - not installed, no NVIDIA driver, or another maker's device: no witness
        return None

    def told(ask: Callable[..., Any], *words: Any) -> Any:
        with suppress(pynvml.NVMLError):
            return ask(device, *words)
        return None

    def look() -> Look:
        clock = told(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_GRAPHICS)
        reasons = told(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons)
        users = told(pynvml.nvmlDeviceGetComputeRunningProcesses)
        return Look(
            clock_mhz=None if clock is None else float(clock),
            temperature_c=_float(told(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU)),
            slowed_by=None
            if reasons is None
            else frozenset(name for bit, name in _REASONS.items() if int(reasons) & bit),
            processes=None if users is None else len(users),
        )

    return look


def _amdgpu(device: Path) -> Sensors | None:
    clocks, heats = (sorted(device.glob(f"hwmon/hwmon*/{name}")) for name in ("freq1_input", "temp1_input"))
    if not clocks and not heats:
        return None

    def look() -> Look:
        hertz, milli = (_number(paths[0]) if paths else None for paths in (clocks, heats))
        return Look(
            clock_mhz=None if hertz is None else hertz * 1e-6, temperature_c=None if milli is None else milli * 1e-3
        )

    return look


def _number(path: Path) -> float | None:
    with suppress(OSError, ValueError):
        return float(path.read_text(encoding="ascii"))
    return None


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


class DeviceWatch:
    """Looks from its making to :meth:`end`, now and then, in a thread of its own; without sensors it does nothing."""

    def __init__(self, sensors: Sensors | None, every_s: float = _EVERY_S) -> None:
        self._sensors, self._every_s = sensors, every_s
        self._looks: list[Look] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True) if sensors is not None else None
        if self._thread is not None:
            self._thread.start()

    def end(self) -> DeviceCondition | None:
        """What was seen; None where there is nothing to look at. A last look is taken now."""
        if self._thread is None:
            return None
        self._over.set()
        self._thread.join(timeout=5.0)
        return condition(tuple(self._looks))

    def _watch(self) -> None:
        assert self._sensors is not None
        while True:
            try:
                self._looks.append(self._sensors())
            except Exception:  # noqa: BLE001 - a witness that fails is absent, and takes no run down
                return
            if self._over.wait(self._every_s):
                return


def condition(looks: Sequence[Look]) -> DeviceCondition | None:
    """What so many looks come to; None without any."""
    if not looks:
        return None
    clocks = _known(look.clock_mhz for look in looks)
    reasons = [look.slowed_by for look in looks if look.slowed_by is not None]
    return DeviceCondition(
        looks=len(looks),
        least_clock_mhz=min(clocks, default=None),
        most_clock_mhz=max(clocks, default=None),
        most_temperature_c=max(_known(look.temperature_c for look in looks), default=None),
        slowed_by=tuple(sorted(frozenset().union(*reasons))) if reasons else None,
        processes=max((look.processes for look in looks if look.processes is not None), default=None),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [round(value, 1) for value in values if value is not None]
