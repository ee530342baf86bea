"""Floors and ceilings of cells: the policy's rows and the pinned baseline's, each an answer with an error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_weekops.core.judge.asking.asked import Asked, Kind, undecidable, witnessed_by
from pytest_weekops.core.judge.asking.limits import at_least, launches_by_snapshot, p95_at_most, p95_beside
from pytest_weekops.core.judge.asking.spreads import assumed
from pytest_weekops.core.judge.beside import Shares, another_machine, shares_beside
from pytest_weekops.core.judge.campaign import BaselineRow, Campaign, CellKey, cell_name
from pytest_weekops.core.judge.certainty.answers import Requirement
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.metrics import CaseMetrics, by_snapshot, cell_unit
from pytest_weekops.core.judge.pinned import baseline_row, host_speed, shares, without_host
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.row_units import floor_of


def floors(policy: Policy, campaign: Campaign, plan: LookPlan) -> Iterator[Asked]:
    """What rows and pinned baselines ask of each measured cell; nothing where the unit does not fit."""
    spread = assumed(policy)
    for cell, rows in campaign.good.items():
        unit = cell_unit(rows) if rows else None
        if unit is None:
            continue
        row = policy.demanded_rows.get(f"{cell[1]}:{cell[2]}")
        floor = floor_of(row, unit)
        if floor is not None:
            logs = [math.log(each) for each in by_snapshot(rows, "throughput")]
            held = f"at least the floor {floor:.5g}"
            words = f"floor {floor:.5g} {unit}", f"below the floor {floor:.5g}", held
            yield _floor("floor", cell, logs, floor, f"{{:.5g}} {unit}", words, plan, spread)
        if row is not None and row.max_p95_time_ms is not None:
            yield _p95(cell, rows, row.max_p95_time_ms, "", plan, spread)
        pinned = baseline_row(campaign, cell)
        if pinned is None or pinned.unit != unit:
            continue
        elsewhere = _elsewhere(policy, campaign, cell, pinned)
        for asked in _pinned(policy, campaign, cell, pinned, plan):
            yield undecidable(asked, elsewhere) if elsewhere else asked


def _pinned(
    policy: Policy, campaign: Campaign, cell: CellKey, pinned: BaselineRow, plan: LookPlan
) -> tuple[Asked, Asked]:
    """Throughput and p95 of a cell against a pinned baseline.

    Beside a partner the ratio to it is asked. Over the host's own clock two witnesses are: what only that clock shows,
    and not the times as measured, may be the host's, which was slower when the baseline was pinned.
    """
    rows = campaign.good[cell]
    if beside := shares_beside(campaign, cell, pinned):
        return _held(policy, cell, rows, pinned, plan, beside)
    host, raw = host_speed(pinned, rows), map(math.log, shares(without_host(pinned), rows))
    measured = _held(policy, cell, rows, pinned, plan, Shares(tuple(raw), "as measured"))
    if host is None:
        return measured
    freed = tuple(map(math.log, shares(pinned, rows)))
    over_host = _held(policy, cell, rows, pinned, plan, Shares(freed, "anchor-normalised", host))
    words = (
        f"not as measured, where the host ran at {1.0 / host:.3g} times the speed it had for the baseline: which of "
        "the two changed is open; --against PROFILE[@PATH], or --reference-driver on for both runs, decides"
    )
    speed, p95 = (witnessed_by(mine, other, words) for mine, other in zip(over_host, measured, strict=True))
    return speed, p95


def _held(
    policy: Policy,
    cell: CellKey,
    rows: Sequence[CaseMetrics],
    pinned: BaselineRow,
    plan: LookPlan,
    seen: Shares,
) -> tuple[Asked, Asked]:
    """The two questions about what was ``seen`` of a cell beside its baseline."""
    how, spread = seen.how, assumed(policy)
    least, share = policy.floors.min_share_of_baseline_gflops, policy.floors.max_share_of_baseline_p95
    words = (
        f"baseline {pinned.throughput:.5g} {pinned.unit}, {how}",
        f"below the {least:g} needed",
        f"{least:g} or more",
    )
    told = f"{{:.3f}} of the baseline's throughput, {how},"
    speed = _floor("baseline", cell, seen.logs, least, told, words, plan, spread)
    if seen.log_p95 is None:
        most = share * pinned.p95_ms * seen.host
        return speed, _p95(cell, rows, most, f" ({share:g} of the baseline's, {how})", plan, spread)
    before = math.exp(seen.log_p95)
    most, where = share * before, f" ({share:g} times the baseline's {before:.3f})"
    whom = "the reference driver's"
    return speed, p95_beside(cell, rows, most, spread, plan, whom=whom, limit=f"{most:.3f}", how=where)


def _elsewhere(policy: Policy, campaign: Campaign, cell: CellKey, pinned: BaselineRow) -> str:
    """Why floors of a baseline decide nothing on this machine, and what does; nothing where they do."""
    why = another_machine(policy, campaign, cell, pinned)
    if not why:
        return ""
    return f"{why}: what holds on one machine says little of another; --against PROFILE[@PATH] decides here"


def _floor(
    kind: Kind,
    cell: CellKey,
    logs: Sequence[float],
    least: float,
    seen: str,
    words: tuple[str, str, str],
    plan: LookPlan,
    spread: Spread,
) -> Asked:
    asked = Requirement(cell_name(cell), tuple(logs), math.log(least), spread)
    bound, broken, held = words
    return at_least(kind, (cell,), asked, plan, bound=bound, broken=broken, held=held, seen=seen.format)


def _p95(cell: CellKey, rows: Sequence[CaseMetrics], most: float, how: str, plan: LookPlan, spread: Spread) -> Asked:
    return p95_at_most(
        "p95",
        cell_name(cell),
        (cell,),
        (launches_by_snapshot(rows), None),
        most,
        spread,
        plan,
        bound=f"p95 at most {most:.5g} ms{how}",
        broken=f"above {most:.5g}{how}",
        seen="p95 {:.5g} ms".format,
    )
