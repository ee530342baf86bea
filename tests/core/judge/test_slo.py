"""Ceilings of p95, and a pinned baseline with or without the host's clock."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.policy import Row
from tests.core.judge.test_verdict import POLICY, WEEKLY, pinned, verdict_on
from tests.support.synthetic import Records, make_records
from tests.support.verdicts import finding_of

P95_AT_128 = 128 * 1.018e-3  # ms of the synthetic device, give or take 1 %


def message(verdict: Verdict) -> str:
    """What the check said."""
    return finding_of(verdict, "per_kernel_size_slo").message


@pytest.mark.parametrize(("share", "passes"), [(1.05, True), (0.95, False)])
def test_a_ceiling_bounds_the_p95_of_a_cell(share: float, passes: bool) -> None:
    """On its own, without a floor beside it; it says both numbers."""
    policy = POLICY.model_copy(update={"rows": {"auto:128": Row(max_p95_time_ms=P95_AT_128 * share)}})
    verdict = verdict_on(make_records(WEEKLY), policy=policy)
    assert verdict.failed_checks == (() if passes else ("per_kernel_size_slo",))
    assert passes or "ms above 0.12379" in message(verdict)
    row = next(row for row in verdict.rows if row["size"] == 128)
    assert row["status"] == ("pass" if passes else "fail")


def on_a_slow_host() -> Records:
    """Everything takes twice as long, the anchor as well."""

    def slowed(record: Any) -> Any:
        if not isinstance(record, Measurement):
            return record
        return record.model_copy(update={"host": HostCondition(anchor_before_ms=20.0, anchor_after_ms=20.2)})

    return [slowed(record) for record in make_records(WEEKLY, speed=lambda _case: 0.5)]


def test_a_baseline_with_an_anchor_is_freed_from_the_hosts_speed() -> None:
    """A host at half its speed is no driver at half its speed."""
    assert verdict_on(on_a_slow_host(), baseline=pinned()).failed_checks == ()


@pytest.mark.parametrize(("speed", "status"), [(1.0, "inconclusive"), (0.5, "fail")])
def test_what_only_the_hosts_clock_shows_is_open(speed: float, status: str) -> None:
    """A pin of a host that was half as fast: nothing fails by that alone, and what is slower by any clock does."""
    then = pinned()
    slow = then.model_copy(update={"rows": tuple(row.model_copy(update={"anchor_ms": 20.1}) for row in then.rows)})
    verdict = verdict_on(make_records(WEEKLY, speed=lambda _case: speed), baseline=slow)
    finding = finding_of(verdict, "per_kernel_size_slo")
    assert finding.status.value == status
    assert ("and not as measured: the host itself has become faster; --against decides" in finding.message) is (
        status == "inconclusive"
    )
    assert verdict.exit_status == (11 if status == "inconclusive" else 1)


def test_a_baseline_without_an_anchor_is_compared_as_measured() -> None:
    """Nothing says how fast its host was: what is half as fast fails, and the words tell why that may be."""
    whole = pinned()
    bare = whole.model_copy(update={"rows": tuple(row.model_copy(update={"anchor_ms": None}) for row in whole.rows)})
    assert verdict_on(make_records(WEEKLY), baseline=bare).failed_checks == ()
    verdict = verdict_on(on_a_slow_host(), baseline=bare)
    assert verdict.failed_checks == ("per_kernel_size_slo",)
    assert "of the baseline's throughput, 0.95 needed, as measured" in message(verdict)
