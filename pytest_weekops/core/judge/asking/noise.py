"""Whether a run's snapshots scatter as its calibration says: the promised error rates rest on that. Decides nothing.

It is a warning and no check: a bound that moved with the spread of the numbers that it judges would let one worse
snapshot turn an answer milder.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from pytest_weekops.core.judge.asking.spreads import ratio_spread
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.pairing import pairings
from pytest_weekops.core.policy.policy import Policy

LEAST_SNAPSHOTS = 3


def noise_ratio(policy: Policy, campaign: Campaign) -> float | None:
    """This run's spread over the calibrated one, over all of its comparisons; None where none is calibrated.

    A comparison has three snapshots at least, and one seed, as a calibration has.
    """
    if campaign.plan.kind != "split":
        return None
    squares = list(_squares(policy, campaign))
    freedom = sum(degrees for degrees, _square in squares)
    return math.sqrt(math.fsum(degrees * square for degrees, square in squares) / freedom) if freedom else None


def _squares(policy: Policy, campaign: Campaign) -> Iterator[tuple[int, float]]:
    """Of each comparison, its degrees of freedom and its variance over the calibrated one."""
    several = len(campaign.plan.seeds) > 1
    for pairing in pairings(campaign):
        logs = pairing.logs
        if (pairing.seed is None) is several or len(logs) < LEAST_SNAPSHOTS:
            continue
        spread = ratio_spread(policy, campaign, pairing.kernel, pairing.size)
        if spread.degrees is not None:
            yield len(logs) - 1, statistics.variance(logs) / spread.sd**2
