"""How far the ratio of one snapshot lies from the true one: known beforehand, never from the numbers it judges.

That is no choice of taste. A bound that moves with the values, scales with them and never rises where one falls is at
least their minimum: all values are at or above it, so the bound is at or above that of the minimum repeated, which is
the minimum. With ``k`` snapshots and their numbers alone no monotone bound has an error below ``2 ** -k``, one in
eight at three snapshots. What allows less must come from elsewhere: a calibration, or a spread that is assumed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.student import student_quantile


@dataclass(frozen=True)
class Spread:
    """Standard deviation of a snapshot's log ratio, and how well it is known.

    ``degrees`` are the degrees of freedom of its estimate, one less than the snapshots of a calibration; None where it
    is not an estimate, but assumed or stated by a policy. ``lag1`` is the correlation of neighbouring snapshots; below
    0 it counts as 0. ``source`` says in words where it comes from. Raises ``ValueError`` for what cannot be a spread.
    """

    sd: float
    degrees: int | None = None
    lag1: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sd) and self.sd > 0):
            raise ValueError(f"a spread is a finite number above 0, not {self.sd}")
        if self.degrees is not None and self.degrees < 1:
            raise ValueError(f"a spread has at least one degree of freedom, not {self.degrees}")
        if not -1 < self.lag1 < 1:
            raise ValueError(f"a correlation lies between -1 and 1, not at {self.lag1}")

    def reach(self, level: float) -> float:
        """How many estimated standard deviations a normal value exceeds with that probability; infinite for 0."""
        return student_quantile(level, self.degrees) if level > 0 else math.inf

    def of_sum(self, weights: Sequence[float]) -> float:
        """Standard deviation of a weighted sum of neighbouring snapshots, correlated as a first-order process."""
        lag = max(self.lag1, 0.0)
        variance = math.fsum(
            one * other * (lag ** abs(i - j) if i != j else 1.0)
            for i, one in enumerate(weights)
            for j, other in enumerate(weights)
        )
        return self.sd * math.sqrt(max(variance, 0.0))

    def of_mean(self, count: int) -> float:
        """Standard deviation of the mean of so many snapshots."""
        return self.sd * mean_share(max(self.lag1, 0.0), count)


@functools.lru_cache(maxsize=4096)
def mean_share(lag: float, count: int) -> float:
    """Standard deviation of the mean of so many neighbours over that of one; the square root's law where lag is 0."""
    neighbours = math.fsum((count - step) * lag**step for step in range(1, count)) if lag else 0.0
    return math.sqrt(count + 2.0 * neighbours) / count


# What is assumed without a calibration. Pairs of single launches have 0.003 to 0.029 on machines of two cores, busy or
# not; at twice that and more three snapshots still decide what is clear.
ASSUMED = Spread(0.05, source="assumed: no calibration of this host")
