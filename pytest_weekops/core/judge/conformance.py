"""What the conformance suites of a run say: whose results they are, what they are held against, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_weekops.core.conformance.changes import Change, Kind, compare
from pytest_weekops.core.conformance.results import ConformanceRecord, SuiteResults, problems
from pytest_weekops.core.conformance.tie import not_of
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.expected import day_of, is_in_force
from pytest_weekops.core.measurement.known_test import KnownTest
from pytest_weekops.core.policy.policy import Policy

Lack = Literal["", "missing", "untied", "unusable", "no_reference", "another_version"]


@dataclass(frozen=True)
class Compared:
    """One suite on one platform under test: every test's change, or what is lacking (``lack``) and why in ``words``.

    ``told`` says what was compared with what, and how many tests ended how.
    ``overdue`` are the known tests of this suite and driver that excuse nothing, since their day is over or too far.
    """

    suite: str
    platform: str
    lack: Lack = ""
    words: str = ""
    tested: SuiteResults | None = None
    told: str = ""
    changes: tuple[Change, ...] = ()
    overdue: tuple[KnownTest, ...] = ()

    @property
    def name(self) -> str:
        """Suite and platform."""
        return f"{self.suite} on {self.platform}"

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of these kinds, in the order of their names."""
        return tuple(change for change in self.changes if change.kind in kinds)


def compared(policy: Policy, campaign: Campaign) -> tuple[Compared, ...]:
    """Each suite that the plan asks for, on each platform under test."""
    plan = campaign.plan
    tested = (plan.candidate_platform,) if plan.kind == "split" else plan.platforms
    return tuple(_one(policy, campaign, suite, str(platform)) for suite in plan.evidence for platform in tested)


def _one(policy: Policy, campaign: Campaign, suite: str, platform: str) -> Compared:
    found = _records(campaign, suite, platform, "tested")
    against = _records(campaign, suite, platform, "reference")
    if len(found) != 1 or len(against) != 1:
        words = f"{len(found)} records of the driver under test and {len(against)} of the one it is held against"
        return Compared(suite, platform, "missing", words)
    (mine,), (other,) = found, against
    lack, words = _lack(policy, campaign, mine, other)
    if lack:
        return Compared(suite, platform, lack, words)
    assert mine.results is not None
    assert other.results is not None
    about = [known for known in campaign.plan.known_tests if _speaks_of(known, campaign, suite, platform)]
    today = day_of(campaign.created_at)
    known: dict[tuple[str, str], str] = {(one.test, one.kind): one.words for one in about if is_in_force(one, today)}
    return Compared(
        suite,
        platform,
        tested=mine.results,
        told=f"{suite} on {platform} ({mine.results.version}): {_ended(mine.results)}, {_against(other, mine.results)}",
        changes=compare(other.results, mine.results, known),
        overdue=tuple(one for one in about if not is_in_force(one, today)),
    )


def _records(campaign: Campaign, suite: str, platform: str, role: str) -> list[ConformanceRecord]:
    every = (record for record in campaign.records if isinstance(record, ConformanceRecord))
    return [one for one in every if (one.suite, one.platform, one.role) == (suite, platform, role)]


def _speaks_of(known: KnownTest, campaign: Campaign, suite: str, platform: str) -> bool:
    return known.suite == suite and known.driver.is_of(campaign.identities.get(platform))


def _lack(policy: Policy, campaign: Campaign, mine: ConformanceRecord, other: ConformanceRecord) -> tuple[Lack, str]:
    """What keeps two sets of results from being compared, the gravest alone; nothing where they can be."""
    rules, now = policy.conformance, campaign.created_at
    most = {"max_age_days": rules.max_age_days, "max_left_out_share": rules.max_left_out_share}
    if mine.results is None:
        return "missing", mine.problem or "no results of the driver under test"
    if words := not_of(mine.results, campaign.identities.get(mine.platform), campaign.driver_files(mine.platform)):
        return "untied", f"the results are of another driver: {words}"
    if words := next(problems(mine.results, now, **most), ""):
        return "unusable", words
    if other.results is None:
        return "no_reference", other.problem or "no results of the driver in service"
    if words := _not_in_service(campaign, other):
        return "no_reference", words
    # A driver in service does not become another one with time: its results are as old as they are.
    if words := next(problems(other.results, other.results.created_at, **most), ""):
        return "no_reference", f"of the results that it is held against: {words}"
    suites = [(one.suite, one.version) for one in (mine.results, other.results)]
    if suites != [(mine.suite, mine.results.version)] * 2:
        return "another_version", f"{' and '.join(' '.join(each) for each in suites)} cannot be compared"
    return "", ""


def _not_in_service(campaign: Campaign, other: ConformanceRecord) -> str:
    """Why the results of the reference are not of the driver that this run is held against."""
    plan, results = campaign.plan, other.results
    assert results is not None
    label = plan.baseline_platform if plan.kind == "split" else plan.service.label if plan.service else None
    if label is None:
        return "" if other.reference_run else "no run promoted a driver here, so nothing is known to have worked before"
    partner = campaign.partner.identity if campaign.partner is not None else None
    identity = campaign.identities.get(label) if plan.kind == "split" else partner
    words = not_of(results, identity, campaign.driver_files(label))
    return f"the results of {label} are of another driver: {words}" if words else ""


def _ended(results: SuiteResults) -> str:
    ended = results.counts
    return ", ".join(f"{ended[status]} {status}" for status in sorted(ended, key=lambda one: -ended[one]))


def _against(other: ConformanceRecord, tested: SuiteResults) -> str:
    """Which driver's results the tested ones are held against."""
    assert other.results is not None
    theirs = other.results.identity
    name = f"{theirs.profile} {theirs.driver_version}"
    if not other.reference_run:
        return f"held against {name}, the driver in service"
    same = not not_of(other.results, tested.identity, tested.files)
    return f"held against {name} of the promoted run {other.reference_run}{', this very driver' if same else ''}"


def counted(sides: Sequence[Compared], *kinds: Kind) -> list[tuple[Compared, Change]]:
    """The changes of these kinds on every side, with the side each belongs to."""
    return [(side, change) for side in sides for change in side.of(*kinds)]
