"""The two forms of a limit, whatever it is of: speed that must be enough, and a p95 that must not be too long."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pytest_weekops.core.judge.asking.asked import Asked, Kind, ask_where_certain
from pytest_weekops.core.judge.campaign import CellKey, cell_name
from pytest_weekops.core.judge.certainty.answers import Requirement, answer
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.certainty.percentiles import percentile_interval
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.metrics import CaseMetrics

Launches = Sequence[Sequence[float]]  # of each snapshot in order, in milliseconds


def at_least(
    kind: Kind,
    cells: tuple[CellKey, ...],
    asked: Requirement,
    plan: LookPlan,
    *,
    bound: str,
    broken: str,
    held: str,
    seen: Callable[[float], str],
) -> Asked:
    """A requirement on log speeds, asked with both errors. ``seen`` says in words the speed that was observed."""
    return Asked(
        kind=kind,
        name=asked.name,
        cells=cells,
        bound=bound,
        broken=broken,
        held=held,
        observed=lambda log: seen(math.exp(log)),
        ask=lambda own: answer(asked, plan, own),
        spread=asked.spread,
        requirement=asked,
    )


def p95_at_most(
    kind: Kind,
    name: str,
    cells: tuple[CellKey, ...],
    sides: tuple[Launches, Launches | None],
    most: float,
    spread: Spread,
    plan: LookPlan,
    *,
    bound: str,
    broken: str,
    seen: Callable[[float], str],
) -> Asked:
    """A p95, or its ratio to another side's p95, that may be ``most``. ``seen`` says the observed one in words."""
    mine, theirs = sides

    def bounds(look: int, levels: Levels) -> Interval:
        return percentile_interval(mine[:look], None if theirs is None else theirs[:look], most, levels.upper, spread)

    return Asked(
        kind=kind,
        name=name,
        cells=cells,
        bound=bound,
        broken=broken,
        observed=lambda log: seen(most * math.exp(-log)),
        ask=ask_where_certain(name, 0.0, bounds, len(mine), plan),
    )


def p95_beside(
    cell: CellKey,
    rows: Sequence[CaseMetrics],
    most: float,
    spread: Spread,
    plan: LookPlan,
    *,
    whom: str,
    limit: str,
    how: str = "",
) -> Asked:
    """A cell's p95 as a ratio to that of its partner, whose launches the host stalled as often.

    ``whom`` is the partner's in words, ``limit`` is ``most`` as it is shown, and ``how`` where it comes from.
    """
    return p95_at_most(
        "p95",
        cell_name(cell),
        (cell,),
        (launches_by_snapshot(rows), launches_by_snapshot(rows, "beside_ms")),
        most,
        spread,
        plan,
        bound=f"p95 at most {limit} of {whom}{how}",
        broken=f"above {limit}{how}",
        seen=lambda share: f"p95 {share:.3f} of {whom}",
    )


def launches_by_snapshot(rows: Sequence[CaseMetrics], side: str = "launches_ms") -> list[list[float]]:
    """Every launch that counts, in milliseconds, snapshot by snapshot; ``beside_ms`` are the partner's."""
    found: dict[int, list[float]] = {}
    for row in rows:
        found.setdefault(row.snapshot, []).extend(getattr(row, side))
    return [found[snapshot] for snapshot in sorted(found)]
