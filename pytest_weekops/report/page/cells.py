"""Cells and comparisons as the page shows them: the judge's own numbers, and every launch they come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.campaign import Campaign, CellKey, cell_name
from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.judge.metrics import CaseMetrics, anchor_ms, case_metrics, delay_limit, pace_ms
from pytest_weekops.core.judge.pairing import Pairing, least_ratio, pairings
from pytest_weekops.core.judge.pinned import baseline_row, host_speed
from pytest_weekops.core.measurement.calm import calm_launches
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.policy.row_units import floor_of
from pytest_weekops.core.units import Unit, throughput
from pytest_weekops.report.page.sensors import sensors_line
from pytest_weekops.report.page.shown import Attempt, Cell, Comparison, Limit
from pytest_weekops.report.table import number

PACE, ANCHOR = "fixed work beside the launches", "the anchor SGEMM around the launches"


def cell_anchor(place: int) -> str:
    """Where the cell of this place in the plan stands on the page."""
    return f"cell-{place + 1}"


def comparison_anchor(place: int) -> str:
    """Where the comparison of this place in the plan stands on the page."""
    return f"split-{place + 1}"


def show_cells(policy: Policy, campaign: Campaign, verdict: Verdict) -> tuple[Cell, ...]:
    """Every cell of the plan, in plan order; none for a run that measures nothing."""
    if campaign.plan.kind == "canonical":
        return ()
    rows = {
        (row.get("platform"), row.get("kernel"), row.get("size")): row for row in verdict.rows if "ratio" not in row
    }
    details = answers_of(verdict)
    return tuple(
        _cell(place, policy, campaign, cell, rows.get(cell, {}), details) for place, cell in enumerate(campaign.cells)
    )


def answers_of(verdict: Verdict) -> tuple[Mapping[str, Any], ...]:
    """Every answer that stands in the details of a finding, each once."""
    found: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for finding in verdict.findings:
        for each in finding.details:
            if "asked" in each and "estimate" in each:
                found.setdefault((each["asked"], each["name"], each.get("bound")), each)
    return tuple(found.values())


def _cell(
    place: int,
    policy: Policy,
    campaign: Campaign,
    cell: CellKey,
    row: Mapping[str, Any],
    details: Sequence[Mapping[str, Any]],
) -> Cell:
    mine = [m for m in campaign.measurements if (m.case.platform, m.case.kernel, m.case.size) == cell]
    mine.sort(key=lambda m: m.order)
    metrics = {(each.snapshot, each.seed): each for each in campaign.good.get(cell, ())}
    with_pace = any(each.pace_ms is not None for each in metrics.values())
    unit: Unit = "GB/s" if any(m.unit == "GB/s" for m in mine) else "GFLOPS"
    floors, ceilings = _limits(policy, campaign, cell, unit)
    return Cell(
        anchor=cell_anchor(place),
        name=cell_name(cell),
        platform=cell[0],
        kernel=cell[1],
        size=cell[2],
        unit=unit,
        status=str(row.get("status") or "no_data"),
        limits=str(row.get("limits") or ""),
        attempts=tuple(_attempt(m, campaign, metrics, unit, with_pace=with_pace) for m in mine),
        floors=tuple(floors),
        ceilings_ms=tuple(ceilings),
        interval=_interval(details, "floor", cell_name(cell)),
        host=PACE if with_pace else ANCHOR,
        built=_built(mine),
        sensors=sensors_line([m.host.device for m in mine if m.host.device is not None]),
    )


def _interval(
    details: Iterable[Mapping[str, Any]], asked: str, name: str
) -> tuple[float, float | None, float | None] | None:
    """Estimate, lower and upper bound by the judge, out of the logarithms that it works with; None without."""
    for each in details:
        if (each["asked"], each["name"]) == (asked, name):
            low, high = each.get("lower"), each.get("upper")
            ends = (None if end is None else math.exp(end) for end in (low, high))
            return (math.exp(each["estimate"]), *ends)  # type: ignore[return-value]
    return None


def _limits(policy: Policy, campaign: Campaign, cell: CellKey, unit: Unit) -> tuple[list[Limit], list[Limit]]:
    """Lines below which throughput, and above which p95, breaks a limit; on the mean, at this run's pace."""
    row, pinned = policy.demanded_rows.get(f"{cell[1]}:{cell[2]}"), baseline_row(campaign, cell)
    floors, ceilings = [], []
    floor = floor_of(row, unit)
    if floor is not None:
        floors.append(Limit(floor, f"policy's floor {number(floor)}"))
    if row is not None and row.max_p95_time_ms is not None:
        ceilings.append(Limit(row.max_p95_time_ms, f"policy's p95 limit {number(row.max_p95_time_ms, 3)}"))
    rows = campaign.good.get(cell, ())
    if pinned is not None and pinned.unit == unit and rows:
        host = host_speed(pinned, rows) or 1.0
        least, most = policy.floors.min_share_of_baseline_gflops, policy.floors.max_share_of_baseline_p95
        before = float(pinned.throughput or math.nan)
        floors.append(Limit(before / host, f"baseline {number(before / host)}"))
        floors.append(Limit(least * before / host, f"{least:g} of the baseline {number(least * before / host)}"))
        ceiling = most * pinned.p95_ms * host
        ceilings.append(Limit(ceiling, f"{most:g} of the baseline's p95 {number(ceiling, 3)}"))
    return floors, ceilings


def _attempt(
    m: Measurement,
    campaign: Campaign,
    metrics: Mapping[tuple[int, int], CaseMetrics],
    unit: Unit,
    *,
    with_pace: bool,
) -> Attempt:
    limit = delay_limit(m.host, campaign.plan) if m.on_cpu else None
    calm: list[float] = []
    left_out: list[float] = []
    for session in m.sessions:
        for ns, counts in zip(session.wall_ns, calm_launches(session, limit), strict=True):
            (calm if counts else left_out).append(ns * 1e-6)
    good = None if m.void else metrics.get((m.case.snapshot, m.case.seed))
    alone = case_metrics(m, campaign.plan) if good is not None else None
    if good is None or alone is None or alone.launches_ms != good.launches_ms:
        good = None  # of another attempt at the same case
    return Attempt(
        snapshot=m.case.snapshot,
        seed=m.case.seed,
        order=m.order,
        minutes=_minutes(campaign.created_at, m.started_at),
        status="void" if m.void else "flaky" if m.flaky else m.status.value,
        void=m.void_reason if m.void else "",
        reason="" if m.status is MeasurementStatus.OK else m.reason,
        launches_ms=tuple(calm),
        left_out_ms=tuple(left_out),
        host_ms=(pace_ms(m) if with_pace else anchor_ms(m)),
        load_percent=_load(m),
        **(_numbers(good, m, unit) if good is not None else {}),
    )


def _numbers(good: CaseMetrics, m: Measurement, unit: Unit) -> dict[str, float]:
    ordered = sorted(good.launches_ms)
    fast, slow = ordered[(len(ordered) - 1) // 20], percentile95(ordered)
    return {
        "throughput": good.throughput,
        "low": throughput(unit, m.flops, m.bytes_moved, slow * 1e6),
        "high": throughput(unit, m.flops, m.bytes_moved, fast * 1e6),
        "median_ms": good.median_ms,
        "p95_ms": good.p95_ms,
    }


def _load(m: Measurement) -> float | None:
    """CPU time that others had on this host, or that a hypervisor or a quota withheld, as far as anybody looked."""
    host = m.host
    told = [each for each in (host.others_percent, host.steal_percent, host.throttled_percent) if each is not None]
    return sum(told) if told else None


def _minutes(since: str, at: str) -> float | None:
    try:
        return (parse_time(at) - parse_time(since)).total_seconds() / 60.0
    except InputError:
        return None


def _built(mine: Iterable[Measurement]) -> tuple[str, ...]:
    """Each kernel that was launched: variant, source's hash, build options."""
    return tuple(
        dict.fromkeys(
            f"{m.variant or 'no variant told'}, source {m.kernel_sha256[:16] or 'not hashed'}, "
            f"built with {' '.join(m.build_options) or 'no options'}"
            for m in mine
            if m.sessions
        )
    )


# -- a split -----------------------------------------------------------------------------------------------------


def show_comparisons(policy: Policy, campaign: Campaign, verdict: Verdict) -> tuple[Comparison, ...]:
    """Every kernel and size of a split, over all seeds; none for other runs."""
    if campaign.plan.kind != "split":
        return ()
    found = pairings(campaign)
    rows = {(row.get("kernel"), row.get("size")): row for row in verdict.rows if "ratio" in row and row["seed"] is None}
    details = answers_of(verdict)
    whole = [each for each in found if each.seed is None]
    return tuple(
        Comparison(
            anchor=comparison_anchor(place),
            name=each.name,
            kernel=each.kernel,
            size=each.size,
            status=str(rows.get((each.kernel, each.size), {}).get("status") or "no_data"),
            reason=str(rows.get((each.kernel, each.size), {}).get("reason") or ""),
            least=least_ratio(policy, campaign),
            ratio=each.ratio if each.pairs else None,
            interval=_interval(details, "ratio", each.name),
            by_seed=tuple(_by_seed(each, found)),
        )
        for place, each in enumerate(whole)
    )


def _by_seed(whole: Pairing, found: Iterable[Pairing]) -> Iterator[tuple[int, tuple[tuple[int, float], ...]]]:
    """The ratio of each snapshot, seed by seed; a run of one seed has no pairings of its own for it."""
    mine = [p for p in found if (p.kernel, p.size) == (whole.kernel, whole.size) and p.seed is not None] or [whole]
    for each in mine:
        snapshots = sorted({before.snapshot for before, _after in each.pairs})
        seeds = [before.seed for before, _after in each.pairs]
        if seeds:
            ratios = tuple(zip(snapshots, map(math.exp, each.logs), strict=True))
            yield seeds[0], ratios
