"""For every policy that a live run accepts and every check with a limit, some measurements fail that check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_weekops.core.guard.injection import FaultRecall
from pytest_weekops.core.guard.rails import violations
from pytest_weekops.core.judge.campaign import Baseline, BaselineRow, Campaign
from pytest_weekops.core.judge.checks import cells, evidence, guards, recall, runs, slo, split
from pytest_weekops.core.judge.finding import CheckStatus, Finding
from pytest_weekops.core.judge.left_out import left_out
from pytest_weekops.core.judge.verdict import judge
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.lane_records import GuardEvidence, SelectorEvidence
from pytest_weekops.core.measurement.plan import Partner
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.policy.bounds import BOUNDS, ROW_BOUNDS, SECTIONS, Bound
from pytest_weekops.core.policy.policy import Policy, Row
from tests.core.guard.test_injection import campaign as injection
from tests.core.judge.test_recall import record as injection_record
from tests.support.examples import examples
from tests.support.synthetic import STARTED, make_campaign, make_identity, make_plan, make_records

LANES = ("auto", "auto_t3_controlled", "auto_t5_guarded")
# The largest size of a run decides whether the guard's overhead is bounded at all.
WEEKLY = make_plan(kernels=LANES, sizes=(128, 8192), snapshots=3, iterations=30)
SPLIT = make_plan("split", sizes=(128,), seeds=(412,))
Change = Callable[[Measurement], Mapping[str, Any]]


def altered(change: Change, kind: str = "weekly", **facts: Any) -> Campaign:
    """A healthy campaign in which every measurement is changed so."""
    plan = SPLIT if kind == "split" else WEEKLY
    records = [r.model_copy(update=dict(change(r))) if isinstance(r, Measurement) else r for r in make_records(plan)]
    return make_campaign(plan, records, created_at=STARTED, **facts)


def slowed(measurement: Measurement, factor: float) -> dict[str, Any]:
    """Every launch takes so many times its time."""
    sessions = [
        s.model_copy(update={"wall_ns": tuple(int(ns * factor) for ns in s.wall_ns)}) for s in measurement.sessions
    ]
    return {"sessions": tuple(sessions)}


def sessions_with(measurement: Measurement, **facts: Any) -> dict[str, Any]:
    """Every session with these facts."""
    return {"sessions": tuple(session.model_copy(update=facts) for session in measurement.sessions)}


def guarded(measurement: Measurement, **facts: Any) -> dict[str, Any]:
    """The guard's evidence with these facts, where there is a guard."""
    guard = measurement.guard
    return {"guard": guard.model_copy(update=facts) if guard is not None else None}


def falls_late(measurement: Measurement) -> dict[str, Any]:
    """From the second snapshot on each is a hundred times slower than the one before."""
    return slowed(measurement, 100.0 ** (measurement.case.snapshot - 1))


def candidate_only(measurement: Measurement) -> dict[str, Any]:
    """The candidate takes ten thousand times as long."""
    return slowed(measurement, 1e4) if measurement.case.platform == SPLIT.candidate_platform else {}


def pinned(age_days: int = 1) -> tuple[Baseline, ...]:
    """A baseline of this device, as fast as the synthetic one."""
    rows = tuple(
        BaselineRow(kernel=kernel, size=size, mean_gflops=2.0 * size**2 * 1e-3, p95_ms=size * 1e-3)
        for kernel in LANES
        for size in WEEKLY.sizes
    )
    created = f"{2026 - age_days // 365}-11-01T00:00:00+00:00"
    identity = make_identity("pocl")
    return (
        Baseline(
            profile="pocl", hardware=identity.hardware, run_id="r", created_at=created, source_sha256="0", rows=rows
        ),
    )


def _few(measurement: Measurement) -> dict[str, Any]:
    first = measurement.sessions[0]
    short = first.model_copy(update={name: getattr(first, name)[:1] for name in ("wall_ns", "cpu_ns", "delay_ns")})
    return {"sessions": (short,)}


WILD = HostCondition(anchor_before_ms=1.0, anchor_after_ms=1e6, steal_percent=0.0)
STOLEN = HostCondition(anchor_before_ms=1.0, anchor_after_ms=1.0, steal_percent=100.0)
ONE_LAUNCH = WEEKLY.model_copy(update={"sessions": 1, "iterations": 1, "snapshots": 2})
NOTHING_CAUGHT = injection_record(result=injection(critical=FaultRecall(name="critical flips", tried=4000, caught=0)))

# name: the check, and a campaign that breaks whatever limit it has.
BROKEN: dict[str, tuple[Callable[[Policy, Campaign], Finding], Campaign]] = {
    "absolute error": (
        guards.correctness_error_bound,
        altered(lambda m: sessions_with(m, max_abs_error=1.5, k_scaled_error=0.0)),
    ),
    "scaled error": (
        guards.correctness_error_bound,
        altered(lambda m: sessions_with(m, max_abs_error=0.0, k_scaled_error=1e4)),
    ),
    "fallbacks": (
        guards.t3_fallback_bound,
        altered(lambda m: {"selector": SelectorEvidence(fallback_rate=1.0, policy_disabled=False)}),
    ),
    "disabled": (guards.t5_disable_events_total_bound, altered(lambda m: guarded(m, disable_events=2))),
    "overhead": (guards.t5_overhead_bound, altered(lambda m: guarded(m, overhead_percent=150.0))),
    "false alarms": (guards.t5_overhead_bound, altered(lambda m: guarded(m, false_positive_rate=1.0))),
    "trend": (cells.throughput_drift_abs_bound, altered(falls_late)),
    "p95 trend": (cells.p95_drift_bound, altered(falls_late)),
    "anchor": (evidence.host_stable, altered(lambda m: {"host": WILD})),
    "steal": (evidence.host_stable, altered(lambda m: {"host": STOLEN})),
    "launches": (cells.p95_evidence, replace(altered(_few), plan=ONE_LAUNCH)),
    "snapshots": (
        runs.minimum_snapshots,
        replace(altered(lambda m: {}), plan=WEEKLY.model_copy(update={"snapshots": 1})),
    ),
    "row": (slo.per_kernel_size_slo, altered(lambda m: slowed(m, 1e12))),
    "baseline": (slo.per_kernel_size_slo, altered(lambda m: slowed(m, 1e3), baseline=pinned())),
    "old baseline": (cells.baseline_usable, altered(lambda m: {}, baseline=pinned(age_days=5000))),
    "ratio": (split.rusticl_ratio_vs_clover, altered(candidate_only, "split")),
    "latency": (split.rusticl_latency_ratio, altered(candidate_only, "split")),
    "recall": (
        recall.t5_recall_bound,
        make_campaign(WEEKLY, [*make_records(WEEKLY), NOTHING_CAUGHT], created_at=STARTED),
    ),
}


def within(bound: Bound) -> st.SearchStrategy[float]:
    """Values that are accepted, the ends among them."""
    low = bound.least if bound.least is not None else (bound.above or 0.0) + 1e-9
    high = bound.most if bound.most is not None else low + 1000.0
    return st.sampled_from((low, high)) | st.floats(low, high)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Policies that a live run accepts: each number anywhere between its ends, as often as not at one of them."""
    facts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    base = Policy(policy_id="p")
    for place, bound in BOUNDS.items():
        section, name = place.split(".")
        value = draw(within(bound))
        default = type(getattr(base, section)).model_fields[name].annotation
        facts[section][name] = int(value) or 1 if default is int else value
    row = Row.model_validate({name: draw(within(ROW_BOUNDS[name])) for name in ("min_avg_gflops", "max_p95_time_ms")})
    for sampled in ("residual_scale", "residual_margin", "residual_floor"):
        facts["guard"].pop(sampled)
    found = Policy.model_validate({"policy_id": "p", **facts, "rows": {f"auto:{n}": row for n in WEEKLY.sizes}})
    return found.model_copy(update={"floors": found.floors.model_copy(update={"waiver": "none"})})


def weakest() -> Policy:
    """Every number at its weak end."""
    facts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for place, bound in BOUNDS.items():
        section, name = place.split(".")
        end = bound.least if bound.is_floor else bound.most
        if end is not None and "residual" not in name:
            facts[section][name] = end
    row = Row(min_avg_gflops=ROW_BOUNDS["min_avg_gflops"].least, max_p95_time_ms=ROW_BOUNDS["max_p95_time_ms"].most)
    rows = {f"auto:{size}": row for size in WEEKLY.sizes}
    return Policy.model_validate(
        {"policy_id": "p", **facts, "floors": {**facts["floors"], "waiver": "none"}, "rows": rows}
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_weakest_policy_that_is_accepted_can_fail(name: str) -> None:
    """Each check, by a fault of its own."""
    policy, (check, campaign) = weakest(), BROKEN[name]
    assert policy.refuses(WEEKLY) == ""
    assert check(policy, campaign).status is not CheckStatus.PASS


@settings(max_examples=examples(25))
@given(policies(), st.data())
def test_every_check_with_a_limit_can_fail(policy: Policy, data: st.DataObject) -> None:
    """However weak the limits are that a live run accepts, none of them is out of reach."""
    assert policy.refuses(WEEKLY) == ""
    name = data.draw(st.sampled_from(sorted(BROKEN)))
    check, campaign = BROKEN[name]
    assert check(policy, campaign).status is not CheckStatus.PASS, name


@settings(max_examples=examples(50))
@given(policies())
def test_the_guards_own_rails_can_break(policy: Policy) -> None:
    """At once, and by alarms; soft overhead is below the hard one."""
    good = {"overhead_percent": 0.0, "false_positive_rate": 0.0, "disable_events": 0, "checks": 16}
    for rail, facts in (("hard", {"overhead_percent": 101.0}), ("alarms", {"false_positive_rate": 1.0})):
        evidence_of = GuardEvidence.model_validate({**good, **facts})
        assert rail in violations(evidence_of, policy.guard, bounded=True)


def test_every_broken_campaign_is_broken_by_its_fault_alone() -> None:
    """With the defaults in force and nothing altered, none of these checks fails: the property says something."""
    policy = Policy.model_validate({"policy_id": "p", "floors": {"waiver": "none"}})
    healthy = {kind: altered(lambda m: {}, kind) for kind in ("weekly", "split")}
    for name, (check, campaign) in BROKEN.items():
        assert check(policy, healthy[campaign.plan.kind]).status is CheckStatus.PASS, name


SERVICE = Partner(label="old", role="service", asked="old@/lib/libold.so")
IN_SERVICE: dict[str, Any] = {"partner": SERVICE, "snapshots": 12, "looks": (3, 5, 8, 12), "iterations": 16}
LEFT_OUT = [
    ({}, {}, ()),
    (
        {"host": {"max_steal_percent": 90, "max_run_delay_percent": 5}},
        {},
        ("host.max_steal_percent 90 (usual: at most 25)",),
    ),
    ({"split": {"min_ratio": 0.1}}, {}, ()),
    ({"floors": {"min_share_of_baseline_gflops": 0.1}}, {}, ()),
    ({"floors": {"min_share_of_service_gflops": 0.1}}, {}, ()),
    (
        {"floors": {"min_share_of_service_gflops": 0.1}},
        IN_SERVICE,
        ("floors.min_share_of_service_gflops 0.1 (usual: at least 0.5)",),
    ),
    (
        {"floors": {"min_share_of_baseline_gflops": 0.1}},
        IN_SERVICE,
        ("floors.min_share_of_baseline_gflops 0.1 (usual: at least 0.5)",),
    ),
    (
        {"floors": {"min_share_of_baseline_gflops": 0.1, "min_share_of_service_gflops": 0.96}},
        IN_SERVICE,
        (),
    ),
    ({"guard": {"z": 50}}, {"kernels": ("auto",)}, ()),
    ({"guard": {"z": 50}}, {"kernels": LANES}, ("guard.z 50 (usual: at most 16)",)),
    ({"host": {"max_run_delay_percent": None}}, {}, ("nobody asked whether other programs ran",)),
    ({"guardrails": {"t5_overhead_from_size": 1024}}, {"kernels": LANES}, ("bounded from 1024 on",)),
    ({"history": {"max_unexplained_drop_percent": 50}}, {}, ("history.max_unexplained_drop_percent 50",)),
    ({}, {"snapshots": 2}, ("drift over more than 2 snapshots",)),
    ({}, {"no_baseline": "a new card"}, ("the pinned baseline: a new card",)),
    ({}, {"lock_namespace": "mine"}, ("held in the lock namespace 'mine' only",)),
    ({}, {"pressure": {"pulses": 0}}, ("pressure: none was sent",)),
]


@pytest.mark.parametrize(("facts", "plan", "words"), LEFT_OUT, ids=[str(n) for n in range(len(LEFT_OUT))])
def test_a_verdict_says_what_it_leaves_out(facts: dict[str, Any], plan: dict[str, Any], words: tuple[str, ...]) -> None:
    """Weak limits of what was measured, and what was not asked or not done; nothing of what does not concern it."""
    whole = {"host": {"max_run_delay_percent": 5.0}, **facts}
    policy = Policy.model_validate({"policy_id": "p", "floors": {"waiver": "none"} | whole.pop("floors", {}), **whole})
    planned = make_plan(**plan)
    verdict = judge(policy, make_campaign(planned, make_records(planned)))
    assert len(verdict.left_out) == len(words)
    for said, wanted in zip(verdict.left_out, words, strict=True):
        assert wanted in said


def test_a_split_says_its_own_weak_ratio_and_a_gate_nothing() -> None:
    """The ratio that the run was asked for comes before the policy's; a canonical run has no cells to speak of."""
    sections = {"host": {"max_run_delay_percent": 5.0}, "history": {"max_unexplained_drop_percent": 90.0}}
    policy = Policy.model_validate({"policy_id": "p", **sections})
    for asked, wanted in ((0.85, ()), (0.1, ("split.min_ratio 0.1 (usual: at least 0.5)",))):
        plan = make_plan("split", min_rusticl_ratio=asked)
        assert left_out(policy, make_campaign(plan, make_records(plan))) == wanted
    plan = make_plan("canonical")
    assert left_out(policy, make_campaign(plan, make_records(plan))) == ()
