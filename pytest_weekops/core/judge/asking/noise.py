"""Whether a run's snapshots scatter as its calibration says, or as is assumed: the promised error rates rest on that.

It decides nothing and is no check: a bound that moved with the spread of the numbers that it judges would let one worse
snapshot turn an answer milder.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from pytest_weekops.core.judge.asking.run import answers, of_kind
from pytest_weekops.core.judge.asking.spreads import ratio_spread
from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.pairing import pairings
from pytest_weekops.core.policy.policy import Policy

LEAST_SNAPSHOTS = 3
NOISY = 2.0  # times the spread, from which a run says so


def noise_ratio(policy: Policy, campaign: Campaign) -> float | None:
    """This run's spread over the one that its answers rest on: of a split's comparisons, or of a weekly run's floors.

    None where there are none of three snapshots at least. A spread that is assumed is a wide one, and less is as good
    as said: for it there is a value only where it is exceeded by :data:`NOISY` times. A comparison has one seed, as a
    calibration has.
    """
    if campaign.plan.kind == "split":
        return _pooled(list(_squares(policy, campaign)))
    calibrated, supposed = _floors(policy, campaign)
    exceeded = _pooled(supposed)
    found = [_pooled(calibrated), exceeded if exceeded is not None and exceeded >= NOISY else None]
    return max((each for each in found if each is not None), default=None)


def _pooled(squares: Sequence[tuple[int, float]]) -> float | None:
    freedom = sum(degrees for degrees, _square in squares)
    return math.sqrt(math.fsum(degrees * square for degrees, square in squares) / freedom) if freedom else None


def _floors(policy: Policy, campaign: Campaign) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """The same of each floor whose spread is calibrated, and of each whose spread is assumed."""
    found: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
    for each in of_kind(answers(policy, campaign), "floor", "baseline", "service"):
        asked = each.asked.requirement
        if asked is not None and asked.spread is not None and len(asked.values) >= LEAST_SNAPSHOTS:
            square = statistics.variance(asked.values) / asked.spread.sd**2
            found[asked.spread.degrees is None].append((len(asked.values) - 1, square))
    return found


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
