"""The anchor over a run: a fixed host SGEMM that tells a slow host from a slow driver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.core.policy import HostRules
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
