"""The sneakiest recorded files: whole at first sight, and promoted by rules that look at less."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import Finding, Verdict
from pytest_weekops.core.recorded.campaign import RecordedCampaign
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support.recorded_data import changed, split, weekly, without
from tests.support.verdicts import finding_of

POLICY = load_policy("rx590-weekly-v3")
SIZES = (1400, 2048)


def judged(document: dict[str, Any], rules: Any = "strict") -> Verdict:
    """The verdict under the RX 590's policy."""
    return judge_recorded(POLICY, parse_campaign(document, "test"), rules=rules, required_sizes=SIZES).verdict


def _series(name: str, *factors: float) -> dict[str, Any]:
    """A weekly file in which one metric of every cell follows these factors, snapshot by snapshot."""
    document = weekly(len(factors))
    for run in document["runs"]:
        run["metrics"][name] *= factors[run["snapshot"] - 1]
    return document


@pytest.mark.parametrize(
    ("check", "document"),
    [
        ("throughput_drift_abs_bound", _series("avg_mean_gflops", 1.06, 1, 1, 1, 1, 1)),
        ("p95_drift_bound", _series("p95_time_ms", 0.9, 1, 1, 1, 1, 1)),
    ],
    ids=["throughput", "p95"],
)
def test_a_fall_behind_the_first_snapshot_is_a_drift(check: str, document: dict[str, Any]) -> None:
    """Trend and median see only the five that are alike; the first was better, so it was not cold."""
    assert judged(document).failed_checks == judged(document, "compat").failed_checks == (check,)


@pytest.mark.parametrize("nudge", [-1, 0, 1])
@pytest.mark.parametrize("runs", [6, 7, 10])
def test_the_mean_of_equal_values_is_that_value(nudge: int, runs: int) -> None:
    """Strict and compat stand on the same side of a floor, however many runs are averaged."""
    floor = POLICY.rows["auto_t3_controlled:2048"].min_avg_gflops
    assert floor is not None
    document = weekly(runs)
    for run in document["runs"]:
        if (run["kernel"], run["size"]) == ("auto_t3_controlled", 2048):
            run["metrics"]["avg_mean_gflops"] = math.nextafter(floor, math.inf * nudge) if nudge else floor
    expected = ("per_kernel_size_slo",) if nudge < 0 else ()
    assert judged(document).failed_checks == judged(document, "compat").failed_checks == expected


def test_a_run_left_out_is_missing() -> None:
    """Five of six snapshots of one cell would satisfy every mean."""
    long = weekly(8)
    verdict = judged(without(long, "runs", 9))
    assert verdict.failed_checks == ("all_runs_success",)
    assert finding_of(verdict, "all_runs_success").rows == ("auto_t3_controlled:2048 in snapshot 3",)


def test_what_the_metadata_planned_and_nothing_ran_is_missing() -> None:
    """A waived size whose runs are all left out has no policy row that would miss it."""
    document = weekly()
    document["metadata"].update(sizes=[1400, 2048, 3072], kernels=["auto_t3_controlled", "auto_t5_guarded"])
    assert "all_runs_success" in judged(document).failed_checks


def test_a_seed_left_out_on_both_platforms_is_missing() -> None:
    """Each seed that is there has its partner, so that the ratio alone sees nothing."""
    document = split()
    document["runs"] = [run for run in document["runs"] if (run["seed"], run["size"]) != (512, 2048)]
    assert judged(document).failed_checks == ("all_runs_success",)


def test_metadata_cannot_plan_more_than_is_named() -> None:
    """A million planned sizes are neither counted out nor remembered."""
    document = weekly()
    document["metadata"].update(sizes=list(range(1, 3000)), kernels=[f"kernel{n}" for n in range(3000)])
    assert finding_of(judged(document), "all_runs_success").observed == 1000


@pytest.mark.parametrize("name", ["executed_snapshots", "planned_snapshots"])
def test_snapshots_that_were_planned_or_claimed_have_to_be_there(name: str) -> None:
    """Six snapshots suffice, and a window that says eight was cut short."""
    assert "minimum_snapshots" in judged(changed(weekly(), "metadata", name, to=8)).failed_checks


def test_metadata_that_does_not_count_the_snapshots_is_no_evidence() -> None:
    """The older evaluator stopped there; strict is not milder."""
    document = without(weekly(), "metadata", "executed_snapshots")
    assert judged(document).failed_checks == judged(document, "compat").failed_checks == ("minimum_snapshots",)
    assert finding_of(judged(document), "minimum_snapshots").reason_code == "metadata_missing"


def _fewer_pulses() -> dict[str, Any]:
    document = weekly()
    document["pressure"][2].update(requested=1, completed=1)
    return document


@pytest.mark.parametrize(
    "document",
    [without(weekly(), "pressure", 3), without(split(), "pressure", 2), _fewer_pulses()],
    ids=["snapshot", "seed", "fewer than planned"],
)
def test_pressure_that_was_planned_and_left_out_blocks(document: dict[str, Any]) -> None:
    """The record of a failed pulse cannot be dropped, nor a pulse asked for less than planned."""
    assert judged(document).failed_checks == ("pressure_failures_zero",)


def test_a_reason_for_disabling_without_an_event_is_a_contradiction() -> None:
    """Zero events beside the reason of one: somebody counted wrongly."""
    document = changed(weekly(), "runs", 2, "metrics", "t5_disable_reason", to="overhead")
    assert judged(document).failed_checks == ("t5_disable_events_total_bound",)


def test_a_run_that_is_ok_with_another_return_code_is_not_ok() -> None:
    """The older evaluator believed the word; the process ended by signal 11."""
    document = weekly()
    document["runs"][5]["returncode"] = -11
    assert judged(document, "compat").failed_checks == ()
    assert judged(document).failed_checks == ("all_runs_success",)


def test_one_seed_in_two_spellings_is_one_seed() -> None:
    """412 and 412.0 are the same case twice."""
    document = split()
    document["runs"].append({**document["runs"][0], "seed": float(document["runs"][0]["seed"])})
    assert judged(document).failed_checks == ("unique_cases",)


# -- entries that are no runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", [5, {}, {"status": "ok", "metrics": {}}], ids=["number", "empty", "no kernel"])
@pytest.mark.parametrize("document", [weekly(), split()], ids=["weekly", "split"])
def test_compat_does_not_pass_over_an_entry_that_is_no_run(document: dict[str, Any], entry: object) -> None:
    """The older evaluators would have stopped at it with an error."""
    verdict = judged({**document, "runs": [*document["runs"], entry]}, "compat")
    assert verdict.failed_checks == ("all_runs_success",)


def test_compat_never_asked_a_weekly_run_for_its_platform() -> None:
    """None of its nine checks does; strict cannot tell who answered."""
    document = without(weekly(), "runs", 5, "platform_selector")
    assert judged(document, "compat").failed_checks == ()
    assert "platform_split_present" in judged(document).failed_checks


@pytest.mark.parametrize("rules", ["compat", "strict"])
def test_a_run_of_a_split_without_a_platform_blocks(rules: str) -> None:
    """It would be counted on neither side."""
    assert "all_runs_success" in judged(without(split(), "runs", 5, "platform_selector"), rules).failed_checks


def test_compat_passes_over_a_weekly_run_that_says_it_failed() -> None:
    """Only runs that are ok are looked at, as it was."""
    document = {**weekly(), "runs": [*weekly()["runs"], {"status": "crash"}]}
    assert judged(document, "compat").failed_checks == ()
    assert judged(document).failed_checks == ("all_runs_success",)


@pytest.mark.parametrize("document", [weekly(), split()], ids=["canary", "stress split"])
def test_own_rules_do_not_pass_over_an_entry_that_is_no_run(document: dict[str, Any]) -> None:
    """Nor do the rules that campaigns applied to themselves."""
    campaign = parse_campaign({**document, "runs": [*document["runs"], {}]}, "test", own_rules=True)
    assert judge_recorded(default_policy(), campaign, rules="compat").decision == "iterate"


# -- the baseline of a campaign's own rules ----------------------------------------------------------------------


def _week(at: str, factor: float = 1.0) -> RecordedCampaign:
    document = changed(weekly(), "metadata", "timestamp_utc", to=at)
    for run in document["runs"]:
        run["metrics"]["avg_mean_gflops"] *= factor
    return parse_campaign(document, "test", own_rules=True)


NOW, WEEK_AGO = "2026-02-12T00:00:00+00:00", "2026-02-05T00:00:00+00:00"
GOOD = _week(WEEK_AGO, 1.01)


def _own(baseline: RecordedCampaign | None) -> Finding:
    campaign = dataclasses.replace(_week(NOW), baseline=baseline)
    verdict = judge_recorded(default_policy(), campaign).verdict
    assert set(verdict.failed_checks) <= {"baseline_usable"}
    return finding_of(verdict, "baseline_usable")


def test_a_baseline_of_last_week_that_promotes_is_usable() -> None:
    """The refusals below start from a baseline that is taken."""
    assert _own(GOOD).reason_code == "ok"


def _crashed() -> RecordedCampaign:
    runs = (dataclasses.replace(GOOD.runs[0], status="crash"), *GOOD.runs[1:])
    return dataclasses.replace(GOOD, runs=runs)


def _elsewhere() -> RecordedCampaign:
    runs = tuple(dataclasses.replace(r, metrics={**r.metrics, "device": "a slower card"}) for r in GOOD.runs)
    return dataclasses.replace(GOOD, runs=runs)


@pytest.mark.parametrize(
    ("baseline", "code"),
    [
        (None, "no_rows"),
        (_week(NOW), "same_runs"),
        (_crashed(), "not_promoted"),
        (dataclasses.replace(GOOD, rollback_event={"snapshot": 2}), "not_promoted"),
        (_elsewhere(), "other_device"),
        (_week("2025-08-01T00:00:00+00:00", 1.01), "too_old"),
        (_week("2026-02-19T00:00:00+00:00", 1.01), "later"),
        (_week("last week", 1.01), "no_time"),
        (dataclasses.replace(GOOD, runs=GOOD.runs[4::4] + GOOD.runs[1::4], metadata={}), "missing_rows"),
    ],
    ids=["none", "itself", "crashed", "rolled back", "another card", "old", "from the future", "undated", "rows"],
)
def test_a_baseline_that_proves_nothing_blocks(baseline: RecordedCampaign | None, code: str) -> None:
    """It must come from an earlier, promoted and not too old measurement of the same cells."""
    assert _own(baseline).reason_code == code
