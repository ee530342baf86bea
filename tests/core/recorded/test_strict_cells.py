"""Recorded drift by the strict rules: a steady fall, and numbers that no arithmetic can take."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import load_policy
from tests.support.recorded_data import split, weekly
from tests.support.verdicts import finding_of

POLICY = load_policy("rx590-weekly-v3")
DRIFTS = [("throughput_drift_abs_bound", "avg_mean_gflops", 0.98), ("p95_drift_bound", "p95_time_ms", 1.02)]


def drift(check: str, metric: str, factors: list[float]) -> Finding:
    """What a drift check says where a metric follows these factors, snapshot by snapshot."""
    document: dict[str, Any] = weekly(len(factors))
    for run in document["runs"]:
        run["metrics"][metric] *= factors[run["snapshot"] - 1]
    verdict = judge_recorded(POLICY, parse_campaign(document, "test")).verdict
    return finding_of(verdict, check)


@pytest.mark.parametrize(("check", "metric", "step"), DRIFTS)
def test_a_steady_fall_is_told_as_a_trend(check: str, metric: str, step: float) -> None:
    """Two percent in each snapshot are ten over the window; the way back is no fall."""
    falling = [step**place for place in range(6)]
    found = drift(check, metric, falling)
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "drift")
    assert all("for the worse over the window" in row for row in found.rows)
    assert len(found.rows) == 4
    assert drift(check, metric, falling[::-1]).status is CheckStatus.PASS


@pytest.mark.parametrize(("check", "metric", "step"), DRIFTS)
def test_a_collapse_in_two_snapshots_is_seen_and_one_dip_is_not(check: str, metric: str, step: float) -> None:
    """A good week's single snapshot fell by 7.6 % and came back; two in mid-window by 8 % are no such thing."""
    worse = 0.92 if step < 1 else 1.08
    for fallen in ((3, 4), (2, 5), (3, 5)):
        found = drift(check, metric, [worse if place in fallen else 1.0 for place in range(1, 7)])
        assert (found.status, found.reason_code) == (CheckStatus.FAIL, "drift")
        assert all(": two snapshots 8.00 % worse" in row for row in found.rows)
        assert len(found.rows) == 4
    for alone in (3, 4):
        one = [0.93 if place == alone else 1.0 for place in range(1, 7)]
        assert drift(check, metric, one if step < 1 else [1 / each for each in one]).status is CheckStatus.PASS


@pytest.mark.parametrize(("check", "metric", "_step"), DRIFTS)
def test_a_change_beyond_every_float_is_unreadable_and_blocks(check: str, metric: str, _step: float) -> None:
    """From 1e-300 to 1e300 of what it was: finite numbers all, and their change is none."""
    found = drift(check, metric, [1e-300, 1e300])
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "unreadable")
    assert found.message.endswith("cannot be worked with: OverflowError")


def test_platforms_that_share_no_cell_are_not_compared() -> None:
    """One ran the one size and the other the other: there is no ratio, and that is no pass."""
    document = split()
    sizes = {"Clover": 1400, "rusticl": 2048}
    document["runs"] = [run for run in document["runs"] if run["size"] == sizes[run["platform_selector"]]]
    found = finding_of(judge_recorded(POLICY, parse_campaign(document, "test")).verdict, "rusticl_ratio_vs_clover")
    assert (found.status, found.reason_code) == (CheckStatus.FAIL, "ratio")
    assert all("absent on one platform" in row for row in found.rows)


def test_a_split_of_which_nothing_ran_compares_nothing() -> None:
    """No cell that fails is no cell that holds."""
    document = split()
    for run in document["runs"]:
        run["status"] = "crash"
    found = finding_of(judge_recorded(POLICY, parse_campaign(document, "test")).verdict, "rusticl_ratio_vs_clover")
    assert (found.status, found.reason_code) == (CheckStatus.NO_DATA, "no_pairs")
