"""What the conformance suites of a run say: whose results they are, what they are held against, what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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

    ``overdue`` are the known tests of this suite and driver that excuse nothing, since their day is over or too far.
    """

    suite: str
    platform: str
    lack: Lack = ""
    words: str = ""
    tested: SuiteResults | None = None
    against: str = ""
    changes: tuple[Change, ...] = ()
    overdue: tuple[KnownTest, ...] = ()

    @property
    def name(self) -> str:
        """Suite and platform."""
        return f"{self.suite} on {self.platform}"

    def of(self, *kinds: Kind) -> tuple[Change, ...]:
        """The changes of these kinds, in the order of their names."""
        return tuple(change for change in self.changes if change.kind in kinds)

    @property
    def told(self) -> str:
        """What was compared with what, and how many tests ended how."""
        if self.tested is None or self.lack:
            return f"{self.name}: {self.words}"
        ended = Counter(each.status for each in self.tested.tests)
        counts = ", ".join(f"{ended[status]} {status}" for status in sorted(ended, key=lambda one: -ended[one]))
        return f"{self.name} ({self.tested.version}): {counts}, held against {self.against}"


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
    lack, words = next(_lacks(policy, campaign, mine, other), ("", ""))
    if lack or mine.results is None or other.results is None:
        return Compared(suite, platform, lack or "missing", words)
    about = [known for known in campaign.plan.known_tests if _speaks_of(known, campaign, suite, platform)]
    today = day_of(campaign.created_at)
    known: dict[tuple[str, str], str] = {(one.test, one.kind): one.words for one in about if is_in_force(one, today)}
    return Compared(
        suite,
        platform,
        tested=mine.results,
        against=_named(other, mine.results),
        changes=compare(other.results, mine.results, known),
        overdue=tuple(one for one in about if not is_in_force(one, today)),
    )


def _records(campaign: Campaign, suite: str, platform: str, role: str) -> list[ConformanceRecord]:
    every = (record for record in campaign.records if isinstance(record, ConformanceRecord))
    return [one for one in every if (one.suite, one.platform, one.role) == (suite, platform, role)]


def _speaks_of(known: KnownTest, campaign: Campaign, suite: str, platform: str) -> bool:
    return known.suite == suite and known.driver.is_of(campaign.identities.get(platform))


def _lacks(
    policy: Policy, campaign: Campaign, mine: ConformanceRecord, other: ConformanceRecord
) -> Iterator[tuple[Lack, str]]:
    """Everything that keeps two sets of results from being compared, the gravest first."""
    rules, now = policy.conformance, campaign.created_at
    if mine.results is None:
        yield "missing", mine.problem or "no results of the driver under test"
        return
    if words := not_of(mine.results, campaign.identities.get(mine.platform), campaign.driver_files(mine.platform)):
        yield "untied", f"the results are of another driver: {words}"
    for words in problems(
        mine.results, now, max_age_days=rules.max_age_days, max_left_out_share=rules.max_left_out_share
    ):
        yield "unusable", words
    if other.results is None:
        yield "no_reference", other.problem or "no results of the driver in service"
        return
    if words := _not_in_service(campaign, other):
        yield "no_reference", words
    for words in problems(
        other.results,
        other.results.created_at,  # a driver that is in service does not become another one with time
        max_age_days=rules.max_age_days,
        max_left_out_share=rules.max_left_out_share,
    ):
        yield "no_reference", f"of the results that it is held against: {words}"
    suites = [(one.results.suite, one.results.version) for one in (mine, other) if one.results is not None]
    if suites != [(mine.suite, suites[0][1])] * 2:
        yield "another_version", f"{' and '.join(' '.join(each) for each in suites)} cannot be compared"


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


def _named(other: ConformanceRecord, tested: SuiteResults) -> str:
    """Which driver's results the tested ones are held against."""
    assert other.results is not None
    theirs = other.results.identity
    name = f"{theirs.profile} {theirs.driver_version}"
    if not other.reference_run:
        return f"{name}, the driver in service"
    same = not not_of(other.results, tested.identity, tested.files)
    return f"{name} of the promoted run {other.reference_run}{', this very driver' if same else ''}"


def counted(sides: Sequence[Compared], *kinds: Kind) -> list[tuple[Compared, Change]]:
    """The changes of these kinds on every side, with the side each belongs to."""
    return [(side, change) for side in sides for change in side.of(*kinds)]
