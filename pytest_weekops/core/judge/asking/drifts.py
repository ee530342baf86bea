"""Drift of a weekly run: falls along the window and of single snapshots, of lanes that measured one thing together."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_weekops.core.judge.asking.asked import Asked, ask_where_certain
from pytest_weekops.core.judge.asking.spreads import assumed, beside_spread
from pytest_weekops.core.judge.campaign import Campaign, CellKey, cell_name
from pytest_weekops.core.judge.certainty.falls import answer_fall, depths
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.certainty.trends import Series, lanes_interval
from pytest_weekops.core.judge.metrics import CaseMetrics, by_snapshot, witnesses_of
from pytest_weekops.core.measurement.stats import percent, trend
from pytest_weekops.core.policy.policy import Policy

_UNBOUNDED = 100.0  # percent: nothing falls by more


@dataclass(frozen=True)
class Witnessed:
    """One thing that was measured in the same snapshots: the cells that did, and its log speeds.

    Each cell has one witness, its ratio to a partner, or two: its times as measured, and over the host's clock.
    """

    cells: tuple[CellKey, ...]
    series: Series

    @property
    def name(self) -> str:
        """The cells for people; lanes that measured one variant are named together."""
        first = self.cells[0]
        lanes = " and ".join(cell[1] for cell in self.cells)
        return cell_name((first[0], lanes, first[2]))


def drifts(policy: Policy, campaign: Campaign, plan: LookPlan) -> Iterator[Asked]:
    """What a weekly run asks of everything that was measured in two snapshots or more; nothing of a split."""
    if campaign.plan.kind != "weekly":
        return
    rails = policy.guardrails
    for thing in witnessed(policy, campaign):
        if rails.max_abs_throughput_drift_percent < _UNBOUNDED:
            yield _trend(thing, rails.max_abs_throughput_drift_percent, plan)
        if rails.max_throughput_deviation_percent < _UNBOUNDED:
            yield _fall(thing, rails.max_throughput_deviation_percent, plan)


def witnessed(policy: Policy, campaign: Campaign) -> list[Witnessed]:
    """Cells of two snapshots or more; of one size and platform, those that launched the same variants are one thing."""
    together: dict[object, list[CellKey]] = defaultdict(list)
    for cell, rows in campaign.good.items():
        if len({row.snapshot for row in rows}) > 1:
            variants = tuple((row.snapshot, row.seed, row.variant) for row in rows)
            together[cell[0], cell[2], variants, witnesses_of(rows)].append(cell)
    found = []
    for cells in together.values():
        lanes = [lane for cell in cells for lane in _witnesses(campaign.good[cell])]
        spread = _spread(policy, campaign, cells)
        found.append(Witnessed(tuple(cells), Series(cell_name(cells[0]), tuple(lanes), spread)))
    return found


def _spread(policy: Policy, campaign: Campaign, cells: Sequence[CellKey]) -> Spread:
    """How much a snapshot varies: as calibrated beside the driver in service, which has the same mode; else assumed."""
    if campaign.plan.service is None or witnesses_of(campaign.good[cells[0]]) != ("beside",):
        return assumed(policy)
    return max((beside_spread(policy, campaign, cell) for cell in cells), key=lambda spread: spread.sd)


def _witnesses(rows: Sequence[CaseMetrics]) -> list[tuple[float, ...]]:
    return [tuple(by_snapshot(rows, name)) for name in witnesses_of(rows)]


def _trend(thing: Witnessed, limit: float, plan: LookPlan) -> Asked:
    series, count = thing.series, len(thing.series.means)

    def bounds(look: int, levels: Levels) -> Interval:
        agreed = max(trend(lane[:look]) for lane in series.lanes)  # what every witness shows
        return Interval(agreed, -math.inf, lanes_interval(series, look, levels).upper)

    return Asked(
        kind="trend",
        name=thing.name,
        cells=thing.cells,
        bound=f"falls by at most {limit:g} % over the window",
        broken=f"beyond the limit of {limit:g} %",
        observed=lambda log: f"trend {percent(log):+.1f} % over the window",
        ask=ask_where_certain(thing.name, math.log1p(-limit / 100.0), bounds, count, plan),
        spread=series.spread,
    )


def _fall(thing: Witnessed, limit: float, plan: LookPlan) -> Asked:
    fall = -math.log1p(-limit / 100.0)
    return Asked(
        kind="fall",
        name=thing.name,
        cells=thing.cells,
        bound=f"no snapshot falls by more than {limit:g} %",
        broken=f"beyond the {limit:g} % that one may fall",
        hint="one alone may be the host's",
        observed=lambda _log: f"a snapshot {percent(deepest(thing.series.lanes)):+.1f} % off the median",
        ask=lambda own: answer_fall(thing.series, fall, plan, own),
        spread=thing.series.spread,
    )


def deepest(lanes: Sequence[Sequence[float]]) -> float:
    """The deepest fall of a snapshot that every witness shows, as a log ratio of at most 0."""
    found: list[float] = [max(each) for each in zip(*(depths(lane) for lane in lanes), strict=True)]
    return min(0.0, *found)


def contradictions(thing: Witnessed, limit: float) -> str:
    """Lanes of one thing of which one fell beyond a limit in percent and another did not, in words; or nothing."""
    if len(thing.cells) < 2:
        return ""
    each = len(thing.series.lanes) // len(thing.cells)
    lanes = [thing.series.lanes[each * at : each * (at + 1)] for at in range(len(thing.cells))]
    own = [statistics.fmean(map(trend, mine)) for mine in lanes]
    if not -percent(min(own)) > limit >= -percent(max(own)):
        return ""
    words = ", ".join(f"{cell[1]} {percent(slope):+.1f} %" for cell, slope in zip(thing.cells, own, strict=True))
    return f"lanes of one variant contradict each other, which is noise: {words}"
