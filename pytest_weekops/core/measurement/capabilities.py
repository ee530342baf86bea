"""What a device can do that not every one can, and what it lost of that with another driver."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from pytest_weekops.core.measurement.catalog import ABORTS_ON_IMAGES, CAPABILITIES, DOUBLES
from pytest_weekops.core.measurement.expectation import MOST_EXPECTATIONS, DriverName
from pytest_weekops.core.measurement.known_test import Words, a_day
from pytest_weekops.core.measurement.needs import told_of
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record, as_record
from pytest_weekops.core.units import IMAGE

# Extensions that programs rest on; a device that has one says so by this name, in every version of OpenCL.
EXTENSIONS = (
    DOUBLES,
    "cl_khr_fp16",
    "cl_khr_int64_base_atomics",
    "cl_khr_3d_image_writes",
    "cl_khr_subgroups",
)
# The shipped kernels that cannot run without a capability, as their catalogue has it.
NEEDED_BY: dict[str, tuple[str, ...]] = {
    CAPABILITIES["out_of_order"]: ("queue_out_of_order",),
    CAPABILITIES["fill"]: ("queue_fill",),
    CAPABILITIES["svm"]: ("queue_svm",),
    CAPABILITIES["images"]: IMAGE,
    DOUBLES: ("double", "double_fma"),
}
_SPOILS = {ABORTS_ON_IMAGES: CAPABILITIES["images"]}


class InServiceRecord(Record):
    """The driver that the last promoted run of a platform was measured with, where its files are at hand.

    ``run_id`` is that run's; what the driver under test can do is held against ``identity``.
    """

    type: Literal["in_service"] = "in_service"
    platform: str
    run_id: str
    identity: DeviceIdentity


class KnownLoss(Record):
    """A capability (OpenCL's name for it) that one driver is known to lack; ``expires`` is the last day."""

    driver: DriverName
    capability: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$")]
    reason: Words
    owner: Words
    expires: Annotated[date, BeforeValidator(a_day)]

    @property
    def words(self) -> str:
        """Until when, why, and whose it is."""
        return f"expected until {self.expires} ({self.reason}; {self.owner})"


class KnownLosses(Record):
    """All of one file's."""

    capabilities: Annotated[tuple[KnownLoss, ...], Field(max_length=MOST_EXPECTATIONS)] = ()

    @field_validator("capabilities")
    @classmethod
    def _each_once(cls, value: tuple[KnownLoss, ...]) -> tuple[KnownLoss, ...]:
        seen: list[tuple[DriverName, str]] = []
        for one in value:
            if (one.driver, one.capability) in seen:
                raise ValueError(f"{one.driver.profile} {one.capability} stands there twice; it is lost once")
            seen.append((one.driver, one.capability))
        return value


def parse_known_losses(data: Any, source: str) -> tuple[KnownLoss, ...]:
    """Validate what stands under ``capabilities``. Raises ``PolicyError`` that names file, key and value."""
    why = "An expectation that is not understood could excuse another loss."
    return as_record(KnownLosses, {"capabilities": data}, what="Expectations", source=source, why=why).capabilities


def capabilities_of(identity: DeviceIdentity) -> frozenset[str]:
    """OpenCL's names of what a device has; none of one whose record is from before they were kept."""
    return _usable(identity) if identity.capabilities else frozenset()


def lost(before: DeviceIdentity, after: DeviceIdentity) -> tuple[str, ...]:
    """What the one has and the other lacks, by name."""
    return tuple(sorted(capabilities_of(before) - _usable(after)))


def _usable(identity: DeviceIdentity) -> frozenset[str]:
    """All that a record tells of, but for what the driver says it has and is known to abort on."""
    return frozenset(told_of(identity) - {name for quirk, name in _SPOILS.items() if quirk in identity.quirks})
