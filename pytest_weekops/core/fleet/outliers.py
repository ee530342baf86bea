"""Which hosts of a label are slower than the others, by a rule that is stated before anything is measured.

The generalised extreme Studentised deviate of Rosner (Technometrics 25, 1983, page 165), asked of slow hosts only: the
lowest value's distance from the mean over the standard deviation, then the same without it, up to a quarter of the
hosts; the last of these that exceeds its critical value says how many outliers there are, so that a second slow host
does not hide the first. Hosts that are alike are taken to scatter normally by the logarithm of their speed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from pytest_weekops.core.student import student_quantile

#: fewer hosts than this have no outlier: of four, one that differs and three that agree by chance look alike
LEAST_HOSTS = 5
_NO_SCATTER = 1e-12  # of the squares: what rounding alone leaves of a variance
_ROUNDING = 1e-6  # more than either quantile is off by
_NORMAL = statistics.NormalDist()
_ONE_IN = 4  # at most one host in so many is an outlier; beyond, the others are no rule


def low_outliers(values: Mapping[str, float], false_alarm: float) -> tuple[str, ...]:
    """The names whose values are outliers on the low side, the lowest first; none of fewer than ``LEAST_HOSTS``.

    ``false_alarm`` is the probability that values that are alike have one at all.
    """
    if len(values) < LEAST_HOSTS:
        return ()
    rest = sorted(values, key=lambda name: (values[name], name))
    found: tuple[str, ...] = ()
    most = len(values) // _ONE_IN
    # Asked more than once, few hosts alarm up to one and a half times as often as Rosner's levels say.
    level = false_alarm if most == 1 else false_alarm / 2.0
    deviates = _deviates([values[name] for name in rest])
    for taken in range(1, most + 1):
        count = len(values) - taken + 1
        if deviates[taken - 1] < surely_below(count, level):
            continue
        if deviates[taken - 1] > critical_deviate(count, level):
            found = tuple(rest[:taken])
    return found


def critical_deviate(count: int, false_alarm: float) -> float:
    """What the lowest of so many normal values exceeds with this probability at most, in standard deviations.

    Rosner's lambda (equation 2.5) for one side: Bonferroni's bound over the values of a t distribution.
    """
    return _deviate(student_quantile(false_alarm / count, count - 2), count)


def surely_below(count: int, false_alarm: float) -> float:
    """A number that the critical deviate exceeds, and that costs a thousandth of it.

    Student's t has heavier tails than the normal distribution, so that its quantile is the larger one.
    """
    return (1.0 - _ROUNDING) * _deviate(-_NORMAL.inv_cdf(false_alarm / count), count)


def _deviate(t: float, count: int) -> float:
    return math.inf if math.isinf(t) else (count - 1) * t / math.sqrt(count * (count - 2 + t * t))


def _deviates(ordered: Sequence[float]) -> list[float]:
    """For each value the distance below the mean of itself and all after it, in their standard deviations.

    ``ordered`` ascends. Sums are taken from the high end around the median, so that what is far out spoils none before
    its own; values that are all the same have 0.
    """
    centre = statistics.median(ordered)
    found: list[float] = []
    total = squares = 0.0
    for count, value in enumerate(reversed(ordered), start=1):
        apart = value - centre
        total, squares = total + apart, squares + apart * apart
        mean = total / count
        variance = (squares - total * mean) / (count - 1) if count > 1 else 0.0
        found.append((mean - apart) / math.sqrt(variance) if variance > _NO_SCATTER * squares else 0.0)
    return found[::-1]
