"""The host around and during measurements: anchors at their ends, its pace between them, and what Linux tells.

The anchor is a fixed host SGEMM that tells a slow host from a slow driver; fixed work quanta tell when it became slow.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import WorkerError
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.pace import session_paces
from pytest_weekops.core.measurement.records import SessionSamples
from pytest_weekops.run.device_sensors import DeviceWatch, sensors_of
from pytest_weekops.run.witnesses import Witnesses
from pytest_weekops.worker.load import LoadMeter
from pytest_weekops.worker.protocol import Quanta

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.policy.policy import HostRules
    from pytest_weekops.worker.host import HostWorker

SETTLE_S = 20.0
STILL_NOW_S = 1.0


@dataclass
class Anchors:
    """Anchors taken on one host, in milliseconds."""

    host: HostWorker
    _last: tuple[float, float] | None = None  # (monotonic seconds, milliseconds)

    def now(self, *, fresh: bool = False) -> float:
        """Milliseconds of the anchor; one of under a second ago is still now, unless it must be ``fresh``."""
        if not fresh and self._last is not None and time.monotonic() - self._last[0] < STILL_NOW_S:
            return self._last[1]
        value = self.host.anchor()
        self._last = (time.monotonic(), value)
        return value

    def forget(self) -> None:
        """Something else kept the host busy: the last anchor says nothing about what comes next."""
        self._last = None

    def settle(self, rules: HostRules) -> None:
        """Wait, at most :data:`SETTLE_S`, until two anchors in a row agree: measuring again at once is void again."""
        ends = time.monotonic() + SETTLE_S
        last = self.now(fresh=True)
        while time.monotonic() < ends:
            time.sleep(1.0)
            now = self.now(fresh=True)
            if 100.0 * abs(now / last - 1.0) <= rules.max_anchor_change_percent / 2:
                return
            last = now


class HostWatch:
    """Watches the host from its making to :meth:`end`, around one measurement.

    ``with_pace`` runs fixed work quanta meanwhile; of a device that is not the host's CPU they would tell nothing.
    Where they cannot run, the anchors are left. ``device`` is whose sensors are looked at, where it has some.
    """

    def __init__(self, anchors: Anchors, *, with_pace: bool, device: DeviceIdentity | None = None) -> None:
        self._anchors = anchors
        self._before = anchors.now()
        self._watching = with_pace and self._begin()
        self._witnesses = Witnesses()
        self._load = LoadMeter()
        self._device = DeviceWatch(sensors_of(device.pci_address) if device is not None else None)

    def end(self, sessions: Sequence[SessionSamples]) -> HostCondition:
        """What was seen, with the pace of each of the sessions that were measured meanwhile."""
        device, seen, others = self._device.end(), self._witnesses.seen(), self._load.percent()
        quanta = self._end() if self._watching else Quanta()
        return HostCondition(
            anchor_before_ms=self._before,
            anchor_after_ms=self._anchors.now(fresh=True),
            others_percent=others,
            **asdict(seen),
            device=device,
            paces=session_paces(quanta.start_ns, quanta.cpu_ns, sessions),
        )

    def _begin(self) -> bool:
        try:
            self._anchors.host.begin_quanta()
        except WorkerError:
            return False
        return True

    def _end(self) -> Quanta:
        try:
            return self._anchors.host.end_quanta()
        except WorkerError:
            return Quanta()
