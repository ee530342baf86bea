"""The items of level 0 as a table: what each measures, how it is verified, and what a device must have for it."""

from __future__ import annotations

from generating.words import table
from pytest_weekops.core.measurement.peak import ITEMS


def items() -> str:
    """One row per item, in the order in which they are measured."""
    rows = [(f"`{i.name}`", i.unit, i.measures, i.verified, i.needs or "-") for i in ITEMS.values()]
    return table(("item", "unit", "what it measures", "what is verified", "needs"), rows)
