"""CPU time that the hypervisor took from this host, between two looks."""

from __future__ import annotations

from pathlib import Path

_STEAL_FIELD = 7  # of the numbers after "cpu" in /proc/stat (proc(5)): user nice system idle iowait irq softirq steal


def _look() -> tuple[int, int] | None:
    """Jiffies (stolen, all) since boot, or None where the host does not tell."""
    try:
        numbers = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]]
        return numbers[_STEAL_FIELD], sum(numbers[: _STEAL_FIELD + 1])
    except (OSError, ValueError, IndexError):
        return None


class StealMeter:
    """Starts on creation; :meth:`percent` tells the share of CPU time stolen since."""

    def __init__(self) -> None:
        self._start = _look()

    def percent(self) -> float | None:
        """Stolen share of all CPU time since the start, in percent; None where unknown."""
        now = _look()
        if now is None or self._start is None or now[1] <= self._start[1]:
            return None
        return round(100.0 * (now[0] - self._start[0]) / (now[1] - self._start[1]), 3)
