"""The answer to one requirement, look by look: pass, fail, or not decided yet.

It passes where the lower bound lies at or above the limit, fails where the upper bound lies below it. A fail stays,
since later snapshots do not take back what was certain; a pass has to hold at the last look, since a green answer that
the newest numbers do not bear out is not earned. Both together are monotone: a value that falls turns no answer milder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_weekops.core.judge.certainty.intervals import Interval, Levels, location_interval, require_finite
from pytest_weekops.core.judge.certainty.ranks import signed_rank_tails
from pytest_weekops.core.judge.certainty.sequential import LookPlan, rank_levels
from pytest_weekops.core.judge.certainty.spread import Spread
from pytest_weekops.core.judge.finding import CheckStatus

Bounds = Callable[[int, Levels], Interval]  # the interval at a look, from its snapshots and levels


@dataclass(frozen=True)
class Errors:
    """Overall one-sided errors of a whole run, all looks together.

    ``false_fail``: that any requirement fails whose truth lies at its limit or better. ``false_pass``: that the run
    promotes though the truth of one lies at its limit or worse; every requirement has to pass, so each has all of it.
    """

    false_fail: float = 0.01
    false_pass: float = 0.025

    def __post_init__(self) -> None:
        for name, error in (("false_fail", self.false_fail), ("false_pass", self.false_pass)):
            if not 0 < error < 0.5:
                raise ValueError(f"{name} is a probability between 0 and a half, not {error}")


@dataclass(frozen=True)
class Requirement:
    """One cell's values against one limit: ``values`` are log ratios, one a snapshot in order, and larger is better.

    ``limit`` is a log ratio too: ``math.log(0.85)`` for a floor of 0.85. A ceiling is asked for with the signs of both
    turned. ``spread`` is known beforehand (a calibration, or assumed); None asks the ranks alone, which decide late.
    """

    name: str
    values: tuple[float, ...]
    limit: float
    spread: Spread | None = None


@dataclass(frozen=True)
class Answer:
    """What the looks so far say, and how sure it is.

    ``interval`` and ``levels`` are those of the last look; ``decided_after`` the snapshots at which the answer was
    given that still stands, None where it is open. ``error`` is the overall error of that answer for this requirement
    (a run's share of ``false_fail``, or ``false_pass``).
    """

    name: str
    status: CheckStatus
    limit: float
    interval: Interval
    levels: Levels
    snapshots: int
    decided_after: int | None
    error: Errors

    @property
    def is_decided(self) -> bool:
        """Whether no further snapshot is asked for by this requirement."""
        return self.status in (CheckStatus.PASS, CheckStatus.FAIL)


def answer(requirement: Requirement, plan: LookPlan, errors: Errors) -> Answer:
    """Answer a requirement at each look that its values reach. ``errors`` are this requirement's own.

    Raises ``ValueError`` where a value is not finite, where there is none, or where there are more than the plan's
    budget.
    """
    values = requirement.values
    require_finite(values)
    ranked = [signed_rank_tails(look) for look in plan.reached(len(values))] if requirement.spread is None else None

    def bounds(look: int, levels: Levels) -> Interval:
        return location_interval(values[:look], levels, requirement.spread)

    return look_by_look(
        requirement.name, requirement.limit, bounds, levels_of(plan, errors, len(values), ranked), len(values), errors
    )


def levels_of(
    plan: LookPlan, errors: Errors, count: int, ranked: Sequence[Sequence[Fraction]] | None
) -> tuple[tuple[int, Levels], ...]:
    """Looks reached and their levels: of a known spread, or, with the exact tails at each look, of ranks."""
    lower, upper = (
        plan.levels(error, count) if ranked is None else rank_levels(plan.shares(error, count), ranked)
        for error in (errors.false_pass, errors.false_fail)
    )
    return tuple((look, Levels(*each)) for look, *each in zip(plan.reached(count), lower, upper, strict=True))


def look_by_look(
    name: str,
    limit: float,
    bounds: Bounds,
    looks: Sequence[tuple[int, Levels]],
    count: int,
    errors: Errors,
) -> Answer:
    """The answer after all looks: a fail stays, a pass is that of the last one."""
    status, since = CheckStatus.INCONCLUSIVE, None
    interval, levels = bounds(count, Levels(0.0, 0.0)), Levels(0.0, 0.0)
    for look, levels in looks:
        interval = bounds(look, levels)
        if status is CheckStatus.FAIL:
            continue
        now = _status(interval, limit)
        since = None if now is CheckStatus.INCONCLUSIVE else since if now is status else look
        status = now
    return Answer(name, status, limit, interval, levels, count, since, errors)


def _status(interval: Interval, limit: float) -> CheckStatus:
    if interval.upper < limit:
        return CheckStatus.FAIL
    return CheckStatus.PASS if interval.lower >= limit else CheckStatus.INCONCLUSIVE
