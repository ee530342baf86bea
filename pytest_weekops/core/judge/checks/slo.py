"""Floors and ceilings of the cells of a live campaign: the policy's rows and the pinned baseline."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_weekops.core.judge.asking.asked import changes, details
from pytest_weekops.core.judge.asking.run import answers, of_cell
from pytest_weekops.core.judge.campaign import BaselineRow, Campaign, CellKey, cell_name
from pytest_weekops.core.judge.confidence import doubt
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.metrics import (
    CaseMetrics,
    all_launches,
    by_snapshot,
    cell_unit,
    mean_throughput,
)
from pytest_weekops.core.judge.outcome import failed, inconclusive, listed, no_data, passed
from pytest_weekops.core.judge.pinned import against, baseline_row, shares, without_host
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.policy.policy import Policy, Row
from pytest_weekops.core.policy.row_units import floor_of, misstated
from pytest_weekops.core.units import Unit


@dataclass(frozen=True)
class CellJudgement:
    """Limits of one cell in words, those that do not hold, and those that hold on the mean and are not believed."""

    limits: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()

    def __add__(self, other: CellJudgement) -> CellJudgement:
        """Both together."""
        return CellJudgement(self.limits + other.limits, self.broken + other.broken, self.doubted + other.doubted)


def judge_cell(policy: Policy, campaign: Campaign, cell: CellKey) -> CellJudgement:
    """Hold a cell against its row and its pinned baseline: on the mean, and floors in enough of its snapshots."""
    rows = campaign.good[cell]
    if not rows:
        return CellJudgement(broken=("not measured",))
    unit = cell_unit(rows)
    if unit is None:
        units = " and ".join(sorted({row.unit for row in rows}))
        return CellJudgement(broken=(f"judged in {units}: its operation changed in the run",))
    if campaign.plan.looks:
        return _answered(policy, campaign, cell, unit)
    by_row = _by_row(policy, rows, policy.demanded_rows.get(f"{cell[1]}:{cell[2]}"), unit)
    pinned = baseline_row(campaign, cell)
    return by_row if pinned is None else by_row + _by_baseline(policy, rows, pinned, unit)


def _answered(policy: Policy, campaign: Campaign, cell: CellKey, unit: Unit) -> CellJudgement:
    """The same by what each limit's answer says, in a run with looks."""
    pinned = baseline_row(campaign, cell)
    problems = [misstated(policy.demanded_rows.get(f"{cell[1]}:{cell[2]}"), unit)]
    if pinned is not None and pinned.unit != unit:
        problems.append(_other_unit(pinned, unit))
    found = of_cell(answers(policy, campaign), cell)
    return CellJudgement(
        tuple("; ".join(filter(None, (each.asked.bound, each.change))) for each in found),
        (*filter(None, problems), *(each.words for each in found if each.status is CheckStatus.FAIL)),
        tuple(each.words for each in found if each.status is CheckStatus.INCONCLUSIVE),
    )


def _other_unit(pinned: BaselineRow, unit: Unit) -> str:
    return f"the baseline is pinned in {pinned.unit}, and this cell is judged in {unit}; pin it again"


def _by_row(policy: Policy, rows: tuple[CaseMetrics, ...], row: Row | None, unit: Unit) -> CellJudgement:
    speed = mean_throughput(rows)
    limits, broken, doubted = [], [], []
    if problem := misstated(row, unit):
        broken.append(problem)
    floor = floor_of(row, unit)
    if floor is not None:
        limits.append(f"floor {floor:.5g} {unit}")
        if not speed >= floor:
            broken.append(f"{speed:.5g} {unit} below the floor {floor:.5g}")
        elif why := doubt((each >= floor for each in by_snapshot(rows, "throughput")), policy.evidence.min_confidence):
            doubted.append(f"floor {floor:.5g} {unit} {why}")
    if row is not None and row.max_p95_time_ms is not None:
        p95 = percentile95(all_launches(rows))
        limits.append(f"p95 at most {row.max_p95_time_ms:.5g} ms")
        if not p95 <= row.max_p95_time_ms:
            broken.append(f"p95 {p95:.5g} ms above {row.max_p95_time_ms:.5g}")
    return CellJudgement(tuple(limits), tuple(broken), tuple(doubted))


def _by_baseline(policy: Policy, rows: tuple[CaseMetrics, ...], pinned: BaselineRow, unit: Unit) -> CellJudgement:
    if pinned.unit != unit:
        return CellJudgement(broken=(_other_unit(pinned, unit),))
    share, slowness, how = against(pinned, rows)
    measured, measured_slowness, _how = against(without_host(pinned), rows)
    least, most = policy.floors.min_share_of_baseline_gflops, policy.floors.max_share_of_baseline_p95
    broken: list[str] = []
    doubted: list[str] = []
    if not share >= least:
        words = f"{share:.3f} of the baseline's throughput, {least:g} needed, {how}"
        _sort_in(words, broken, doubted, contradicted=measured >= least)
    elif why := doubt((each >= least for each in shares(pinned, rows)), policy.evidence.min_confidence):
        doubted.append(f"{least:g} of the baseline's throughput, {how}, {why}")
    if not slowness <= most:
        words = f"{slowness:.3f} of the baseline's p95, {most:g} allowed, {how}"
        _sort_in(words, broken, doubted, contradicted=measured_slowness <= most)
    limit = f"baseline {pinned.throughput:.5g} {unit}, p95 {pinned.p95_ms:.5g} ms, {how}"
    return CellJudgement((limit,), tuple(broken), tuple(doubted))


def _sort_in(words: str, broken: list[str], doubted: list[str], *, contradicted: bool) -> None:
    """What only the host's clock shows, and not the times as measured, may be the host's: it is open."""
    if contradicted:
        doubted.append(f"{words}, and not as measured: the host itself has become faster; --against decides")
    else:
        broken.append(words)


def per_kernel_size_slo(policy: Policy, campaign: Campaign) -> Finding:
    """Mean throughput and p95 of every cell are within its row's limits and its baseline's floors."""
    return _slo("per_kernel_size_slo", policy, campaign, campaign.cells)


def _slo(check: str, policy: Policy, campaign: Campaign, cells: tuple[CellKey, ...]) -> Finding:
    bad, empty, unsure, bounded = [], [], [], 0
    asked = [each for cell in cells for each in of_cell(answers(policy, campaign), cell)]
    facts = {"details": details(asked)} if asked else {}
    for cell in cells:
        found = judge_cell(policy, campaign, cell)
        bounded += bool(found.limits)
        if not campaign.good[cell]:
            empty.append(cell_name(cell))
        elif found.broken:
            bad.append(f"{cell_name(cell)}: {'; '.join(found.broken)}")
        elif found.doubted:
            unsure.append(f"{cell_name(cell)}: {'; '.join(found.doubted)}")
    if bad:
        return failed(check, "bound", listed(bad), rows=tuple(bad), observed=len(bad), required=0, **facts)
    if empty or not cells:
        return no_data(
            check, "missing", f"not measured: {listed(empty)}", rows=tuple(empty), observed=len(empty), required=0
        )
    if unsure:
        return inconclusive(
            check, "confidence", listed(unsure), rows=tuple(unsure), observed=len(unsure), required=0, **facts
        )
    words = (
        f"{bounded} of {len(cells)} cells are bounded and hold"
        if bounded
        else f"no cell is bounded: {policy.floors.waiver or 'waived row by row'}"
    )
    if changed := changes(asked):
        service = campaign.plan.service
        words += f"; against {service.label if service else 'the baseline'}: {listed(changed)}"
    return passed(check, words, observed=0, required=0, **facts)


def baseline_side_slo(policy: Policy, campaign: Campaign) -> Finding:
    """The rows on the baseline platform of a split."""
    cells = tuple(cell for cell in campaign.cells if cell[0] == campaign.plan.baseline_platform)
    return _slo("clover_policy_rows", policy, campaign, cells)
