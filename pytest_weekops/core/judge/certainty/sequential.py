"""Looks at a run while it goes on, with nominal levels that keep the stated overall error.

Each look spends a part of the error (Lan and DeMets 1983), by Pocock's shape (1977), which decides early, or O'Brien
and Fleming's (1979), which saves the error for the last look. Boundaries come of the recursion of Armitage, McPherson
and Rowe (1969) for sums of independent normal values; neighbours that are correlated cross less often.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist
from typing import Literal

Shape = Literal["pocock", "obrien-fleming"]

_NORMAL = NormalDist()
_CELLS = 80  # of Simpson's rule: levels are exact to one in a thousand
_REACH = 8.0
_STEP = 1.6  # of a look to the next
_NOTHING = 1e-12  # an error too small to bound anything with


@dataclass(frozen=True)
class LookPlan:
    """After how many snapshots one looks; the last is the budget. ``LookPlan((6,))`` is a fixed design.

    Raises ``ValueError`` for looks that do not rise, or one of fewer than two snapshots.
    """

    looks: tuple[int, ...] = (3, 5, 8, 12)
    shape: Shape = "pocock"

    def __post_init__(self) -> None:
        if not self.looks or self.looks[0] < 2 or any(a >= b for a, b in pairwise(self.looks)):
            raise ValueError(f"looks rise, from two snapshots or more, and {self.looks} do not")

    @classmethod
    def between(cls, least: int, most: int, shape: Shape = "pocock") -> LookPlan:
        """Looks from the least number of snapshots to the most, each some 1.6 times the one before; 3 to 12 are four.

        ``least == most`` is a fixed design. Raises ``ValueError`` where the budget is below the minimum.
        """
        if most < least:
            raise ValueError(f"a budget of {most} snapshots is below the minimum of {least}")
        looks = [least]
        while looks[-1] < most:
            looks.append(min(most, max(looks[-1] + 1, round(_STEP * looks[-1]))))
        return cls(tuple(looks), shape)

    @property
    def budget(self) -> int:
        """The most snapshots."""
        return self.looks[-1]

    def reached(self, count: int) -> tuple[int, ...]:
        """The looks taken with so many snapshots. A run that ended between two of them is looked at where it ended."""
        if count > self.budget:
            raise ValueError(f"{count} snapshots, and the last look is after {self.budget}")
        taken = tuple(look for look in self.looks if look <= count)
        return taken if count < 2 or taken[-1:] == (count,) else (*taken, count)

    def after(self, count: int) -> int | None:
        """The next look, in snapshots; None after the last."""
        return next((look for look in self.looks if look > count), None)

    def levels(self, error: float, count: int) -> tuple[float, ...]:
        """One-sided nominal level of each look reached with ``count`` snapshots, for a bound of known spread."""
        return nominal_levels(self.reached(count), self.budget, error, self.shape)

    def shares(self, error: float, count: int) -> tuple[float, ...]:
        """What of the error each look reached may spend: valid for any statistic, since the shares add up."""
        spent = [spending(look / self.budget, error, self.shape) for look in self.reached(count)]
        return tuple(now - before for before, now in pairwise([0.0, *spent]))


def least_budget(error: float) -> int:
    """Fewest snapshots of which all could say the same by chance with at most that probability.

    Without a spread no smaller budget can ever decide. With one, two can.
    """
    return max(2, math.ceil(-math.log2(error)))


def spending(share: float, error: float, shape: Shape) -> float:
    """What of a one-sided error is spent when that share of the budget is measured."""
    if share >= 1:
        return error
    if shape == "pocock":
        spent = error * math.log(1.0 + (math.e - 1.0) * share)
    else:
        spent = 2.0 * _NORMAL.cdf(_NORMAL.inv_cdf(error / 2.0) / math.sqrt(share))
    return min(error, spent)  # just below the whole, rounding would spend more than there is


@functools.lru_cache(maxsize=256)
def nominal_levels(looks: tuple[int, ...], budget: int, error: float, shape: Shape) -> tuple[float, ...]:
    """Nominal levels with which the looks together spend what the shape says, and no more. 0 where nothing is left."""
    spent = [spending(look / budget, error, shape) for look in looks]
    density: tuple[list[float], list[float]] | None = None
    found: list[float] = []
    for place, look in enumerate(looks):
        due = spent[place] - (spent[place - 1] if place else 0.0)
        step = look - looks[place - 1] if place else look
        bound = _boundary(density, step, look, due)
        if look != looks[-1]:
            density = _carried_on(density, step, look, bound)
        found.append(_NORMAL.cdf(-bound) if due > _NOTHING else 0.0)
    return tuple(found)


def _boundary(density: tuple[list[float], list[float]] | None, step: int, look: int, due: float) -> float:
    """Standard deviations above which a look spends what is due, among the runs that got there."""
    if due <= _NOTHING:
        return _REACH
    if density is None:
        return -_NORMAL.inv_cdf(due)
    low, high = 0.0, _REACH
    while high - low > 1e-9:
        middle = (low + high) / 2.0
        low, high = (middle, high) if _crossing(density, step, middle * math.sqrt(look)) > due else (low, middle)
    return high


def _crossing(density: tuple[list[float], list[float]], step: int, bound: float) -> float:
    places, weights = density
    scale = math.sqrt(2.0 * step)
    return math.fsum(w * math.erfc((bound - s) / scale) for s, w in zip(places, weights, strict=True)) / 2.0


def _carried_on(
    before: tuple[list[float], list[float]] | None, step: int, look: int, bound: float
) -> tuple[list[float], list[float]]:
    """The sum's density among runs that stay below the bound, as places and weights of Simpson's rule."""
    low, high = -_REACH * math.sqrt(look), bound * math.sqrt(look)
    width = (high - low) / _CELLS
    places = [low + width * cell for cell in range(_CELLS + 1)]
    scale = math.sqrt(2.0 * math.pi * step)
    weights = []
    for cell, place in enumerate(places):
        rule = width / 3.0 * (1.0 if cell in (0, _CELLS) else 4.0 if cell % 2 else 2.0)
        if before is None:
            mass = math.exp(-place * place / (2.0 * step))
        else:
            mass = math.fsum(w * math.exp(-((place - s) ** 2) / (2.0 * step)) for s, w in zip(*before, strict=True))
        weights.append(rule * mass / scale)
    return places, weights


def rank_levels(shares: Sequence[float], tails: Sequence[Sequence[Fraction]]) -> tuple[float, ...]:
    """Levels for rank bounds, whose own levels are few: what a look cannot use is left to those after it.

    ``tails`` are the exact tails at each look.
    """
    left, found = 0.0, []
    for share, tail in zip(shares, tails, strict=True):
        left += share
        found.append(left)
        left -= float(max((each for each in tail if each <= left), default=Fraction(0)))
    return tuple(found)
