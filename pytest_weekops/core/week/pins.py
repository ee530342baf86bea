"""Pinned baselines as the ledger knows them: which device has one, by which record, and with which hash. Pure.

A device is meant by its silicon and its driver. Under another label, or with another number of CPUs, it is the same
device without the baseline that it had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_weekops.core.week.entry import PIN, RUN, Entry, run_entries

_CPUS = re.compile(r" x \d+$")
_SHORT_HASH = 16


@dataclass(frozen=True)
class Device:
    """What a pin says of its device; ``library`` is the hash of the driver's library, or its first digits."""

    profile: str
    hardware: str
    device_name: str = ""
    library: str = ""

    def is_same(self, other: Device) -> bool:
        """Whether profile and hardware are the same: what a pinned baseline speaks of."""
        return (self.profile, self.hardware) == (other.profile, other.hardware)

    def is_akin(self, other: Device) -> bool:
        """Whether it is the same driver on the same silicon, whatever its label and the number of its CPUs."""
        if _CPUS.sub("", self.hardware) != _CPUS.sub("", other.hardware):
            return False
        return self.profile == other.profile or self._has_driver_of(other)

    def _has_driver_of(self, other: Device) -> bool:
        named = self.device_name == other.device_name or not (self.device_name and other.device_name)
        length = min(len(self.library), len(other.library))
        return named and length >= _SHORT_HASH and self.library[:length] == other.library[:length]


@dataclass(frozen=True)
class Pin:
    """A pinned baseline: record ``seq``, its device, the run it is of, its hash, and who pinned it when.

    Without a hash it was never entered: ``seq`` is that of a run which was held against it.
    """

    seq: int
    at: str
    device: Device
    run_id: str
    sha256: str = ""
    by: str = ""


def pins_of(entries: Iterable[Entry]) -> tuple[Pin, ...]:
    """Every pin that was entered, oldest first."""
    return tuple(_pin(entry) for entry in entries if entry.kind == PIN)


def _pin(entry: Entry) -> Pin:
    body = entry.body
    device = Device(*(str(body.get(name, "")) for name in ("profile", "hardware", "device_name", "library_sha256")))
    run_id, sha256, by = (str(body.get(name, "")) for name in ("run_id", "baseline_sha256", "by"))
    return Pin(entry.seq, entry.recorded_at, device, run_id, sha256, by)


def pin_of(pins: Sequence[Pin], device: Device) -> Pin | None:
    """The pin in force for exactly this device: the last one."""
    return next((pin for pin in reversed(pins) if pin.device.is_same(device)), None)


def had_baseline(entries: Sequence[Entry], device: Device) -> Pin | None:
    """The baseline that a device has had, by its pin or by a run that was held against it; None where it had none.

    The device's own comes before that of the same driver under another label or with other CPUs.
    """
    known = [*_held_against(entries), *pins_of(entries)]
    own = pin_of(known, device)
    return own or next((pin for pin in reversed(known) if pin.device.is_akin(device)), None)


def _held_against(entries: Sequence[Entry]) -> Iterable[Pin]:
    """Baselines that runs were held against: those pinned before pins were entered are known by nothing else."""
    for run in run_entries(entry for entry in entries if entry.kind == RUN):
        for label, demand in run.baselines.items():
            library = run.drivers.get(label, "").rpartition(" ")[2]
            device = Device(label, run.hardware.get(label, ""), library=library)
            yield Pin(run.seq, run.created_at, device, str(dict(demand).get("run_id", "")))
