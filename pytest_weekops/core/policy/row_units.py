"""A policy row's floor in the unit of the operation it speaks of; a floor in another unit never passes for one."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_weekops.core.policy.policy import Policy, Row
from pytest_weekops.core.units import FLOOR_OF_UNIT, Unit


def floor_of(row: Row | None, unit: Unit) -> float | None:
    """The least mean throughput that a row asks for, in that unit."""
    value: float | None = getattr(row, FLOOR_OF_UNIT[unit]) if row is not None else None
    return value


def misstated(row: Row | None, unit: Unit) -> str:
    """Which floor of a row is in another unit than the operation's, or nothing."""
    for other, name in FLOOR_OF_UNIT.items():
        if row is not None and other != unit and getattr(row, name) is not None:
            return f"the row states {name}, and this operation is judged in {unit}"
    return ""


def misstated_rows(policy: Policy, units: Mapping[str, Unit]) -> str:
    """A sentence where a row of a measured kernel mode states a floor in the wrong unit, or nothing."""
    wrong = [
        (key, unit, problem)
        for key, row in policy.rows.items()
        if (unit := units.get(key.rpartition(":")[0])) is not None and (problem := misstated(row, unit))
    ]
    if not wrong:
        return ""
    key, unit, problem = wrong[0]
    more = f" (and {len(wrong) - 1} more rows)" if len(wrong) > 1 else ""
    return (
        f"Policy {policy.policy_id}: row {key}{more}: {problem}. A floor in another unit bounds nothing. "
        f"Give {FLOOR_OF_UNIT[unit]} instead."
    )
