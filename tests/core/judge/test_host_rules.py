"""When the host moved too much: limits inclusive, NaN never still."""

from __future__ import annotations

import math

import pytest

from pytest_weekops.core.judge.host_rules import void_reason
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.policy.policy import HostRules

RULES = HostRules()


@pytest.mark.parametrize(
    ("before", "after", "steal", "word"),
    [
        (10.0, 12.0, 5.0, ""),
        (10.0, 12.1, 0.0, "anchor"),
        (10.0, 7.9, 0.0, "anchor"),
        (10.0, math.nan, 0.0, "anchor"),
        (10.0, 10.0, math.nextafter(5.0, 6.0), "stolen"),
        (10.0, 10.0, math.nan, "stolen"),
        (None, None, None, ""),
    ],
)
def test_a_measurement_is_void_beyond_either_limit(
    before: float | None, after: float | None, steal: float | None, word: str
) -> None:
    """In both directions; what was not observed voids nothing."""
    host = HostCondition(anchor_before_ms=before, anchor_after_ms=after, steal_percent=steal)
    reason = void_reason(host, RULES)
    assert (word in reason) if word else not reason


@pytest.mark.parametrize(("steal", "word"), [(0.0, ""), (None, ""), (5.1, "stolen"), (math.nan, "stolen")])
def test_an_anchor_voids_nothing_of_a_device_that_is_not_the_cpu(steal: float | None, word: str) -> None:
    """How fast the CPU multiplies is not how fast a GPU does; time stolen from the thread that launches still voids."""
    host = HostCondition(anchor_before_ms=5.9, anchor_after_ms=11.3, steal_percent=steal)
    reason = void_reason(host, RULES, on_cpu=False)
    assert (word in reason) if word else not reason


@pytest.mark.parametrize(("throttled", "word"), [(None, ""), (0.0, ""), (5.0, ""), (5.1, "quota"), (math.nan, "quota")])
def test_a_quota_that_withheld_too_much_voids_on_every_device(throttled: float | None, word: str) -> None:
    """A gate that was not let run was not measured, whoever launches."""
    for on_cpu in (True, False):
        host = HostCondition(anchor_before_ms=10.0, anchor_after_ms=10.0, throttled_percent=throttled)
        reason = void_reason(host, RULES, on_cpu=on_cpu)
        assert (word in reason) if word else not reason


def test_a_policy_may_allow_more_or_less() -> None:
    """The same condition under two policies."""
    host = HostCondition(anchor_before_ms=10.0, anchor_after_ms=11.5, steal_percent=6.0)
    assert void_reason(host, HostRules(max_steal_percent=7.0)) == ""
    assert "anchor" in void_reason(host, HostRules(max_anchor_change_percent=10.0, max_steal_percent=7.0))
