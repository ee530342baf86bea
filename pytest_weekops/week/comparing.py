"""Two stored runs side by side: what differs, and each cell's speed. The command and the site say the same of them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_weekops.core.judge.campaign import Campaign, live_campaign
from pytest_weekops.core.judge.run_difference import run_difference
from pytest_weekops.core.judge.run_speed import SpeedChange, speed_change
from pytest_weekops.evidence.stored_run import StoredRun


@dataclass(frozen=True)
class Compared:
    """Differences in words by what they are of, and the speeds."""

    differences: dict[str, tuple[str, ...]]
    speed: SpeedChange


@dataclass(frozen=True)
class Comparable:
    """A stored run, with what is known of its cells once somebody has asked."""

    run: StoredRun
    campaign: Campaign


def comparable(run: StoredRun) -> Comparable:
    """The run as it is compared: its pins and its segments are not asked about."""
    return Comparable(run, live_campaign(run.plan, run.records, identities=run.identities, created_at=run.created_at))


def compare_runs(before: StoredRun, after: StoredRun, margin_percent: float) -> Compared:
    """Compare two runs whose files somebody vouched for.

    Raises ``InputError`` where a cell is counted in other units, and ``ValueError`` for a margin that is none.
    """
    return compare(comparable(before), comparable(after), margin_percent)


def compare(before: Comparable, after: Comparable, margin_percent: float) -> Compared:
    """The same, of runs that may be compared with others as well."""
    policies = before.run.policy, after.run.policy
    return Compared(
        run_difference(before.campaign, after.campaign, policies, (_programs(before.run), _programs(after.run))),
        speed_change(before.campaign, after.campaign, policies, margin_percent),
    )


def compared_text(first: str, second: str, compared: Compared) -> str:
    """Two runs side by side as a page of its own, which leads nowhere."""
    from pytest_weekops.report.page.shown import Link
    from pytest_weekops.report.site.comparing import show_compared
    from pytest_weekops.report.site.render import render_alone

    page = show_compared(Link("", first), Link("", second), compared.differences, compared.speed, {})
    return render_alone(page)


def _programs(run: StoredRun) -> dict[str, str]:
    first = run.events[0].data
    return {"pytest-weekops": str(first.get("version", "")), "python": str(first.get("python", ""))}
