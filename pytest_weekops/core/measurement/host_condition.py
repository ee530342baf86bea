"""What is recorded of the host around one measurement and during it."""

from __future__ import annotations

from pydantic import Field

from pytest_weekops.core.measurement.device_condition import DeviceCondition
from pytest_weekops.core.record import Record


class SessionPace(Record):
    """How fast the host was during one session: fixed work quanta beside its launches, in CPU microseconds each."""

    session: int = Field(ge=1)
    quanta: int = Field(ge=1)
    mean_us: float
    median_us: float


class HostCondition(Record):
    """The host around one measurement and during it.

    The anchor SGEMM before and after (milliseconds), CPU time stolen (percent), CPU time that other programs had
    (``others_percent``, of all CPUs' time), and the pace of each session; no paces where the device is no CPU, or where
    nothing watched. ``throttled_percent`` is the share of all CPUs' time in which a quota of the gate's control group
    kept it from running, ``pressure_percent`` the share of the time in which some thread of the host was ready and had
    no CPU, ``thermal_events`` how often a core was slowed for its heat, ``cpu_mhz`` the CPUs' mean clock at the end.
    ``device`` is what a GPU's sensors told. None is what the host does not tell.
    """

    anchor_before_ms: float | None = None
    anchor_after_ms: float | None = None
    steal_percent: float | None = None
    others_percent: float | None = None
    throttled_percent: float | None = None
    pressure_percent: float | None = None
    thermal_events: int | None = None
    cpu_mhz: float | None = None
    device: DeviceCondition | None = None
    paces: tuple[SessionPace, ...] = ()
