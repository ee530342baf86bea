"""Recorded campaigns: the older results exactly, and every hole blocked by the check that names it."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Verdict
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.recorded.judge import RecordedJudgement, judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign, read_campaign
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support.recorded_data import RECORDED, changed, index, needs_recorded, split, weekly, without
from tests.support.verdicts import finding_of

YAML_OF_JSON = {
    "policy_week11_block3_weekly_slo_v1.json": "rx590-weekly-v1",
    "policy_week13_block3_weekly_slo_v2.json": "rx590-weekly-v2",
    "policy_week19_block2_weekly_slo_v3.json": "rx590-weekly-v3",
}


@cache
def policy(name: str = "rx590-weekly-v3") -> Policy:
    """A shipped or recorded policy."""
    return load_policy(name)


def judged(entry: dict[str, Any], policy_name: str | None = None) -> RecordedJudgement:
    """One entry of the index under compat."""
    own = "policy" not in entry
    baseline = RECORDED / entry["baseline"] if own else None
    campaign = read_campaign(RECORDED / entry["input"], own_rules=own, baseline=baseline)
    options = entry.get("options") or {}
    rules = default_policy() if own else policy(policy_name or str(RECORDED / entry["policy"]))
    return judge_recorded(
        rules,
        campaign,
        rules="compat",
        min_ratio=options.get("min_rusticl_ratio"),
        required_sizes=options.get("required_sizes") or (),
    )


@needs_recorded
def test_compat_reproduces_every_recorded_evaluation() -> None:
    """Decision, failed checks in order and snapshot decisions are those of the older evaluators, for every entry."""
    different = []
    for entry in index():
        result = judged(entry)
        found = (result.decision, list(result.verdict.failed_checks), list(result.snapshot_decisions))
        if found != (entry["decision"], entry["failed_checks"], entry.get("snapshot_decisions", [])):
            different.append((entry["id"], found))
    assert not different
    assert len(index()) == 251


@needs_recorded
def test_yaml_policies_judge_recorded_weeks_as_their_json_originals() -> None:
    """Under compat the restated policies give the same failed checks as the figures they came from."""
    different = []
    for entry in index():
        if "policy" in entry:
            result = judged(entry, YAML_OF_JSON[Path(entry["policy"]).name])
            if list(result.verdict.failed_checks) != entry["failed_checks"]:
                different.append((entry["id"], result.verdict.failed_checks))
    assert not different


@needs_recorded
def test_strict_promotes_what_compat_refuses_only_where_throughput_rose() -> None:
    """The one rule strict relaxes is drift: an improvement after a cold first snapshot does not block."""
    for entry in index():
        if entry["decision"] == "promote" or "policy" not in entry:
            continue
        campaign = read_campaign(RECORDED / entry["input"])
        options = entry["options"]
        verdict = judge_recorded(
            policy(YAML_OF_JSON[Path(entry["policy"]).name]),
            campaign,
            min_ratio=options["min_rusticl_ratio"],
            required_sizes=options["required_sizes"],
        ).verdict
        if verdict.decision == "promote":
            assert entry["failed_checks"] == ["throughput_drift_abs_bound"]
            assert "week36_block1" in entry["input"]


def strictly(document: dict[str, Any], name: str = "rx590-weekly-v3", **options: Any) -> Verdict:
    """The strict verdict on a document."""
    return judge_recorded(policy(name), parse_campaign(document, "test"), **options).verdict


def compat(document: dict[str, Any], name: str = "rx590-weekly-v3", **options: Any) -> Verdict:
    """The compat verdict on a document."""
    return judge_recorded(policy(name), parse_campaign(document, "test"), rules="compat", **options).verdict


SIZES: dict[str, Any] = {"required_sizes": (1400, 2048)}


def test_a_healthy_weekly_file_promotes() -> None:
    """The mutations below start from a file that strict promotes."""
    assert strictly(weekly()).failed_checks == ()


def test_a_healthy_split_file_promotes() -> None:
    """The split mutations below start from a file that strict promotes."""
    assert strictly(split(), **SIZES).failed_checks == ()


def _duplicated(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "runs": [*document["runs"], document["runs"][-1]]}


def _one_snapshot() -> dict[str, Any]:
    return changed(weekly(1), "metadata", "executed_snapshots", to=6)


def _collapse() -> dict[str, Any]:
    return changed(weekly(), "runs", 8, "metrics", "avg_mean_gflops", to=700.0)


def _metric(name: str, value: Any, run: int = 13) -> dict[str, Any]:
    return changed(weekly(), "runs", run, "metrics", name, to=value)


NAN = math.nan
WEEKLY_HOLES = [
    ("minimum_snapshots", _one_snapshot()),
    ("minimum_snapshots", changed(weekly(), "metadata", "executed_snapshots", to=8)),
    ("throughput_drift_abs_bound", _one_snapshot()),
    ("all_runs_success", changed(weekly(), "runs", 5, "status", to="error")),
    ("all_runs_success", {**weekly(), "runs": []}),
    ("all_runs_success", changed(weekly(), "runs", 5, to="not a run")),
    ("finite_metrics", _metric("avg_mean_gflops", NAN)),
    ("finite_metrics", _metric("avg_mean_gflops", 0.0)),
    ("finite_metrics", _metric("p95_time_ms", -1.0)),
    ("finite_metrics", _metric("p95_time_ms", math.inf)),
    ("finite_metrics", _metric("max_error_max", NAN)),
    ("finite_metrics", without(weekly(), "runs", 3, "metrics", "avg_mean_gflops")),
    ("finite_metrics", without(weekly(), "runs", 3, "metrics")),
    ("correctness_error_bound", _metric("max_error_max", NAN)),
    ("correctness_error_bound", _metric("max_error_max", 0.0011)),
    ("correctness_error_bound", without(weekly(), "runs", 3, "metrics", "max_error_max")),
    ("per_kernel_size_slo", _metric("avg_mean_gflops", NAN)),
    ("throughput_drift_abs_bound", _metric("avg_mean_gflops", NAN)),
    ("guard_evidence_present", without(weekly(), "runs", 2, "metrics", "t5_overhead_percent")),
    ("guard_evidence_present", without(weekly(), "runs", 2, "metrics", "t5_false_positive_rate")),
    ("guard_evidence_present", without(weekly(), "runs", 2, "metrics", "t5_disable_events")),
    ("guard_evidence_present", without(weekly(), "runs", 0, "metrics", "t3_fallback_rate")),
    ("guard_evidence_present", without(weekly(), "runs", 0, "metrics", "t3_policy_disabled")),
    ("t3_fallback_bound", _metric("t3_policy_disabled", value=True, run=4)),
    ("t5_false_positive_bound", _metric("t5_false_positive_rate", 0.06, run=2)),
    ("t5_overhead_bound", _metric("t5_overhead_percent", NAN, run=6)),
    ("t5_disable_events_total_bound", _metric("t5_disable_events", NAN, run=6)),
    ("t5_disable_events_total_bound", _metric("t5_disable_events", 1, run=6)),
    ("no_rollback_event", {**weekly(), "rollback_event": {"snapshot": 3}}),
    ("no_rollback_event", {**weekly(), "rollback_event": {}}),
    ("pressure_failures_zero", changed(weekly(), "pressure", 1, "failures", to=1)),
    ("pressure_failures_zero", changed(weekly(), "pressure", 1, "completed", to=2)),
    ("pressure_failures_zero", {**weekly(), "pressure": []}),
    ("unique_cases", _duplicated(weekly())),
    ("platform_split_present", _metric("platform", "rusticl")),
    ("platform_split_present", _metric("device", "another card")),
    ("platform_split_present", changed(weekly(), "runs", 3, "platform_selector", to="rusticl")),
    ("throughput_drift_abs_bound", _collapse()),
    ("sizes_covered", changed(weekly(), "runs", 3, "size", to=4096)),
    ("all_policy_rows_present", {**weekly(), "runs": [r for r in weekly()["runs"] if r["size"] == 1400]}),
]


@pytest.mark.parametrize(("check", "document"), WEEKLY_HOLES, ids=[f"{n}-{h[0]}" for n, h in enumerate(WEEKLY_HOLES)])
def test_strict_closes_a_hole_of_the_weekly_rules(check: str, document: dict[str, Any]) -> None:
    """The verdict is iterate, and the check that names the hole is among those that failed."""
    verdict = strictly(document)
    assert check in verdict.failed_checks
    assert verdict.decision == "iterate"
    assert int(verdict.exit_status) in (1, 10, 11)


def _seed_only() -> dict[str, Any]:
    """One seed of one cell far below the ratio, its other seed far above: the mean holds."""
    document = split()
    for run in document["runs"]:
        if run["platform_selector"] == "rusticl" and run["size"] == 1400:
            run["metrics"]["avg_mean_gflops"] *= 0.7 if run["seed"] == 412 else 1.3
    return document


def _only(platform: str) -> dict[str, Any]:
    return {**split(), "runs": [run for run in split()["runs"] if run["platform_selector"] == platform]}


SPLIT_HOLES = [
    ("rusticl_ratio_vs_clover", _seed_only()),
    ("rusticl_ratio_vs_clover", changed(split(), "runs", 9, "metrics", "avg_mean_gflops", to=NAN)),
    ("rusticl_ratio_vs_clover", without(split(), "runs", 9)),
    ("rusticl_latency_ratio", changed(split(), "runs", 9, "metrics", "p95_time_ms", to=60.0)),
    ("platform_split_present", _only("Clover")),
    ("platform_split_present", changed(split(), "runs", 9, "metrics", "platform", to="Clover")),
    ("required_sizes_present_on_split", without(without(split(), "runs", 13), "runs", 9)),
    ("all_runs_success", changed(split(), "runs", 9, "status", to="crash")),
    ("pressure_failures_zero", changed(split(), "pressure", 1, "failures", to=2)),
    ("unique_cases", _duplicated(split())),
    ("no_rollback_event", {**split(), "rollback_event": {"why": "overhead"}}),
    ("finite_metrics", changed(split(), "runs", 9, "metrics", "peak_mean_gflops", to=0)),
]


@pytest.mark.parametrize(("check", "document"), SPLIT_HOLES, ids=[f"{n}-{h[0]}" for n, h in enumerate(SPLIT_HOLES)])
def test_strict_closes_a_hole_of_the_split_rules(check: str, document: dict[str, Any]) -> None:
    """The verdict is iterate, and the check that names the hole is among those that failed."""
    verdict = strictly(document, **SIZES)
    assert check in verdict.failed_checks
    assert verdict.decision == "iterate"


def test_a_cold_first_snapshot_alone_is_no_drift() -> None:
    """Strict looks at the whole series; compat sees only the first and the last and fails."""
    document = weekly()
    for run in document["runs"][:4]:
        run["metrics"]["avg_mean_gflops"] *= 0.96
    assert compat(document).failed_checks == ("throughput_drift_abs_bound",)
    assert strictly(document).failed_checks == ()


def test_a_json_policy_without_a_row_for_3072_does_not_cover_it() -> None:
    """What the older policies were silent about is named, and marked as strict's own finding."""
    document = changed(weekly(), "runs", 3, "size", to=3072)
    verdict = strictly(document)
    assert "sizes_covered" not in verdict.failed_checks
    bare = policy().model_copy(update={"rows": policy().demanded_rows})
    strict = judge_recorded(bare, parse_campaign(document, "test")).verdict
    assert [f.strict_only for f in strict.findings if f.check == "sizes_covered"] == [True]


@pytest.mark.parametrize("nudge", [-1, 0, 1])
def test_bounds_are_inclusive_to_the_last_bit(nudge: int) -> None:
    """At equality a bound holds; one ulp beyond it does not, in both rule sets."""
    limit = 0.001
    value = limit if not nudge else math.nextafter(limit, math.inf * nudge)
    document = _metric("max_error_max", value, run=7)
    expected = ("correctness_error_bound",) if nudge > 0 else ()
    assert compat(document).failed_checks == expected
    assert strictly(document).failed_checks == expected


@pytest.mark.parametrize("nudge", [-1, 0, 1])
def test_the_floor_of_a_row_is_inclusive_to_the_last_bit(nudge: int) -> None:
    """The mean of equal values is that value, to the last bit, in both rule sets."""
    floor = policy().rows["auto_t5_guarded:1400"].min_avg_gflops
    assert floor is not None
    value = floor if not nudge else math.nextafter(floor, math.inf * nudge)
    document = weekly()
    for run in document["runs"]:
        if (run["kernel"], run["size"]) == ("auto_t5_guarded", 1400):
            run["metrics"]["avg_mean_gflops"] = value
    expected = ("per_kernel_size_slo",) if nudge < 0 else ()
    assert compat(document).failed_checks == expected
    assert strictly(document).failed_checks == expected


def test_compat_keeps_the_older_blindness_to_crashed_runs() -> None:
    """The weekly rules of old looked at ok runs only."""
    assert compat(changed(weekly(), "runs", 5, "status", to="error")).failed_checks == ()


def test_compat_fails_where_the_older_evaluator_raised() -> None:
    """An error of old is a failing finding today, never an exception."""
    verdict = compat(without(weekly(), "metadata", "executed_snapshots"))
    assert verdict.failed_checks == ("minimum_snapshots",)
    assert verdict.findings[0].reason_code == "unreadable"


def test_order_of_snapshots_in_the_file_does_not_matter() -> None:
    """Rows sort by snapshot before first and last are taken."""
    document = weekly()
    document["runs"].reverse()
    assert compat(document).failed_checks == ()
    assert strictly(document).failed_checks == ()


def test_a_wrong_result_stops_a_campaign_under_its_own_rules() -> None:
    """The older word for a correctness breach while measuring is stop."""
    document = _metric("max_error_max", 0.002)
    result = judge_recorded(default_policy(), parse_campaign(document, "test", own_rules=True), rules="compat")
    assert result.decision == "stop"
    assert result.snapshot_decisions[3] == "rollback"
    assert result.verdict.decision == "iterate"


def test_two_soft_overheads_in_a_row_are_due_for_rollback() -> None:
    """A soft violation warns; the second in a row rolls back, and a rollback that was due and did not happen fails."""
    document = weekly()
    for run in document["runs"]:
        if run["kernel"] == "auto_t5_guarded" and run["snapshot"] in (2, 3):
            run["metrics"]["t5_overhead_percent"] = 4.0
    result = judge_recorded(default_policy(), parse_campaign(document, "test", own_rules=True), rules="compat")
    assert result.snapshot_decisions[:4] == ("continue", "warn", "rollback", "continue")
    assert result.verdict.failed_checks == ("soft_overhead_consecutive_below_limit", "rollback_policy_enforced")


def test_a_clean_snapshot_ends_a_streak_of_soft_overheads() -> None:
    """Two warnings with a good snapshot between them are no two in a row."""
    document = weekly()
    for run in document["runs"]:
        if run["kernel"] == "auto_t5_guarded" and run["snapshot"] in (2, 4):
            run["metrics"]["t5_overhead_percent"] = 4.0
    result = judge_recorded(default_policy(), parse_campaign(document, "test", own_rules=True), rules="compat")
    assert result.snapshot_decisions == ("continue", "warn", "continue", "warn", "continue", "continue")
    assert result.decision == "promote"


def test_strict_own_rules_need_a_usable_baseline() -> None:
    """A baseline without usable rows compared nothing for sixteen weeks; strict says so."""
    verdict = judge_recorded(default_policy(), parse_campaign(weekly(), "test", own_rules=True)).verdict
    assert verdict.failed_checks == ("baseline_usable",)


def _long(snapshots: int, sizes: int) -> dict[str, Any]:
    """Ten thousand runs: many snapshots of few cells, or few of many."""
    run = weekly()["runs"][0]
    runs = [
        {**run, "size": size, "snapshot": snapshot, "seed": snapshot}
        for snapshot in range(1, snapshots + 1)
        for size in range(1400, 1400 + sizes)
    ]
    return {**weekly(), "runs": runs}


@pytest.mark.parametrize(("snapshots", "sizes"), [(10_000, 1), (1, 10_000), (100, 100)])
@pytest.mark.parametrize("own", [False, True])
def test_ten_thousand_recorded_runs_are_judged_whole(snapshots: int, sizes: int, own: bool) -> None:
    """Whatever the shape of the campaign, its last run is looked at like the first."""
    document = _long(snapshots, sizes)
    document["runs"][-1] = changed(document["runs"][-1], "status", to="crash")
    verdict = judge_recorded(policy(), parse_campaign(document, "test", own_rules=own)).verdict
    assert finding_of(verdict, "all_runs_success").observed == 1
