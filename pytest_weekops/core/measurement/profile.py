"""Platform profiles: named ways to reach one driver, parsed strictly. Pure; ``platforms`` finds the files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from pytest_weekops.core.measurement.plan import deadline_phases
from pytest_weekops.core.patterns import pattern_problem
from pytest_weekops.core.record import Record, as_record


class Profile(Record):
    """One way to reach one driver. Patterns are regular expressions, searched without regard to case.

    ``deadlines`` are seconds by phase (``first-build: 900``), for a driver that needs more than the usual.
    """

    platform_name: str | None = None
    platform_vendor: str | None = None
    platform_version: str | None = None
    device_types: tuple[Literal["gpu", "cpu", "accelerator"], ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    icds: tuple[str, ...] = ()
    library_path: tuple[str, ...] = ()
    missing: str = ""
    deadlines: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)

    @field_validator("deadlines")
    @classmethod
    def _is_phase(cls, value: dict[str, float]) -> dict[str, float]:
        if strange := sorted(set(value) - set(deadline_phases())):
            raise ValueError(f"{', '.join(strange)} is no phase; known: {', '.join(deadline_phases())}")
        return value

    @field_validator("platform_name", "platform_vendor", "platform_version")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None and (problem := pattern_problem(value)):
            raise ValueError(f"is no regular expression: {problem}")
        return value


class Profiles(Record):
    """All profiles of one file, and the order in which ``auto`` tries them."""

    version: Literal[1]
    profiles: dict[str, Profile] = Field(default_factory=dict)
    auto: tuple[str, ...] = ()


def parse_profiles(data: Any, source: str) -> Profiles:
    """Validate a parsed platform file. Raises ``PolicyError`` that names file, key and value."""
    why = "A profile that is not understood could reach the wrong driver."
    return as_record(Profiles, data, what="Platform file", source=source, why=why)
