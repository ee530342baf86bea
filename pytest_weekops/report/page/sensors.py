"""What a GPU's sensors told in the measurements of a cell, in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_weekops.core.measurement.device_condition import DeviceCondition


def sensors_line(seen: Sequence[DeviceCondition]) -> str:
    """Clock, temperature, what slowed it and how often, and how many processes used it; empty where nobody looked."""
    if not seen:
        return ""
    clocks = [mhz for each in seen for mhz in (each.least_clock_mhz, each.most_clock_mhz) if mhz is not None]
    heats = [each.most_temperature_c for each in seen if each.most_temperature_c is not None]
    reasons = [each.slowed_by for each in seen if each.slowed_by is not None]
    users = [each.processes for each in seen if each.processes is not None]
    slowed = Counter(name for found in reasons for name in found)
    words = [
        f"clock {min(clocks):.0f} to {max(clocks):.0f} MHz" if clocks else "",
        f"at most {max(heats):.0f} °C" if heats else "",
        ", ".join(f"slowed by {name} in {count} of {len(reasons)} measurements" for name, count in slowed.items()),
        "slowed by nothing that it tells" if reasons and not slowed else "",
        f"at most {max(users)} processes at once" if users else "",
    ]
    return f"The device's sensors: {'; '.join(filter(None, words)) or 'they tell nothing'}."
