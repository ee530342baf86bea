"""What a GPU's own sensors told while something was measured on it."""

from __future__ import annotations

from pydantic import Field

from pytest_weekops.core.record import Record


class DeviceCondition(Record):
    """Looks at a GPU's sensors during one measurement, several a second; None is what nothing tells.

    ``least_clock_mhz`` and ``most_clock_mhz`` bound the graphics clock that was seen, ``most_temperature_c`` is in
    degrees Celsius. ``slowed_by`` names what the driver said held the clock down in any of the looks: ``power``,
    ``heat``, ``hardware``, ``settings`` or ``sync``; empty where nothing did. ``processes`` is the most processes that
    had the device open at once, those of the gate among them.
    """

    looks: int = Field(ge=1)
    least_clock_mhz: float | None = None
    most_clock_mhz: float | None = None
    most_temperature_c: float | None = None
    slowed_by: tuple[str, ...] | None = None
    processes: int | None = None
