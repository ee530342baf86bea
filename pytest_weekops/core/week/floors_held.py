"""What a run's pinned baselines demanded, as the ledger keeps it, and where a rerun's demand less. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.numbers import as_finite

Demands = Mapping[str, Mapping[str, Any]]


def demands_of(baselines: Sequence[Mapping[str, Any]], labels: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Per platform label the run id of its pinned baseline and, per cell, ``[throughput, p95 in milliseconds]``.

    ``baselines`` are dumped ones, ``labels`` each platform's profile and hardware.
    """
    found: dict[str, Any] = {}
    for label, device in labels.items():
        mine = [one for one in baselines if (one.get("profile"), one.get("hardware")) == device]
        if mine:
            rows = {f"{row['kernel']}:{row['size']}": [_speed(row), row["p95_ms"]] for row in mine[0]["rows"]}
            found[label] = {"run_id": mine[0]["run_id"], "rows": rows}
    return found


def _speed(row: Mapping[str, Any]) -> Any:
    return row["mean_gbs"] if row.get("unit") == "GB/s" else row["mean_gflops"]


def lower_floors(new: Demands, old: Demands) -> Iterator[str]:
    """Sentences for every pinned baseline that is gone, lacks a cell, or demands less of one than before."""
    for label, before in old.items():
        now = new.get(label)
        if not isinstance(now, Mapping):
            yield f"{label} without its pinned baseline {before.get('run_id')}"
            continue
        lower = [cell for cell, floor in _rows(before).items() if _is_lower(_rows(now).get(cell), floor)]
        if lower:
            more = f" and {len(lower) - 3} more" if len(lower) > 3 else ""
            yield f"{label} with a baseline that demands less of {', '.join(lower[:3])}{more}"


def _rows(demand: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = demand.get("rows")
    return rows if isinstance(rows, Mapping) else {}


def _is_lower(new: Any, old: Any) -> bool:
    """Whether a pair of throughput and p95 demands less; what cannot be read demands nothing."""
    (speed, p95), (least, most) = _pair(new), _pair(old)
    return not speed >= least or not p95 <= most


def _pair(demand: Any) -> tuple[float, float]:
    try:
        speed, p95 = map(as_finite, demand)
    except (TypeError, ValueError):
        return -math.inf, math.inf
    return (-math.inf if speed is None else speed), (math.inf if p95 is None else p95)
