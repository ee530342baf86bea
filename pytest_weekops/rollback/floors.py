"""Which cells a verification measures, and what each must reach: the pinned baseline's, or the policy's."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.units import Unit

PROBE_CELL = ("auto", 512)
MOST_CELLS = 2

Measured = tuple[float, "Unit"]
Floor = tuple[float, "Unit"]


def cell_document(cell: str, reached: Measured, floor: Floor | None) -> dict[str, object]:
    """The cell as evidence keeps it: what it reached and its floor, each named after the unit it is judged in."""
    throughput, unit = reached
    names = ("mean_gbs", "floor_gbs") if unit == "GB/s" else ("mean_gflops", "floor_gflops")
    return {"cell": cell, names[0]: round(throughput, 3), names[1]: floor[0] if floor is not None else None}


def shortfall(cell: str, label: str, reached: Measured, floor: Floor | None) -> list[str]:
    """Why the cell does not hold its floor; empty where it does or has none. A floor in another unit bounds nothing."""
    if floor is None:
        return []
    (throughput, unit), (least, floors_unit) = reached, floor
    if floors_unit != unit:
        return [f"{cell} has a floor in {floors_unit} and is judged in {unit}"]
    if not throughput >= least:
        return [f"{cell} on {label} reaches {throughput:.2f} {unit}, its floor is {least:.2f}"]
    return []


def floors_of(
    policy: Policy, identity: DeviceIdentity, report_dir: Path
) -> tuple[dict[tuple[str, int], Floor | None], str]:
    """Cells to measure with their floors: the pinned baseline's, the policy's, or one cell without a floor.

    Raises ``InputError`` for a baseline that is not what was pinned, and where the one that was pinned is gone.
    """
    from pytest_weekops.core.policy.row_units import floor_of
    from pytest_weekops.core.units import UNITS
    from pytest_weekops.week.pins import pinned_baseline

    pinned = pinned_baseline(report_dir, identity)
    if pinned is None:
        _refuse_gone(report_dir, identity)
    else:
        share = policy.floors.min_share_of_baseline_gflops
        rows = sorted(pinned.baseline.rows, key=lambda row: row.size)[:MOST_CELLS]
        bounded = {(r.kernel, r.size): ((r.throughput or math.inf) * share, r.unit) for r in rows}
        return dict(bounded), f"{share:g} of the pinned baseline"
    named = policy.scope.platform
    meant = named and re.search(re.escape(named), identity.platform_name, re.IGNORECASE)
    cells: dict[tuple[str, int], Floor | None] = {
        (kernel, int(size)): (floor, unit)
        for kernel, _, size in (key.rpartition(":") for key in policy.demanded_rows)
        for unit in UNITS
        if meant and (floor := floor_of(policy.demanded_rows[f"{kernel}:{size}"], unit)) is not None
    }
    if cells:
        smallest = sorted(cells, key=lambda cell: cell[1])[:MOST_CELLS]
        return {cell: cells[cell] for cell in smallest}, f"policy {policy.policy_id}"
    return {PROBE_CELL: None}, "none is known for this device; pin a promoted run of it with `weekops baseline pin`"


def _refuse_gone(report_dir: Path, identity: DeviceIdentity) -> None:
    """Refuse a device whose baseline was pinned and is not there: without its floors nothing is verified."""
    from pytest_weekops.core.errors import InputError
    from pytest_weekops.week.pins import missing_baseline

    pin = missing_baseline(report_dir, identity)
    if pin is not None and (pin.device.profile, pin.device.hardware) == (identity.profile, identity.hardware):
        raise InputError(
            f"The baseline of {identity.profile} (run {pin.run_id}, record {pin.seq} of the ledger) is not there. "
            "Without its floors nobody knows how fast this driver has to be. Restore its file, or pin a promoted run."
        )
