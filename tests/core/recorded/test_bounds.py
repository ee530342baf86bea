"""Strict bounds on recorded drift, at equality and one ulp beyond."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import CheckStatus
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.core.recorded.older import change_percent
from pytest_weekops.core.recorded.own_rules import _snapshots as snapshots_of
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import load_policy
from tests.support.recorded_data import weekly
from tests.support.verdicts import finding_of

POLICY = load_policy("rx590-weekly-v3")


@pytest.mark.parametrize("snapshots", [2, 3, 6])
@pytest.mark.parametrize(
    ("metric", "limit", "check", "sign"),
    [
        ("avg_mean_gflops", "max_abs_throughput_drift_percent", "throughput_drift_abs_bound", -1),
        ("p95_time_ms", "max_p95_drift_percent", "p95_drift_bound", 1),
    ],
)
def test_a_drift_at_its_bound_is_within_it_and_one_ulp_further_is_not(
    metric: str, limit: str, check: str, sign: int, snapshots: int
) -> None:
    """Bounds are inclusive to the last bit, also where the last snapshot alone moved and a logarithm comes between."""
    for thousandths in range(3, 60, 3):
        document = weekly(snapshots)
        for run in document["runs"]:
            run["metrics"][metric] *= 1 + sign * thousandths / 1000 if run["snapshot"] == snapshots else 1
        cells: dict[tuple[str, int], list[float]] = {}
        for run in sorted(document["runs"], key=lambda r: r["snapshot"]):
            cells.setdefault((run["kernel"], run["size"]), []).append(run["metrics"][metric])
        worst = max(sign * change_percent(values[0], values[-1]) for values in cells.values())
        for bound, passes in ((worst, True), (math.nextafter(worst, 0), False)):
            rails = POLICY.guardrails.model_copy(update={limit: bound, "minimum_snapshots": 2})
            policy = POLICY.model_copy(update={"guardrails": rails})
            finding = finding_of(judge_recorded(policy, parse_campaign(document, "test")).verdict, check)
            assert (finding.status is CheckStatus.PASS) is passes, (thousandths, finding.message)


def test_a_pulse_of_no_snapshot_is_no_snapshots_evidence() -> None:
    """One whose number is missing or no number belongs to none of them."""
    runs: list[Any] = [SimpleNamespace(snapshot=1), SimpleNamespace(snapshot=None)]
    pressure: list[Any] = [{"snapshot": 1}, {"snapshot": None}, {"snapshot": "1st"}, {}]
    campaign: Any = SimpleNamespace(runs=runs, pressure=pressure)
    ((number, mine, pulses),) = snapshots_of(campaign)
    assert (number, mine, pulses) == (1, runs[:1], pressure[:1])
