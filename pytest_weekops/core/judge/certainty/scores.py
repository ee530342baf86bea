"""Censored scores: what a snapshot says for or against a limit, in standard deviations, but never more than so many.

The most robust of probability ratio tests clips what one observation may say (Huber 1965), so that a snapshot which a
neighbour spoilt counts as a bad one and not as ten. The sum of clipped scores never rises where a value falls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pytest_weekops.core.judge.certainty.spread import Spread

_NORMAL = NormalDist()
CLIP = 1.5  # standard deviations that a snapshot may say, where there are many
# With few snapshots each may say this many times its share of what the level asks for, or none could ever decide. With
# less, three snapshots decide next to nothing; with more, one of them decides nearly alone.
SHARE = 1.25
_STEPS = 4  # of a guess, after which it is as good as it gets
GRID = 2.0**-40  # bounds are multiples of it: the same on each machine, and monotone to the last bit


@dataclass(frozen=True)
class Score:
    """The test of one level with so many snapshots of a known spread: it speaks from :attr:`needed` on."""

    spread: Spread
    count: int
    level: float

    @property
    def needed(self) -> float:
        """Least sum of scores, in standard deviations of its own, that rejects at the level; infinite at level 0."""
        correlated = self.spread.of_mean(self.count) / self.spread.sd * math.sqrt(self.count)
        return self.spread.reach(self.level) * correlated

    @property
    def clip(self) -> float:
        """Most standard deviations that one snapshot may say."""
        return max(CLIP, SHARE * self.needed / math.sqrt(self.count))

    @property
    def least(self) -> float:
        """The same as :attr:`needed`, for the plain sum of clipped values."""
        return self.needed * math.sqrt(self.count * clipped_moments(0.0, self.clip)[1])

    def lower(self, values: Sequence[float]) -> float:
        """The highest limit that the values are certainly above; minus infinity at level 0."""
        if self.level <= 0:
            return -math.inf
        least, clip = self.least, self.clip
        low, high = math.floor((min(values) - clip * self.spread.sd) / GRID) - 1, math.ceil(max(values) / GRID) + 1
        low, high = self._around(self._guess(values, least, clip), values, (low, high), least)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._sum(values, middle * GRID, clip) >= least else (low, middle)
        return low * GRID

    def _guess(self, values: Sequence[float], least: float, clip: float) -> float:
        """About where the sum falls below ``least``: it is a straight line wherever no score begins to be clipped."""
        sd = self.spread.sd
        limit = math.fsum(values) / len(values) - least * sd / len(values)
        for _ in range(_STEPS):
            scores = [(value - limit) / sd for value in values]
            inside = sum(-clip < score < clip for score in scores)
            if not inside:
                break
            further = (sum([min(clip, max(-clip, score)) for score in scores]) - least) * sd / inside
            limit += further
            if abs(further) < GRID:
                break
        return limit

    def _around(self, guess: float, values: Sequence[float], ends: tuple[int, int], least: float) -> tuple[int, int]:
        """Multiples of the grid between which the sum falls below ``least``, inside of ``ends``, which are two such.

        It never rises with the limit, rounding included, so that a search from anywhere ends at the same place.
        """
        low, high = ends
        if not low * GRID < guess < high * GRID:
            return ends
        clip, step = self.clip, 1
        place = min(max(math.floor(guess / GRID), low + 1), high - 1)
        is_above = self._sum(values, place * GRID, clip) >= least
        while is_above:
            low, place, step = place, place + step, 4 * step
            if place >= high:
                return low, high
            is_above = self._sum(values, place * GRID, clip) >= least
        while not is_above:
            high, place, step = place, place - step, 4 * step
            if place <= low:
                return low, high
            is_above = self._sum(values, place * GRID, clip) >= least
        return place, high

    def upper(self, values: Sequence[float]) -> float:
        """The lowest limit that the values are certainly below; infinity at level 0."""
        return -self.lower([-value for value in values])

    def _sum(self, values: Sequence[float], limit: float, clip: float) -> float:
        sd = self.spread.sd
        return math.fsum([min(clip, max(-clip, (value - limit) / sd)) for value in values])

    def expected(self, distance: float) -> tuple[float, float]:
        """Mean and standard deviation of the test's sum for a truth so far from the limit, over what is needed.

        ``distance`` is in the values' own unit. The first reaches 1 where the test is expected to speak.
        """
        mean, variance = clipped_moments(distance / self.spread.sd, self.clip)
        correlated = self.spread.of_mean(self.count) / self.spread.sd * self.count
        return self.count * mean / self.least, math.sqrt(variance) * correlated / self.least


def clipped_moments(mean: float, clip: float) -> tuple[float, float]:
    """Mean and variance of a normal value of variance 1, clipped at ``clip`` on both sides of 0."""
    low, high = -clip - mean, clip - mean
    inside = _NORMAL.cdf(high) - _NORMAL.cdf(low)
    below, above = _NORMAL.cdf(low), _NORMAL.cdf(-high)
    slope = _NORMAL.pdf(low) - _NORMAL.pdf(high)
    first = mean * inside + slope + clip * (above - below)
    second = (mean * mean + 1.0) * inside + 2.0 * mean * slope + low * _NORMAL.pdf(low) - high * _NORMAL.pdf(high)
    second += clip * clip * (above + below)
    return first, max(second - first * first, 0.0)
