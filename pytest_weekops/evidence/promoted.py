"""Evidence of promoted runs for recalibration: a run counts only if judging it again says promote."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from pytest_weekops.core.policy.policy import Policy
    from pytest_weekops.core.policy.recalibration import CellEvidence
    from pytest_weekops.evidence.stored_run import StoredRun


def read_evidence(paths: list[Path], policy: Policy, *, read: Callable[[Path], StoredRun]) -> list[CellEvidence]:
    """Cells of each run or recorded file; ``read`` reads a run's directory or journal.

    Raises ``InputError`` where one is not promoted, is given twice, or was measured on another device than the rest.
    """
    from pytest_weekops.evidence.journal_files import is_journal

    evidence: list[CellEvidence] = []
    silicon: dict[str, Path] = {}
    for path in paths:
        cells_of = partial(_stored, read=read) if path.is_dir() or is_journal(path) else _recorded
        cells, device = cells_of(path, policy)
        _refuse_twice(path, cells, evidence)
        silicon.setdefault(device, path)
        evidence += cells
    if len(silicon) > 1:
        where = "; ".join(f"{path}: {device[:80]}" for device, path in silicon.items())
        raise InputError(
            f"The runs were measured on different devices ({where}). A limit in between would fit none of them. Name "
            "runs of one device."
        )
    return evidence


def _refuse_twice(path: Path, cells: list[CellEvidence], before: list[CellEvidence]) -> None:
    """Refuse what was measured once and counts twice, under its own name or another: real figures never repeat."""
    names = {cell.run_id for cell in before}
    figures = {(cell.key, cell.throughput, cell.p95_ms): cell.run_id for cell in before}
    for cell in cells:
        same = cell.run_id if cell.run_id in names else figures.get((cell.key, cell.throughput, cell.p95_ms))
        if same is not None:
            raise InputError(
                f"Run {same} is given twice ({path}: {cell.key} is the same to the last bit). It would count as two "
                "runs of evidence. Name each run once."
            )


def _refuse(path: Path, checks: tuple[str, ...], rules: str = "") -> InputError:
    return InputError(
        f"Run {path} is not promoted{rules}: {', '.join(checks) or 'nothing was checked'}. Limits learned from it "
        "would make what is broken the rule. Name promoted runs only."
    )


def _stored(path: Path, policy: Policy, *, read: Callable[[Path], StoredRun]) -> tuple[list[CellEvidence], str]:
    """Cells of a run that promotes by its own policy and by the one to be recalibrated, and its hardware."""
    from pytest_weekops.core.judge.campaign import live_campaign
    from pytest_weekops.core.judge.finding import Decision
    from pytest_weekops.core.judge.metrics import all_launches, cell_unit, mean_throughput
    from pytest_weekops.core.measurement.stats import percentile95
    from pytest_weekops.core.policy.recalibration import CellEvidence
    from pytest_weekops.evidence.judging import judge_stored

    run = read(path)
    campaign = live_campaign(
        run.plan, run.records, identities=run.identities, baseline=run.baselines, created_at=run.created_at
    )
    if run.kind != "weekly" or len(run.plan.platforms) != 1:
        raise _refuse(path, ("a weekly run of one platform is needed",))
    if problem := policy.refuses(run.plan):
        raise InputError(f"Run {path}: {problem}")
    by_this = f" by {policy.policy_id}, which is to be recalibrated"
    for verdict, rules in ((judge_stored(run), ""), (judge_stored(run, policy=policy), by_this)):
        if verdict.decision is not Decision.PROMOTE:
            raise _refuse(path, verdict.failed_checks, rules)
    silicon = ", ".join(sorted(f"{one.device_name} in {one.hardware}" for one in run.identities.values()))
    cells = [
        CellEvidence(f"{cell[1]}:{cell[2]}", run.run_id, mean_throughput(rows), percentile95(all_launches(rows)), unit)
        for cell, rows in campaign.good.items()
        if (unit := cell_unit(rows)) is not None
    ]
    return cells, silicon


def _recorded(path: Path, policy: Policy) -> tuple[list[CellEvidence], str]:
    """Cells of a recorded weekly that promotes by the policy to be recalibrated, and its device."""
    import hashlib

    from pytest_weekops.core.judge.finding import Decision
    from pytest_weekops.core.policy.recalibration import CellEvidence
    from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, group
    from pytest_weekops.core.recorded.judge import judge_recorded
    from pytest_weekops.evidence.recorded import read_campaign

    campaign = read_campaign(path)
    verdict = judge_recorded(policy, campaign).verdict
    if verdict.decision is not Decision.PROMOTE or campaign.kind != "weekly":
        raise _refuse(path, verdict.failed_checks or ("a weekly campaign is needed",))
    name = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    cells = [
        CellEvidence(
            key,
            name,
            statistics.fmean(value for run in runs if (value := run.number_of(THROUGHPUT)) is not None),
            statistics.fmean(value for run in runs if (value := run.number_of(P95)) is not None),
        )
        for key, runs in group(campaign.ok_runs).items()
    ]
    return cells, ", ".join(sorted({str(run.metrics.get("device")) for run in campaign.ok_runs}))
