"""Evidence of promoted runs for recalibration: a run counts only if judging it again says promote."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from pytest_weekops.core.policy import Policy
    from pytest_weekops.core.recalibration import CellEvidence


def read_evidence(paths: list[Path], policy: Policy) -> list[CellEvidence]:
    """Cells of each run or recorded file. Raises ``InputError`` where one is not promoted or is named twice."""
    from pytest_weekops.store import is_journal

    evidence: list[CellEvidence] = []
    seen: set[str] = set()
    for path in paths:
        cells = _stored(path) if path.is_dir() or is_journal(path) else _recorded(path, policy)
        for name in {cell.run_id for cell in cells}:
            if name in seen:
                raise InputError(
                    f"Run {name} is given twice ({path}). It would count as two runs of evidence. Name each run once."
                )
            seen.add(name)
        evidence += cells
    return evidence


def _refuse(path: Path, checks: tuple[str, ...]) -> InputError:
    return InputError(
        f"Run {path} is not promoted: {', '.join(checks) or 'nothing was checked'}. Limits learned from it would make "
        "what is broken the rule. Name promoted runs only."
    )


def _stored(path: Path) -> list[CellEvidence]:
    from pytest_weekops.core.campaign import live_campaign
    from pytest_weekops.core.finding import Decision
    from pytest_weekops.core.metrics import all_launches, mean_gflops
    from pytest_weekops.core.recalibration import CellEvidence
    from pytest_weekops.core.stats import percentile95
    from pytest_weekops.judging import judge_stored
    from pytest_weekops.store import read_run

    run = read_run(path)
    campaign = live_campaign(
        run.plan, run.records, identities=run.identities, baseline=run.baselines, created_at=run.created_at
    )
    verdict = judge_stored(run)
    if verdict.decision is not Decision.PROMOTE or run.kind != "weekly" or len(run.plan.platforms) != 1:
        raise _refuse(path, verdict.failed_checks or ("a weekly run of one platform is needed",))
    return [
        CellEvidence(f"{cell[1]}:{cell[2]}", run.run_id, mean_gflops(rows), percentile95(all_launches(rows)))
        for cell, rows in campaign.good.items()
        if rows
    ]


def _recorded(path: Path, policy: Policy) -> list[CellEvidence]:
    import hashlib

    from pytest_weekops.core.finding import Decision
    from pytest_weekops.core.recalibration import CellEvidence
    from pytest_weekops.core.recorded.campaign import P95, THROUGHPUT, group
    from pytest_weekops.core.recorded.judge import judge_recorded
    from pytest_weekops.importers import read_campaign

    campaign = read_campaign(path)
    verdict = judge_recorded(policy, campaign).verdict
    if verdict.decision is not Decision.PROMOTE or campaign.kind != "weekly":
        raise _refuse(path, verdict.failed_checks or ("a weekly campaign is needed",))
    name = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return [
        CellEvidence(
            key,
            name,
            statistics.fmean(value for run in runs if (value := run.number_of(THROUGHPUT)) is not None),
            statistics.fmean(value for run in runs if (value := run.number_of(P95)) is not None),
        )
        for key, runs in group(campaign.ok_runs).items()
    ]
