"""Judging what was measured in turns: pairs of calm turns decide, and what is no pair is no evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.judge.host_rules import pairs_void_reason, void_reason
from pytest_weekops.core.judge.metrics import case_pair_logs, incompleteness
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.records import Case, Measurement, SessionSamples, Turns
from pytest_weekops.core.policy.policy import HostRules, Policy
from pytest_weekops.policies.files import default_policy
from tests.support.synthetic import Records, make_campaign, make_measurement, make_plan, make_records

SPLIT = make_plan("split", in_turns=True)
PORTABLE = default_policy()
Change = Callable[[Measurement], Measurement]


def records(*, ratio: float = 1.0, change: Change = lambda measurement: measurement) -> Records:
    """A whole split in turns; ``change`` is done to every measurement of the candidate at 256."""

    def speed(case: Case) -> float:
        return ratio if case.platform == "rusticl" else 1.0

    found = make_records(SPLIT, speed=speed)
    return [
        change(r) if isinstance(r, Measurement) and (r.case.platform, r.case.size) == ("rusticl", 256) else r
        for r in found
    ]


def verdict(found: Records, policy: Policy = PORTABLE) -> Verdict:
    """What the judge says of them."""
    return judge(policy, make_campaign(SPLIT, found))


def sessions(measurement: Measurement, change: Callable[[SessionSamples], dict[str, Any]]) -> Measurement:
    """Each session changed."""
    whole = tuple(session.model_copy(update=change(session)) for session in measurement.sessions)
    return measurement.model_copy(update={"sessions": whole})


def turned(**update: Any) -> Change:
    """The record of turns changed."""

    def change(measurement: Measurement) -> Measurement:
        assert isinstance(measurement.turns, Turns)
        return measurement.model_copy(update={"turns": measurement.turns.model_copy(update=update)})

    return change


def test_a_healthy_split_in_turns_promotes() -> None:
    """The ratio is that of the pairs."""
    found = verdict(records(ratio=0.9))
    assert found.decision == "promote", found.failed_checks
    assert all(row["ratio"] == pytest.approx(0.9, rel=0.02) for row in found.rows if "ratio" in row)


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    """Three launches of eight were slow and nobody knows why: the pairs' median is not moved by them."""

    def slow(measurement: Measurement) -> Measurement:
        return sessions(
            measurement, lambda s: {"wall_ns": tuple(ns * (4 if i < 3 else 1) for i, ns in enumerate(s.wall_ns))}
        )

    ratios = [row["ratio"] for row in verdict(records(change=slow)).rows if row.get("ratio")]
    assert all(ratio == pytest.approx(1.0, rel=0.03) for ratio in ratios)


def test_a_disturbed_launch_counts_on_neither_side() -> None:
    """Both sides' slow launches are those that waited for a CPU, and other programs ran: they do not count."""

    def disturbed(measurement: Measurement) -> Measurement:
        host = measurement.host.model_copy(update={"others_percent": 40.0})
        busy = measurement.model_copy(update={"host": host})
        return sessions(
            busy,
            lambda s: {
                "wall_ns": tuple(ns * (3 if i >= 8 else 1) for i, ns in enumerate(s.wall_ns * 2)),
                "delay_ns": (0,) * 8 + (2 * 256_000,) * 8,
            },
        )

    both = [
        disturbed(r).model_copy(update={"turns": r.turns and r.turns.model_copy(update={"order": ("ABBA" * 8,) * 2})})
        if isinstance(r, Measurement)
        else r
        for r in records()
    ]
    found = verdict(both)
    assert found.decision == "promote", found.failed_checks
    cells = [row for row in found.rows if "ratio" not in row]
    assert {row["launches"] for row in cells} == {6 * 2 * 2 * 8}


def test_without_other_programs_threads_that_wait_are_the_drivers_own() -> None:
    """More threads than CPUs: its launches are as slow as they are, and all of them count."""

    def own(measurement: Measurement) -> Measurement:
        quiet = measurement.model_copy(update={"host": HostCondition(others_percent=1.0)})
        return sessions(quiet, lambda s: {"wall_ns": tuple(2 * ns for ns in s.wall_ns), "delay_ns": (400_000,) * 8})

    found = verdict(records(change=own))
    assert "rusticl_ratio_vs_clover" in found.failed_checks
    assert any(row.get("ratio") == pytest.approx(0.5, rel=0.03) for row in found.rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.model_copy(update={"turns": None}),
        turned(broken_off="clover: crashed"),
        turned(order=("BAAB" * 4,) * 2),
        turned(order=()),
        lambda m: sessions(m, lambda s: {"wall_ns": (*s.wall_ns, 1000), "delay_ns": (0,) * 9, "cpu_ns": None}),
    ],
    ids=["no turns", "broken off", "another order", "no order", "one launch more"],
)
def test_what_went_in_no_turns_is_no_pair(change: Change) -> None:
    """The plan asks for turns: times that were taken otherwise are not compared, and that blocks."""
    found = verdict(records(change=change))
    assert "rusticl_ratio_vs_clover" in found.failed_checks
    finding = next(f for f in found.findings if f.check == "rusticl_ratio_vs_clover")
    assert (finding.status, finding.reason_code) == ("no_data", "missing_pairs")
    assert "auto:256: 0 of 12 pairs" in finding.message


def test_a_policy_that_asks_for_the_witness_does_not_judge_without() -> None:
    """Absent witnesses are not calm ones: neither in the plan nor in a session."""
    blind = make_plan("split", in_turns=True, max_run_delay_percent=None)
    found = judge(PORTABLE, make_campaign(blind, make_records(blind)))
    finding = next(f for f in found.findings if f.check == "launches_complete")
    assert (finding.status, finding.reason_code) == ("no_data", "no_witness")
    wide = make_plan("split", in_turns=True, max_run_delay_percent=50.0)
    finding = next(
        f for f in judge(PORTABLE, make_campaign(wide, make_records(wide))).findings if f.check == "launches_complete"
    )
    assert "with 50 % allowed" in finding.message
    bare = verdict(records(change=lambda m: sessions(m, lambda _s: {"delay_ns": None})))
    finding = next(f for f in bare.findings if f.check == "launches_complete")
    assert finding.status == "no_data"
    assert "nobody saw whether other programs ran" in finding.message


def test_too_few_calm_pairs_are_void_whatever_the_times() -> None:
    """Blind to the measured times: the same launches, with and without their run delay."""
    plan = make_plan("split", in_turns=True)
    case = next(iter(plan.cases(1)))
    first = make_measurement(case, plan=plan)
    partner = case.model_copy(update={"platform": "rusticl"})
    second = make_measurement(partner, plan=plan)
    assert not pairs_void_reason(first, second, plan, HostRules())
    waited = sessions(second, lambda s: {"delay_ns": (10**9, *s.delay_ns[1:])} if s.delay_ns else {})
    reason = pairs_void_reason(first, waited, plan, HostRules())
    stolen = first.model_copy(update={"host": HostCondition(steal_percent=7.0)})
    assert pairs_void_reason(stolen, second, plan, HostRules()) == "7.0 % of the host's time was stolen"
    assert reason == "the host was busy with other programs: 12 % of the 16 pairs of turns were disturbed"


def test_too_few_calm_launches_of_a_session_are_void_on_a_cpu() -> None:
    """Alone, too: but not where nobody else ran, and not on a device with clocks of its own."""
    plan = make_plan()
    measurement = make_measurement(next(iter(plan.cases(1))), plan=plan)
    waited = sessions(measurement, lambda s: {"delay_ns": (10**9,) * len(s.wall_ns)}).sessions
    host, rules = HostCondition(), HostRules()
    reason = void_reason(host, rules, waited, plan)
    assert reason == "the host was busy with other programs: 100 % of the 8 launches of session 1 were disturbed"
    assert not void_reason(host, rules, measurement.sessions, plan)
    assert not void_reason(host.model_copy(update={"others_percent": 0.5}), rules, waited, plan)
    assert not void_reason(host, rules, waited, plan, on_cpu=False)


def test_turns_of_another_order_give_no_pairs() -> None:
    """Which turn belongs to which is not known."""
    plan = make_plan("split", in_turns=True)
    case = next(iter(plan.cases(1)))
    first, second = (make_measurement(c, plan=plan) for c in (case, case.model_copy(update={"platform": "rusticl"})))
    assert len(case_pair_logs(first, second, plan)) == 16
    assert case_pair_logs(first, turned(order=("BAAB" * 4,) * 2)(second), plan) == []


def test_a_measurement_without_a_calm_launch_is_no_measurement() -> None:
    """It would have been void where the policy was asked; a record that counts and has none is incomplete."""
    plan = make_plan()
    measurement = make_measurement(next(iter(plan.cases(1))), plan=plan)
    waited = sessions(measurement, lambda s: {"delay_ns": (10**9,) * len(s.wall_ns)})
    assert incompleteness(waited, plan) == "no launch was calm"
    assert not incompleteness(measurement, plan)
