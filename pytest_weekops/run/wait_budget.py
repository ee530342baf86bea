"""What a run may spend on waiting for other programs, and whether a case that is void is measured again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import HostRules


class WaitBudget:
    """The policy's time for waiting: pauses of measurements, measurements that were void, settling between them."""

    def __init__(self, rules: HostRules) -> None:
        self._rules = rules
        self._left_s = 60.0 * rules.max_wait_minutes
        self._in_vain = False

    @property
    def of_attempt_s(self) -> float:
        """Seconds for which the attempt that comes next may wait."""
        return min(self._rules.max_wait_s, self._left_s)

    def spend(self, waited_s: float, elapsed_s: float, *, is_void: bool) -> None:
        """An attempt is over: it waited so long, and was all in vain where it is void."""
        allowed = self.of_attempt_s
        self._in_vain = 0 < allowed <= waited_s
        self._spent(elapsed_s if is_void else waited_s)

    @contextmanager
    def settling(self) -> Iterator[None]:
        """What is done inside is waiting."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent(time.monotonic() - began)

    def is_for(self, attempt: int) -> bool:
        """Whether a case that is void may have this attempt.

        Not behind one that waited as long as it may: the same case comes again in later snapshots, and they count as
        well.
        """
        return attempt <= self._rules.max_attempts and self._left_s > 0 and not self._in_vain

    def _spent(self, seconds: float) -> None:
        self._left_s = max(0.0, self._left_s - seconds)
