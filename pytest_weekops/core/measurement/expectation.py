"""Known faults of drivers, each of one driver and one cell or gate: a reason, an owner, and a day on which it ends."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from pytest_weekops.core.measurement.records import Case, DeviceIdentity, GateFault, Measurement, Phase
from pytest_weekops.core.record import Record, as_record

MOST_EXPECTATIONS = 200
_CELL = re.compile(r"[^\s:@]+:[1-9][0-9]{0,6}")
_PROBLEM = re.compile(r"[^\s:@]+(@[1-9][0-9]{0,6}(x[1-9][0-9]{0,6}){2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_Text = Annotated[str, Field(min_length=1, max_length=300)]


class DriverName(Record):
    """Exactly which driver: the label it is measured under, and its version, its library's SHA-256, or both."""

    profile: _Text
    driver_version: _Text | None = None
    library_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @model_validator(mode="after")
    def _is_one_driver(self) -> Self:
        if self.driver_version is None and self.library_sha256 is None:
            raise ValueError("needs driver_version or library_sha256: another driver of this profile has other faults")
        return self

    def is_of(self, identity: DeviceIdentity | None) -> bool:
        """Whether that is the driver that answered; never where nobody did."""
        return (
            identity is not None
            and self.profile == identity.profile
            and self.driver_version in (None, identity.driver_version)
            and self.library_sha256 in (None, identity.library_sha256)
        )


class Expectation(Record):
    """A fault that a driver is known to have in one cell (``case``: ``kernel:size``); the day ``expires`` is the last.

    With ``gate`` it is one of the canonical tier, and ``case`` is a kernel there, or one at one shape:
    ``kernel@5x3x1``. ``kind`` is the status that its measurements end with. A crash or a hang is known with its
    ``phase``; of the other kinds any phase will do where none is stated.
    """

    driver: DriverName
    case: _Text
    gate: Literal["odd-shapes", "any-shape"] | None = None
    kind: Literal["wrong", "build_failed", "launch_failed", "crashed", "hung"]
    phase: Phase | None = None
    reason: _Text
    owner: _Text
    expires: date

    @field_validator("reason", "owner")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip() or not text.isprintable():
            raise ValueError("must say something, in one line: whoever reads the verdict reads it")
        return text

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> date:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
        raise ValueError("must be a day such as 2026-12-31")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if self.gate is None and not _CELL.fullmatch(self.case):
            raise ValueError("case must be one cell such as auto:2048, or one kernel of the gate that is named")
        if self.gate is not None and not _PROBLEM.fullmatch(self.case):
            raise ValueError("case of a gate must be one kernel such as packed, or at one shape, packed@5x3x1")
        return self

    @model_validator(mode="after")
    def _has_its_phase(self) -> Self:
        if self.kind in ("crashed", "hung") and self.phase is None:
            raise ValueError(f"needs its phase: a driver that {self.kind} elsewhere has another fault")
        return self

    def is_about(self, case: Case, identity: DeviceIdentity | None) -> bool:
        """Whether it speaks of this case on the driver that answered."""
        return case.row == self.case and self.driver.is_of(identity)

    def is_of(self, measurement: Measurement) -> bool:
        """Whether a measurement ended with exactly this fault."""
        return (
            self.is_about(measurement.case, measurement.identity)
            and measurement.status.value == self.kind
            and self.phase in (None, measurement.phase)
            and not (measurement.void or measurement.flaky)
        )

    def is_of_gate(self, fault: GateFault) -> bool:
        """Whether a kernel failed in its gate with exactly this fault, and with nothing besides."""
        return (
            self.covers(f"{fault.kernel}@{fault.shape}")
            and fault.kind.value == self.kind
            and self.phase in (None, fault.phase)
            and not fault.besides
        )

    def covers(self, problem: str) -> bool:
        """Whether a problem of its gate, ``kernel@shape``, is of the kernel or the shape that it names."""
        return self.gate is not None and self.case in (problem, problem.rpartition("@")[0])

    @property
    def fault(self) -> str:
        """The fault in two or three words."""
        return f"{self.kind} in {self.phase.value}" if self.phase is not None else self.kind

    @property
    def words(self) -> str:
        """The fault, until when it is expected, why, and whose it is."""
        return f"{self.fault}, expected until {self.expires} ({self.reason}; {self.owner})"


class Expectations(Record):
    """All of one file."""

    version: Literal[1]
    expectations: Annotated[tuple[Expectation, ...], Field(max_length=MOST_EXPECTATIONS)] = ()

    @field_validator("expectations")
    @classmethod
    def _each_once(cls, value: tuple[Expectation, ...]) -> tuple[Expectation, ...]:
        seen: list[tuple[DriverName, str, str | None]] = []
        for one in value:
            if (one.driver, one.case, one.gate) in seen:
                raise ValueError(f"{one.driver.profile} {one.case} stands there twice; a cell has one fault or none")
            seen.append((one.driver, one.case, one.gate))
        return value


def parse_expectations(data: Any, source: str) -> Expectations:
    """Validate a parsed file. Raises ``PolicyError`` that names file, key and value."""
    why = "An expectation that is not understood could excuse another fault."
    return as_record(Expectations, data, what="Expectations", source=source, why=why)
