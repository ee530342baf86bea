"""How sure a bisection's answer is, and what its steps are given so that it is as sure as was asked.

The answer is wrong only where some step that it rests on was wrong. So its error is at most the sum of theirs, however
they hang together (Boole's inequality; Bonferroni 1936), given that there is one first bad build at all. A step's own
error is the split's: at most ``max_false_block`` of calling a build bad that is at the limit or faster, at most
``max_false_promote`` of calling one good that is at the limit or slower.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from statistics import NormalDist

from pytest_weekops.core.bisect.search import most_answers

LARGEST_STEP_ERROR = 0.1  # what a policy takes as the error of a run
LEAST_SPREAD_PERCENT, LARGEST_SPREAD_PERCENT = 0.1, 50.0
_SPREAD_QUANTILE = NormalDist().inv_cdf(0.9)
_MEDIAN_DISTANCE = 1.4826  # a normal standard deviation over the median distance from the median
_EFFICIENCY = 0.37  # of that estimate, as many values as tell the same by their standard deviation (Huber 1981)
_MISSED = 0.05


def step_error(error: float, last: int) -> float:
    """What each step may err, so that as many as it takes, and the one of the two ends, err no more than asked."""
    return min(LARGEST_STEP_ERROR, error / (most_answers(last) + 1))


def answer_error(errors: Iterable[float | None]) -> float | None:
    """The most that an answer errs which rests on steps with these errors; None where one of them is not known."""
    known = list(errors)
    return None if None in known else min(1.0, math.fsum(each for each in known if each is not None))


def halfway(log_ratio: float) -> float:
    """The ratio in the middle, by its logarithm, between the good build's speed and the bad one's."""
    return math.exp(log_ratio / 2.0)


def spread_percent(logs: Sequence[float]) -> float | None:
    """How much a snapshot's log ratio varies, in percent, at most; None for fewer than three.

    The smaller of two upper limits of 90 % confidence each, 85 % together: of the standard deviation, and of the median
    distance from the median, which a few disturbed snapshots do not move, as they do not move what decides a ratio.
    """
    if len(logs) < 3:
        return None
    middle = statistics.median(logs)
    distance = _MEDIAN_DISTANCE * statistics.median(abs(each - middle) for each in logs)
    degrees = len(logs) - 1
    robust = distance * _reach(_EFFICIENCY * degrees)
    found = 100.0 * min(statistics.stdev(logs) * _reach(degrees), robust or math.inf)
    return min(LARGEST_SPREAD_PERCENT, max(LEAST_SPREAD_PERCENT, found))


def _reach(degrees: float) -> float:
    """Upper limit over estimate of a normal standard deviation, by the cube root of Wilson and Hilferty (1931)."""
    term = 2.0 / (9.0 * degrees)
    return float(max(0.15, 1.0 - term - _SPREAD_QUANTILE * math.sqrt(term)) ** -1.5)


def missed_share(tries: int) -> float:
    """A fault that shows in a smaller share of tries than this is missed in all of them with more than 5 %."""
    return 1.0 if tries < 1 else 1.0 - _MISSED ** (1.0 / tries)
