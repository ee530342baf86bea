"""Drops of a cell's level that nothing known explains, where a policy asks about them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.history import Series
from pytest_weekops.core.week.levels import Shift


def allowed_drop(run: RunEntry) -> float | None:
    """The percent that a level may drop by without a reason, by the policy of this run; None where it does not ask."""
    rules = run.policy.get("history")
    return as_finite(rules.get("max_unexplained_drop_percent")) if isinstance(rules, dict) else None


def unexplained(series: Series, found: Sequence[Shift], limit_percent: float) -> Iterator[str]:
    """A sentence for each change point of a series that is such a drop, and is not answered yet.

    Answered is one from which the level came up again, and one since which a run was pinned as baseline: whoever pins
    it takes that level for the one that is meant.
    """
    places = {point.run.run_id: place for place, point in enumerate(series.points)}
    for number, shift in enumerate(found):
        since = math.prod(1.0 + later.percent / 100.0 for later in found[number:])
        fell = min(-shift.percent, 100.0 * (1.0 - since))
        is_pinned = any(point.pinned for point in series.points[places[shift.run_id] :])
        if fell > limit_percent and not shift.beside and not is_pinned:
            yield (
                f"{series.name} fell by {-shift.percent:.1f} % with run {shift.run_id}, and nothing that was recorded "
                f"changed around it; the policy allows {limit_percent:g} %. Find out why, or pin a run since then as "
                "baseline, which takes its level for the one that is meant."
            )
