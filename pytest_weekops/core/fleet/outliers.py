"""Which hosts of a label are slower than the others, by a rule that is stated before anything is measured.

The generalised extreme Studentised deviate of Rosner (Technometrics 25, 1983, page 165), asked of slow hosts only: the
lowest value's distance from the mean over the standard deviation, then the same without it, up to a quarter of the
hosts; the last of these that exceeds its critical value says how many outliers there are, so that a second slow host
does not hide the first. Hosts that are alike are taken to scatter normally by the logarithm of their speed.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

from pytest_weekops.core.fleet.student import student_quantile

#: fewer hosts than this have no outlier: of four, one that differs and three that agree by chance look alike
LEAST_HOSTS = 5
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
    for taken in range(1, most + 1):
        left = [values[name] for name in rest[taken - 1 :]]
        if _deviate(left) > critical_deviate(len(left), level):
            found = tuple(rest[:taken])
    return found


def critical_deviate(count: int, false_alarm: float) -> float:
    """What the lowest of so many normal values exceeds with this probability at most, in standard deviations.

    Rosner's lambda (equation 2.5) for one side: Bonferroni's bound over the values of a t distribution.
    """
    t = student_quantile(false_alarm / count, count - 2)
    return math.inf if math.isinf(t) else (count - 1) * t / math.sqrt(count * (count - 2 + t * t))


def _deviate(values: list[float]) -> float:
    """The lowest value's distance below the mean in standard deviations; 0 where all are the same."""
    scatter = statistics.stdev(values)
    return (statistics.fmean(values) - values[0]) / scatter if scatter > 0 else 0.0
