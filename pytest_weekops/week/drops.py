"""Whether the cells of a week dropped without a reason, where the policy of its weekly run asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_weekops.core.calendar import Week
from pytest_weekops.core.week.entry import Entry, RunEntry, run_entries
from pytest_weekops.core.week.history import history
from pytest_weekops.core.week.pins import pins_of
from pytest_weekops.core.week.unexplained import allowed_drop, unexplained
from pytest_weekops.week import change_points


def unexplained_drops(entries: Sequence[Entry], week: Week, chosen: Sequence[RunEntry]) -> Iterator[str]:
    """Sentences for drops that stand in the way of a promote; ``chosen`` are the runs that decide the week.

    The last weekly one's policy asks, and of the cells that it measured; later weeks are not looked at.
    """
    asking = next((run for run in reversed(chosen) if run.kind == "weekly"), None)
    limit = allowed_drop(asking) if asking is not None else None
    if asking is None or limit is None:
        return
    if not change_points.can_look():
        asked = f"The policy of run {asking.run_id} allows no unexplained drop over {limit:g} %."
        yield f"{asked} {change_points.NOT_LOOKED}"
        return
    runs = [run for run in run_entries(entries) if run.week <= week]
    for series in history(runs, pins_of(entries)):
        if any(point.run.run_id == asking.run_id for point in series.points):
            yield from unexplained(series, change_points.look(series) or (), limit)
