"""Bounds of a recorded throughput: from the record alone, and none where it lacks what they rest on."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_weekops.core.week.bounds import bounds_of, run_reach
from tests.support.entries import promote

EVIDENCE = {"assumed_sd_percent": 5.0, "max_false_block": 0.01}
COUNTED = {"check": "minimum_snapshots", "observed": 4}


def _bounds(evidence: Any = EVIDENCE, *findings: dict[str, Any]) -> tuple[float, float] | None:
    reach = run_reach(promote("run", policy={"evidence": evidence}, findings=findings or (COUNTED,)))
    return bounds_of(100.0, reach) if reach is not None else None


def test_four_snapshots_halve_the_spread() -> None:
    """One in a hundred lies 2.326 deviations of the mean away, on either side."""
    low, high = _bounds() or (0.0, 0.0)
    assert math.log(high / 100.0) == pytest.approx(2.3263 * 0.05 / 2, rel=1e-4)
    assert low * high == pytest.approx(1e4)


@pytest.mark.parametrize(
    "evidence",
    [
        None, {}, {**EVIDENCE, "assumed_sd_percent": "wide"}, {**EVIDENCE, "assumed_sd_percent": 0.0},
        {**EVIDENCE, "max_false_block": None}, {**EVIDENCE, "max_false_block": 0.5},
    ],
)  # fmt: skip
def test_what_the_policy_does_not_say_bounds_nothing(evidence: Any) -> None:
    """Old records, and ones of somebody else's making."""
    assert _bounds(evidence) is None


@pytest.mark.parametrize("finding", [{}, {**COUNTED, "observed": 1}, {**COUNTED, "observed": "many"}])
def test_without_snapshots_there_is_no_interval(finding: dict[str, Any]) -> None:
    """One snapshot has none either."""
    assert _bounds(EVIDENCE, finding or {"check": "other"}) is None
