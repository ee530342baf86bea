"""What came of each expectation that speaks of a run. Only one that was met in full excuses anything: its own cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

from pytest_weekops.core.measurement.applicability import not_applicable, untimed
from pytest_weekops.core.measurement.capabilities import KnownLoss
from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.known_test import KnownTest
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, DeviceIdentity, Measurement, MeasurementStatus

MOST_DAYS = 366  # an expectation that ends later than that is a rule, and belongs into a policy
State = Literal["met", "expired", "everything", "unsteady", "unneeded", "unmeasured"]
Cell = tuple[str, str, int]  # platform, kernel, size


@dataclass(frozen=True)
class Outcome:
    """An expectation, the cell of the run that it speaks of, and what came of it.

    ``met``: every planned case of the cell ended with exactly this fault. ``expired``: its day is over, more than
    :data:`MOST_DAYS` ahead, or the run's own day is not known. ``everything``: met, as in every cell of the platform.
    ``unsteady``: in some cases of the cell and not in others. ``unneeded``: never, and the cell was measured.
    ``unmeasured``: never, and nothing of the cell was.
    """

    expectation: Expectation
    cell: Cell
    state: State

    @property
    def name(self) -> str:
        """The cell for people."""
        return f"{self.cell[0]} {self.cell[1]}:{self.cell[2]}"


def outcomes(
    plan: CampaignPlan,
    identities: Mapping[str, DeviceIdentity],
    measurements: Sequence[Measurement],
    created_at: str,
) -> tuple[Outcome, ...]:
    """What came of each expectation that speaks of a driver and a cell of a measured run, in the plan's order."""
    if plan.kind == "canonical" or not plan.expected:
        return ()
    made: dict[Case, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        made[measurement.case].append(measurement)
    cells: dict[Cell, list[Case]] = defaultdict(list)
    for case in plan.all_cases():
        cells[(case.platform, case.kernel, case.size)].append(case)
    today = day_of(created_at)
    found = [
        Outcome(one, cell, _state(one, [made.get(case, []) for case in cases], today))
        for one in plan.expected
        for cell, cases in cells.items()
        if one.is_about(cases[0], identities.get(cell[0]))
    ]
    apart = {*not_applicable(plan, identities), *untimed(plan, identities)}
    return tuple(_never_everything(found, [cell for cell in cells if cell[:2] not in apart], plan))


def silent(plan: CampaignPlan, identities: Mapping[str, DeviceIdentity]) -> Iterator[str]:
    """Expectations of a driver that a measured run has, which speak of nothing in it, and why not, in words.

    Those of other drivers are silent as well, and are not told: a file may be that of a whole fleet.
    """
    rows: dict[str, set[str]] = defaultdict(set)
    for case in plan.all_cases() if plan.kind != "canonical" else ():
        rows[case.platform].add(case.row)
    for one in plan.expected:
        mine = {label: who for label, who in identities.items() if who.profile == one.driver.profile and label in rows}
        named = [label for label, who in mine.items() if one.driver.is_of(who)]
        if named and not any(one.case in rows[label] for label in named):
            yield f"{one.driver.profile} {one.case} (there is no such cell)"
        elif mine and not named:
            versions = ", ".join(sorted({who.driver_version for who in mine.values()}))
            version, digest = one.driver.driver_version, str(one.driver.library_sha256)[:12]
            which = f"version {version}" if version else f"the library with the hash {digest}"
            yield f"{one.driver.profile} {one.case} (of {which}; this is {versions})"


def day_of(created_at: str) -> date | None:
    """The day of a run in UTC; None where its stamp is none."""
    try:
        return datetime.fromisoformat(created_at).astimezone(UTC).date()
    except (ValueError, TypeError, OverflowError):
        return None


def is_in_force(expectation: Expectation | KnownTest | KnownLoss, today: date | None) -> bool:
    """Whether it may excuse anything on that day."""
    return today is not None and 0 <= (expectation.expires - today).days <= MOST_DAYS


def _state(one: Expectation, cases: Sequence[Sequence[Measurement]], today: date | None) -> State:
    if not is_in_force(one, today):
        return "expired"
    hits = sum(len(made) == 1 and one.is_of(made[0]) for made in cases)
    failed = sum(not any(m.status is MeasurementStatus.OK for m in made) for made in cases)
    return state_of(hits=hits, failed=failed, many=len(cases))


def state_of(*, hits: int, failed: int, many: int) -> State:
    """The state of one in force, of whose ``many`` cases ``hits`` ended with its fault, and ``failed`` did not work."""
    if hits:
        return "met" if hits == many else "unsteady"
    return "unneeded" if failed < many else "unmeasured"


def _never_everything(found: Sequence[Outcome], cells: Sequence[Cell], plan: CampaignPlan) -> Iterator[Outcome]:
    """The outcomes, where none excuses a platform of which nothing would be left to judge."""
    out = excused(found, plan)
    left = {cell[0] for cell in cells if cell not in out}
    for each in found:
        yield each if each.state != "met" or each.cell[0] in left else replace(each, state="everything")


def excused(found: Sequence[Outcome], plan: CampaignPlan) -> frozenset[Cell]:
    """The cells that the verdict leaves out, by name, since they failed as they were expected to.

    In a split the other side's goes with them: by itself it compares nothing. It has to have worked all the same.
    """
    met = failed_as_expected(found)
    if plan.kind != "split":
        return met
    return frozenset((platform, kernel, size) for _platform, kernel, size in met for platform in plan.platforms)


def failed_as_expected(found: Sequence[Outcome]) -> frozenset[Cell]:
    """The cells of which each planned case ended with the fault that was expected."""
    return frozenset(each.cell for each in found if each.state == "met")
