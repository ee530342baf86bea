"""What all hosts show together and none of them alone: a ratio over them, and a difference between two drivers.

Each host is one draw from the hosts that there could be: its own ratio lies around a common one. The common ratio is
estimated by the random effects of DerSimonian and Laird (Controlled Clinical Trials 7, 1986, page 177), with the
interval of Hartung and Knapp (Statistics in Medicine 20, 2001, page 3875) on Student's t, whose width is taken as no
smaller than the fixed-effects one, as Roever, Knapp and Friede (BMC Medical Research Methodology 15, 2015, page 99)
modify it for few hosts. Two drivers that were measured on different hosts are compared by Welch's t with the host as
the unit (Biometrika 34, 1947, page 28): what a host measured often is still one host.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_weekops.core.student import student_quantile

LEAST_HOSTS = 3  # of a common ratio
LEAST_OF_EACH = 2  # hosts of each driver, of a difference
_LEAST_VARIANCE = 1e-12  # an error of a millionth: a host that states none does not outweigh all others


@dataclass(frozen=True)
class Common:
    """A logarithm that hosts have in common, with its one-sided limits, each missed with the asked probability.

    ``between_sd`` is how much hosts differ beyond their own errors, as a standard deviation.
    """

    hosts: int
    log: float
    lower: float
    upper: float
    between_sd: float


def common_ratio(logs: Sequence[float], errors: Sequence[float], miss: float) -> Common | None:
    """The common log ratio of hosts with these log ratios and standard errors; None for fewer than ``LEAST_HOSTS``.

    ``miss`` is the probability that the truth lies above ``upper``, and the same that it lies below ``lower``.
    """
    if len(logs) < LEAST_HOSTS:
        return None
    variances = [max(error * error, _LEAST_VARIANCE) for error in errors]
    between = _between(logs, variances)
    weights = [1.0 / (variance + between) for variance in variances]
    total = math.fsum(weights)
    centre = math.fsum(w * y for w, y in zip(weights, logs, strict=True)) / total
    spread = math.fsum(w * (y - centre) ** 2 for w, y in zip(weights, logs, strict=True)) / (len(logs) - 1)
    reach = student_quantile(miss, len(logs) - 1) * math.sqrt(max(1.0, spread) / total)
    return Common(len(logs), centre, centre - reach, centre + reach, math.sqrt(between))


def _between(logs: Sequence[float], variances: Sequence[float]) -> float:
    """The variance between hosts, by the moments of DerSimonian and Laird; 0 where their own errors explain all."""
    weights = [1.0 / variance for variance in variances]
    total = math.fsum(weights)
    centre = math.fsum(w * y for w, y in zip(weights, logs, strict=True)) / total
    excess = math.fsum(w * (y - centre) ** 2 for w, y in zip(weights, logs, strict=True)) - (len(logs) - 1)
    return max(0.0, excess / (total - math.fsum(w * w for w in weights) / total))


def difference(one: Sequence[float], other: Sequence[float], miss: float) -> Common | None:
    """Mean of ``one`` minus mean of ``other``, with limits that miss on either side with probability ``miss``.

    None for fewer than ``LEAST_OF_EACH`` hosts of either.
    """
    if min(len(one), len(other)) < LEAST_OF_EACH:
        return None
    parts = [max(statistics.variance(each), _LEAST_VARIANCE) / len(each) for each in (one, other)]
    error = math.sqrt(sum(parts))
    degrees = sum(parts) ** 2 / math.fsum(
        part * part / (len(each) - 1) for part, each in zip(parts, (one, other), strict=True)
    )
    centre = statistics.fmean(one) - statistics.fmean(other)
    reach = student_quantile(miss, degrees) * error
    return Common(len(one) + len(other), centre, centre - reach, centre + reach, 0.0)
