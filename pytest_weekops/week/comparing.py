"""Two stored runs side by side: what differs, and each cell's speed. The command and the site say the same of them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_weekops.core.judge.campaign import live_campaign
from pytest_weekops.core.judge.run_difference import run_difference
from pytest_weekops.core.judge.run_speed import SpeedChange, speed_change
from pytest_weekops.evidence.journal import StoredRun


@dataclass(frozen=True)
class Compared:
    """Differences in words by what they are of, and the speeds."""

    differences: dict[str, tuple[str, ...]]
    speed: SpeedChange


def compare_runs(before: StoredRun, after: StoredRun, margin_percent: float) -> Compared:
    """Compare two runs whose files somebody vouched for.

    Raises ``InputError`` where a cell is counted in other units, and ``ValueError`` for a margin that is none.
    """
    first, second = (
        live_campaign(each.plan, each.records, identities=each.identities, created_at=each.created_at)
        for each in (before, after)
    )
    policies = before.policy, after.policy
    return Compared(
        run_difference(first, second, policies, (_programs(before), _programs(after))),
        speed_change(first, second, policies, margin_percent),
    )


def _programs(run: StoredRun) -> dict[str, str]:
    first = run.events[0].data
    return {"pytest-weekops": str(first.get("version", "")), "python": str(first.get("python", ""))}
