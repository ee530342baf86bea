"""Level 0 as a bound: what a device was measured to do, kept for the runs that follow, and of whom it speaks. Pure.

It only ever takes room away: where no peak speaks of a device, what silicon could do at most is the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pytest_weekops.core.measurement.peak import PeakResult
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record
from pytest_weekops.core.units import RESULTS_ONLY, SHIPPED_UNITS

MOST_AGE_DAYS = 90
MOST_OTHERS_PERCENT = 20.0  # of the CPUs' time, while a CPU was measured: beside more it cannot show what it can do
# A healthy driver is never beyond so many times its measured peak. Compilers serve one kernel better than another,
# clocks rise, and shares of a host are given back: seen was a quarter. A GPU's clock may have been held down meanwhile.
CPU_ALLOWANCE, OTHER_ALLOWANCE = 4.0, 8.0
LARGER = 2.0  # a launch that moves twice what a copy of level 0 did is in no cache that the copy was not in
ARITHMETIC = "arithmetic_float"
MEMORY = ("memory_copy", "memory_triad", "memory_strided", "memory_gather")
_OF_OURS = ("OCL_ICD_VENDORS",)  # how a worker is led to a driver

Text = Annotated[str, StringConstraints(max_length=1000)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PeakRecord(Record):
    """What level 0 found of one device and driver, as a bound on later runs of the very same ones.

    ``gflops`` is the fastest batch of float arithmetic and ``gbs`` that of the fastest way through global memory, each
    verified; ``nbytes`` is what one launch of the largest of these moved. None where it was not measured.
    ``others_percent`` is how much of the CPUs' time other programs, and other machines on its host, had meanwhile, of a
    CPU.
    """

    type: Literal["peak"] = "peak"
    platform: Text
    platform_name: Text
    driver_version: Text = ""
    library_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    host: Text
    hardware: Text
    device_name: Text
    compute_units: int = Field(ge=0, strict=True)
    environment: dict[Text, Text] = Field(default_factory=dict, max_length=200)
    made_at: datetime
    others_percent: float | None = Field(default=None, ge=0, le=100)
    gflops: Amount | None = None
    gbs: Amount | None = None
    nbytes: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.made_at.tzinfo is None:
            raise ValueError("made_at has no time zone")
        if self.gflops is None and self.gbs is None:
            raise ValueError("neither arithmetic nor memory was measured, so that nothing is bounded")
        if self.gbs is not None and not self.nbytes > 0:
            raise ValueError("how much a launch moved is not stated, so that its caches are not known")
        return self

    @property
    def key(self) -> tuple[str, ...]:
        """Host, device and driver: what it is a peak of."""
        return _key(self)


def _key(who: PeakRecord | DeviceIdentity) -> tuple[str, ...]:
    set_up = (f"{name}={value}" for name, value in sorted(who.environment.items()) if name not in _OF_OURS)
    return who.host, who.hardware, who.device_name, str(who.compute_units), who.library_sha256, *set_up


def peak_record(
    identity: DeviceIdentity | None,
    items: Sequence[PeakResult],
    made_at: datetime,
    others_percent: float | None = None,
) -> PeakRecord:
    """What level 0 found, as a bound. Raises ``ValueError`` with a clause where it cannot be one."""
    if identity is None:
        raise ValueError("its driver did not come up")
    if identity.is_cpu and not (others_percent is not None and others_percent <= MOST_OTHERS_PERCENT):
        told = "how much is not known" if others_percent is None else f"{others_percent:.0f} % of the CPUs"
        raise ValueError(f"other programs ran meanwhile, {told}, and {MOST_OTHERS_PERCENT:g} % are the most")
    best = {item.name: item.best for item in items if item.status == "ok" and not item.reason and item.best}
    moved = {item.name: item.each for item in items if item.name in MEMORY and item.name in best}
    if ARITHMETIC not in best and not moved:
        raise ValueError(f"neither {ARITHMETIC} nor any of {', '.join(MEMORY)} was measured and right")
    return PeakRecord(
        platform=identity.profile,
        platform_name=identity.platform_name,
        driver_version=identity.driver_version,
        library_sha256=identity.library_sha256,
        host=identity.host,
        hardware=identity.hardware,
        device_name=identity.device_name,
        compute_units=identity.compute_units,
        environment=identity.environment,
        made_at=made_at,
        others_percent=others_percent if identity.is_cpu else None,
        gflops=best.get(ARITHMETIC),
        gbs=max((best[name] for name in moved), default=None),
        nbytes=max(moved.values(), default=0.0),
    )


def not_of(peak: PeakRecord, identity: DeviceIdentity, now: datetime | None) -> str:
    """Why a peak bounds nothing of a device at that time, or nothing. Where the time is not known it does not age."""
    if (peak.host, peak.hardware, peak.device_name) != (identity.host, identity.hardware, identity.device_name):
        return f"it was measured on another device, {peak.device_name} in {peak.host} ({peak.hardware})"
    if peak.library_sha256 != identity.library_sha256:
        return f"it was measured with another driver, {peak.driver_version or peak.library_sha256[:12]}"
    if peak.key != _key(identity):
        return "it was measured with the driver set up otherwise, by its environment or its compute units"
    days = (now - peak.made_at).total_seconds() / 86400.0 if now is not None else 0.0
    if days < -1:
        return f"it is dated {peak.made_at:%Y-%m-%d}, which is yet to come"
    return f"it is {days:.0f} days old, and {MOST_AGE_DAYS} are the most" if days > MOST_AGE_DAYS else ""


def most_beyond_peak(
    peak: PeakRecord, operation: str, bytes_moved: float, *, is_cpu: bool
) -> tuple[float | None, float | None]:
    """Float operations and bytes per nanosecond that no healthy driver goes beyond, None where the peak does not say.

    It speaks of shipped operations, whose work is known: in float arithmetic where that is what they are counted in, of
    memory where a launch moves more than any cache held while the peak was measured.
    """
    allowance, unit = CPU_ALLOWANCE if is_cpu else OTHER_ALLOWANCE, SHIPPED_UNITS.get(operation)
    if unit is None or operation in RESULTS_ONLY:
        return None, None
    flops = peak.gflops * allowance if unit == "GFLOPS" and peak.gflops is not None else None
    is_large = bytes_moved >= LARGER * peak.nbytes > 0
    return flops, peak.gbs * allowance if unit == "GB/s" and peak.gbs is not None and is_large else None
