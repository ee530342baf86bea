"""The rules between hosts, against their definitions: quantiles, critical values, intervals and how often they miss."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from pytest_weekops.core.fleet.outliers import critical_deviate, low_outliers, surely_below
from pytest_weekops.core.fleet.together import common_ratio, difference
from pytest_weekops.core.student import student_quantile


def test_every_slow_host_is_named_lowest_first() -> None:
    """The last step that exceeds its critical value says how many there are, whatever those before it said."""
    rack = {f"h{number}": number / 100 for number in range(10)}
    assert low_outliers({**rack, "h3": -5.0, "h7": -5.5}, 0.05) == ("h7", "h3")


def test_the_critical_values_are_grubbs() -> None:
    """The first step is Grubbs' one-sided test, whose tables are printed: 1.672 of five, 2.176 of ten, at 5 %."""
    assert critical_deviate(5, 0.05) == pytest.approx(1.672, abs=0.001)
    assert math.isinf(critical_deviate(5, 1e-13))  # what is too rare to ask for
    assert critical_deviate(10, 0.05) == pytest.approx(2.176, abs=0.001)


@pytest.mark.parametrize("false_alarm", [1e-6, 0.001, 0.01, 0.1])
def test_a_step_that_is_surely_below_is_below(false_alarm: float) -> None:
    """What is left out for its cost would not have decided: no critical value is as low as the bound that is asked."""
    for count in (4, 5, 6, 8, 13, 40, 150, 1000, 10_000):
        assert surely_below(count, false_alarm) < critical_deviate(count, false_alarm)
        assert surely_below(count, false_alarm) > 0.5 * critical_deviate(count, false_alarm)


def test_alike_hosts_rarely_have_an_outlier() -> None:
    """1,500 racks of ten at 5 %: more than 7 % would be a chance of one in a thousand."""
    drawn = random.Random(5)
    racks = ({str(host): drawn.gauss(0, 1) for host in range(10)} for _ in range(1500))
    assert sum(bool(low_outliers(rack, 0.05)) for rack in racks) / 1500 < 0.07


def test_a_host_six_deviations_low_is_mostly_found() -> None:
    """Among ten at 5 %, where a rule that never alarms would find none."""
    drawn = random.Random(6)
    racks = ({str(host): drawn.gauss(-6.0 * (host == 0), 1) for host in range(10)} for _ in range(300))
    assert sum(low_outliers(rack, 0.05) == ("0",) for rack in racks) / 300 > 0.85


@pytest.mark.parametrize(("hosts", "between"), [(3, 0.02), (6, 0.02), (12, 0.02), (12, 0.0)])
def test_the_interval_of_a_common_ratio_misses_as_seldom_as_it_says(hosts: int, between: float) -> None:
    """1,200 fleets, each limit at 5 %: more than 7.2 % would be a chance of one in a thousand."""
    drawn = random.Random(hosts)
    low = high = 0
    for _ in range(1200):
        errors = [drawn.choice((0.005, 0.01, 0.02)) for _ in range(hosts)]
        common = common_ratio([drawn.gauss(0, between) + drawn.gauss(0, e) for e in errors], errors, 0.05)
        assert common is not None
        low, high = low + (common.lower > 0), high + (common.upper < 0)
    assert max(low, high) / 1200 < 0.072
    assert between == 0.0 or min(low, high) / 1200 > 0.028  # and is no wider than it needs to be


def test_a_common_ratio_by_hand() -> None:
    """Three hosts with equal errors: the mean, its variance between hosts, and Student's t."""
    logs, error = [0.1, 0.0, -0.04], 0.01
    common = common_ratio(logs, [error] * 3, 0.05)
    assert common is not None
    between = statistics.variance(logs) - error**2
    assert common.hosts == 3
    assert common.log == pytest.approx(0.02)
    assert common.between_sd == pytest.approx(math.sqrt(between))
    reach = student_quantile(0.05, 2) * math.sqrt((between + error**2) / 3)
    assert [common.lower, common.upper] == pytest.approx([0.02 - reach, 0.02 + reach])


def test_a_host_that_states_no_error_does_not_outweigh_all_others() -> None:
    """However certain it says it is."""
    common = common_ratio([0.0, 0.0, 0.0, -1.0], [0.01, 0.01, 0.01, 0.0], 0.05)
    assert common is not None
    assert common.log == pytest.approx(-0.25, abs=0.01)
    assert common.upper > 0


def test_two_drivers_by_hand() -> None:
    """Welch's t, with the degrees of freedom of Satterthwaite."""
    one, other = [1.0, 1.2, 1.1], [0.9, 1.0, 0.8, 0.9]
    found = difference(one, other, 0.05)
    assert found is not None
    parts = [statistics.variance(one) / 3, statistics.variance(other) / 4]
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 3)
    assert found.log == pytest.approx(0.2)
    assert found.upper - found.log == pytest.approx(student_quantile(0.05, degrees) * math.sqrt(sum(parts)))


def test_too_few_hosts_have_no_interval() -> None:
    """Rather than one that is infinitely wide, or a guess."""
    assert common_ratio([0.0, 0.0], [0.01, 0.01], 0.05) is None
    assert difference([1.0], [1.0, 2.0], 0.05) is None
    assert low_outliers({"a": 0.0, "b": 0.0, "c": 0.0, "d": -9.0}, 0.1) == ()
