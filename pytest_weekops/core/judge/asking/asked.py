"""One thing that a run is asked, and its answer, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from pytest_weekops.core.judge.campaign import CellKey
from pytest_weekops.core.judge.certainty.answers import (
    Answer,
    Bounds,
    Errors,
    Requirement,
    answer,
    levels_of,
    look_by_look,
)
from pytest_weekops.core.judge.certainty.intervals import Interval, Levels
from pytest_weekops.core.judge.certainty.resolution import snapshots_to_decide
from pytest_weekops.core.judge.certainty.sequential import LookPlan
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus

Kind = Literal["floor", "baseline", "service", "p95", "ratio", "latency", "trend", "fall", "overhead"]


@dataclass(frozen=True)
class Asked:
    """A requirement that waits for its share of the run's errors.

    ``cells`` are those whose measurements answer it. ``bound`` is the limit in words, ``broken`` how a value beyond it
    is called and ``held`` one within it, ``observed`` words for an estimate. ``requirement`` is there where it rests on
    one value a snapshot; where it does not, ``hint`` says what an open answer means. ``undecided`` says why no number
    of snapshots would answer it, ``contradicted`` what a second witness says where it alone keeps this from failing.
    """

    kind: Kind
    name: str
    cells: tuple[CellKey, ...]
    bound: str
    broken: str
    observed: Callable[[float], str]
    ask: Callable[[Errors], Answer]
    spread: Spread | None = None
    requirement: Requirement | None = None
    held: str = ""
    hint: str = ""
    undecided: str = ""
    contradicted: str = ""


@dataclass(frozen=True)
class Answered:
    """What was asked, and what the looks so far say."""

    asked: Asked
    answer: Answer
    plan: LookPlan

    @property
    def status(self) -> CheckStatus:
        """Pass, fail, or open."""
        return self.answer.status

    @property
    def words(self) -> str:
        """Why it did not pass, for people."""
        asked, found = self.asked, self.answer
        seen = asked.observed(found.interval.estimate)
        if asked.undecided:
            return f"{seen} {asked.undecided}"
        if self.is_contradicted:
            return f"{seen} {asked.broken}, and {asked.contradicted}"
        if found.status is CheckStatus.FAIL:
            return f"{seen} {asked.broken}, certain after {found.decided_after} snapshots"
        if asked.requirement is not None:
            change = f" ({self.change})" if self.change else ""
            return f"{seen}{change} is not certainly {asked.held} after {found.snapshots} snapshots{self._outlook()}"
        return f"{seen} {asked.broken} is not certain after {found.snapshots} snapshots{self._outlook()}"

    @property
    def is_contradicted(self) -> bool:
        """Whether it would fail by itself, and another witness does not show it."""
        found = self.answer
        return bool(self.asked.contradicted) and not found.is_decided and found.interval.upper < found.limit

    def _outlook(self) -> str:
        if self.asked.requirement is None:
            return f"; {self.asked.hint}" if self.asked.hint else ""
        needed = self.more
        return f"; about {needed} would decide" if needed else "; no number of snapshots that fits a run would decide"

    @cached_property
    def more(self) -> int | None:
        """How many snapshots in all would decide it, were the estimate the truth; None where that is not known."""
        if self.asked.requirement is None or self.asked.undecided or self.is_contradicted or self.answer.is_decided:
            return None
        return snapshots_to_decide(self.asked.requirement, self.answer, self.plan)

    @cached_property
    def change(self) -> str:
        """A change against what it is a ratio to, in words, where that is certain in its direction; else nothing.

        Where a spread that is assumed hides it, the ranks may say it of sides that were measured in the same run. A
        baseline was measured in another: its error is the same in each snapshot, and ranks would take it for a change.
        Eight snapshots and fewer have no ranks that are certain at an error of one in two hundred.
        """
        asked = self.asked
        if asked.undecided or self.is_contradicted or asked.kind not in ("baseline", "service", "ratio"):
            return ""
        if _is_certain(self.answer.interval):
            return f"{_change(self.answer.interval)}, certain"
        if asked.requirement is None or asked.kind == "baseline":
            return ""
        ranked = answer(replace(asked.requirement, spread=None), self.plan, self.answer.error)
        if not _is_certain(ranked.interval):
            return ""
        return f"{_change(ranked.interval)}, certain by the ranks of {ranked.snapshots} snapshots"


def _is_certain(found: Interval) -> bool:
    """Whether it lies on one side of no change."""
    return found.upper < 0.0 or found.lower > 0.0


def _change(found: Interval) -> str:
    percent = 100.0 * math.expm1(found.estimate)
    return f"{abs(percent):.1f} % {'slower' if percent < 0 else 'faster'}"


def ask_where_certain(
    name: str, limit: float, bounds: Bounds, count: int, plan: LookPlan
) -> Callable[[Errors], Answer]:
    """A question that fails where the upper bound lies below its limit, and passes where the estimate holds.

    What lies between the two is open. So the false block is bounded and nothing else is: for drifts and percentiles.
    """

    def by_estimate(look: int, levels: Levels) -> Interval:
        found = bounds(look, levels)
        return Interval(found.estimate, found.estimate, max(found.estimate, found.upper))

    return lambda own: look_by_look(name, limit, by_estimate, levels_of(plan, own, count, None), count, own)


def undecidable(asked: Asked, why: str) -> Asked:
    """The same question, open whatever the numbers say."""

    def ask(own: Errors) -> Answer:
        return replace(asked.ask(own), status=CheckStatus.INCONCLUSIVE, decided_after=None)

    return replace(asked, ask=ask, undecided=why)


def witnessed_by(asked: Asked, other: Asked, words: str) -> Asked:
    """The same question, which fails only where the other one does, too; ``words`` say what is meant where it does not.

    So no false block is added, and what passes is what passed before.
    """

    def ask(own: Errors) -> Answer:
        mine, theirs = asked.ask(own), other.ask(own)
        if mine.status is not CheckStatus.FAIL:
            return mine
        if theirs.status is not CheckStatus.FAIL:
            return replace(mine, status=CheckStatus.INCONCLUSIVE, decided_after=None)
        return replace(mine, decided_after=max(mine.decided_after or 0, theirs.decided_after or 0))

    return replace(asked, ask=ask, contradicted=words)


def told(found: Sequence[Answered], status: CheckStatus) -> tuple[str, ...]:
    """Each answer of that status, by name and in words."""
    return tuple(f"{each.asked.name}: {each.words}" for each in found if each.status is status)


def changes(found: Sequence[Answered]) -> list[str]:
    """Each change that is certain, by name and in words."""
    return [f"{each.asked.name} {each.change}" for each in found if each.change]


def details(found: Sequence[Answered]) -> tuple[dict[str, Any], ...]:
    """The answers as plain data, for ``details`` of a finding: logarithms of ratios, None where there is no bound."""
    return tuple(
        {
            "asked": each.asked.kind,
            "name": each.asked.name,
            "bound": each.asked.bound,
            "answer": each.status.value,
            "limit": each.answer.limit,
            "estimate": each.answer.interval.estimate,
            "lower": _finite(each.answer.interval.lower),
            "upper": _finite(each.answer.interval.upper),
            "snapshots": each.answer.snapshots,
            "decided_after": each.answer.decided_after,
        }
        for each in found
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
