"""Recorded files from which a record was left out, or that say what cannot be: strict promotes none of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pytest_weekops.core.judge.finding import CheckStatus, Decision, Finding, Verdict
from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support.recorded_data import changed, split, weekly, without
from tests.support.verdicts import finding_of

Document = dict[str, Any]
POLICY = load_policy("rx590-weekly-v3")
FAIL, NO_DATA = CheckStatus.FAIL, CheckStatus.NO_DATA


def judged(document: Document) -> Verdict:
    """The strict verdict under the RX 590's policy."""
    return judge_recorded(POLICY, parse_campaign(document, "test"), required_sizes=(1400, 2048)).verdict


def only_finding(document: Document) -> Finding:
    """The one finding that blocks."""
    (finding,) = (f for f in judged(document).findings if f.status is not CheckStatus.PASS)
    return finding


def blocked_by(document: Document) -> tuple[str, str, CheckStatus]:
    """Check, reason and status of the one finding that blocks."""
    finding = only_finding(document)
    return finding.check, finding.reason_code, finding.status


def with_metrics(document: Document, change: Callable[[dict[str, Any], Document], None]) -> Document:
    """A copy in which the change was made to the metrics of every run."""
    result = copy.deepcopy(document)
    for run in result["runs"]:
        change(run["metrics"], run)
    return result


# -- numbers that are not there, or cannot be --------------------------------------------------------------------


@pytest.mark.parametrize("document", [weekly(), split()], ids=["weekly", "split"])
@pytest.mark.parametrize("value", [None, "fast", True])
def test_a_peak_that_is_no_number_is_missing(document: Document, value: object) -> None:
    """NaN blocked, and nothing at all did not."""
    broken = changed(document, "runs", 3, "metrics", "peak_mean_gflops", to=value)
    assert blocked_by(broken) == ("finite_metrics", "missing", NO_DATA)


@pytest.mark.parametrize("document", [weekly(), split()], ids=["weekly", "split"])
def test_no_peak_anywhere_is_no_evidence(document: Document) -> None:
    """Left out of every run it was no odd one out."""
    bare = with_metrics(document, lambda metrics, _run: metrics.pop("peak_mean_gflops"))
    assert blocked_by(bare) == ("finite_metrics", "missing", NO_DATA)


def _with_overhead(value: float) -> Document:
    return changed(weekly(), "runs", 2, "metrics", "t5_overhead_percent", to=value)


def test_a_check_that_takes_less_than_no_time_is_impossible() -> None:
    """A little below zero is noise, and 100 % less than nothing at all is no measurement."""
    assert judged(_with_overhead(-0.4)).decision is Decision.PROMOTE
    broken = only_finding(_with_overhead(-100.5))
    assert (broken.check, broken.reason_code) == ("t5_overhead_bound", "impossible")
    assert len(broken.rows) == 1


def test_a_rate_above_one_is_impossible_whatever_the_limit() -> None:
    """An older policy may state any limit."""
    rails = POLICY.guardrails.model_copy(update={"max_t3_fallback_rate": 5.0})
    policy = POLICY.model_copy(update={"guardrails": rails})
    campaign = parse_campaign(changed(weekly(), "runs", 1, "metrics", "t3_fallback_rate", to=1.5), "test")
    assert judge_recorded(policy, campaign).verdict.failed_checks == ("t3_fallback_bound",)


# -- seeds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, "412", [412], 412.5, True])
def test_a_run_without_a_whole_seed_has_no_identity(seed: object) -> None:
    """The same run could stand there again under another spelling."""
    document = weekly()
    for run in document["runs"]:
        run["seed"] = seed
    assert blocked_by(document) == ("unique_cases", "no_seed", NO_DATA)


def test_a_whole_seed_may_be_spelt_as_a_float() -> None:
    """412.0 is 412."""
    document = weekly()
    for run in document["runs"]:
        run["seed"] = float(run["seed"])
    assert judged(document).decision is Decision.PROMOTE


def _two_seeds() -> Document:
    document = weekly()
    document["runs"] += [{**run, "seed": run["seed"] + 1} for run in document["runs"]]
    return document


def test_a_seed_left_out_of_one_cell_of_a_snapshot_is_missing() -> None:
    """With two seeds in every snapshot, the other one alone would satisfy the grid."""
    assert judged(_two_seeds()).decision is Decision.PROMOTE
    assert blocked_by(without(_two_seeds(), "runs", -1)) == ("all_runs_success", "missing_runs", NO_DATA)


def test_a_seed_left_out_of_a_whole_snapshot_is_missing() -> None:
    """Its cells agree among themselves, and the other snapshots have more."""
    document = _two_seeds()
    document["runs"] = [run for run in document["runs"] if run["snapshot"] != 3 or run["seed"] % 2 == 0]
    assert blocked_by(document) == ("all_runs_success", "missing_runs", NO_DATA)


# -- splits ------------------------------------------------------------------------------------------------------


def _split_in_snapshots() -> Document:
    """A split with one seed in each of three snapshots, as the longer recorded ones are."""
    one = split()
    runs = [
        {**run, "seed": 1000 * snapshot + run["size"], "snapshot": snapshot}
        for snapshot in (1, 2, 3)
        for run in one["runs"]
        if run["seed"] == 412
    ]
    pressure = [
        {"platform_selector": platform, "snapshot": snapshot, "requested": 3, "completed": 3, "failures": 0}
        for platform in ("Clover", "rusticl")
        for snapshot in (1, 2, 3)
    ]
    return {"metadata": {"snapshots": [1, 2, 3], "pressure": {}}, "pressure": pressure, "runs": runs}


def _without_snapshot_2(document: Document) -> Document:
    return {**document, "runs": [run for run in document["runs"] if run["snapshot"] != 2]}


def test_a_snapshot_left_out_of_a_split_is_missing() -> None:
    """The metadata lists it, and so does the pressure."""
    assert judged(_split_in_snapshots()).decision is Decision.PROMOTE
    dropped = _without_snapshot_2(_split_in_snapshots())
    assert blocked_by(dropped) == ("all_runs_success", "missing_runs", NO_DATA)
    unlisted = changed(dropped, "metadata", "snapshots", to=[1, 3])
    assert blocked_by(unlisted) == ("all_runs_success", "missing_runs", NO_DATA)


def test_one_seed_left_out_of_a_snapshot_of_a_split_is_missing() -> None:
    """Each planned seed still stands in the other snapshot."""
    document = _split_in_snapshots()
    document["metadata"]["seeds"] = [1, 2]
    document["runs"] = [{**run, "seed": seed} for run in document["runs"] for seed in (1, 2)]
    document["pressure"] = [{**pulse, "seed": seed} for pulse in document["pressure"] for seed in (1, 2)]
    assert judged(document).decision is Decision.PROMOTE
    document["runs"] = [run for run in document["runs"] if (run["snapshot"], run["seed"]) != (2, 1)]
    assert blocked_by(document) == ("all_runs_success", "missing_runs", NO_DATA)


def test_a_split_that_lists_neither_seeds_nor_snapshots_is_no_evidence() -> None:
    """A seed could be left out, and nothing would tell."""
    assert blocked_by(without(split(), "metadata", "seeds")) == ("all_runs_success", "unreadable_plan", NO_DATA)


def test_a_pulse_recorded_twice_is_no_pulse_of_another_seed() -> None:
    """One failed pulse could be replaced with a good one."""
    document = split()
    document["pressure"][1] = copy.deepcopy(document["pressure"][0])
    assert blocked_by(document) == ("pressure_failures_zero", "missing_pulses", NO_DATA)


def _on_device(of_clover: str, of_rusticl: str) -> Document:
    def change(metrics: dict[str, Any], run: Document) -> None:
        metrics["device"] = of_clover if run["platform_selector"] == "Clover" else of_rusticl

    return with_metrics(split(), change)


def test_a_candidate_on_another_device_is_not_compared() -> None:
    """What stands in brackets are the drivers' versions, which differ between platforms."""
    assert judged(_on_device("a card (radeonsi)", "a card (rusticl, 6.14)")).decision is Decision.PROMOTE
    other = _on_device("a card (radeonsi)", "a faster card (radeonsi)")
    assert blocked_by(other) == ("platform_split_present", "other_device", FAIL)


@pytest.mark.parametrize("selector", ["pocl", None, ""])
def test_a_selector_that_names_another_platform_blocks(selector: object) -> None:
    """What answered fits, and what was asked for does not."""

    def change(metrics: dict[str, Any], _run: Document) -> None:
        metrics["platform_selection"] = {"selected_platform": metrics["platform"], "platform_selector": selector}

    document = with_metrics(weekly(), change)
    assert blocked_by(document) == ("platform_split_present", "platform_not_selected", FAIL)


@pytest.mark.parametrize(("size", "blocks"), [(1400, False), (3072, True)])
def test_own_rules_obey_the_required_sizes_of_the_command_line(size: int, *, blocks: bool) -> None:
    """A split judged by its own rules passed over them."""
    campaign = parse_campaign(split(), "test", own_rules=True)
    verdict = judge_recorded(default_policy(), campaign, required_sizes=(size,)).verdict
    assert ("required_sizes_present_on_split" in verdict.failed_checks) == blocks
    unasked = judge_recorded(default_policy(), campaign).verdict
    assert "required_sizes_present_on_split" not in [finding.check for finding in unasked.findings]


# -- what the file says of itself --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "check", "reason"),
    [
        (without(weekly(), "rollback_event"), "no_rollback_event", "missing"),
        (without(weekly(), "metadata", "planned_snapshots"), "minimum_snapshots", "metadata_missing"),
    ],
    ids=["rollback", "planned snapshots"],
)
def test_a_week_that_leaves_out_what_would_block_is_no_evidence(document: Document, check: str, reason: str) -> None:
    """Every recorded week says both."""
    assert blocked_by(document) == (check, reason, NO_DATA)


@pytest.mark.parametrize(
    ("name", "listed", "reason"),
    [
        ("sizes", [1400.0, 2048.0, 3072.0], "missing_runs"),
        ("sizes", [1400, "2048"], "unreadable_plan"),
        ("sizes", [1400, 2048.5], "unreadable_plan"),
        ("sizes", None, "unreadable_plan"),
        ("kernels", ["auto_t3_controlled", 5], "unreadable_plan"),
        ("kernels", "auto_t3_controlled", "unreadable_plan"),
        ("seeds", [412, None], "unreadable_plan"),
        ("snapshots", 6, "unreadable_plan"),
    ],
)
def test_a_plan_that_cannot_be_read_hides_nothing(name: str, listed: object, reason: str) -> None:
    """Whole floats are sizes; what is neither leaves open what is missing."""
    kernels = {"kernels": ["auto_t3_controlled", "auto_t5_guarded"], "executed_snapshots": 6}
    document = weekly()
    document["metadata"].update({**kernels, name: listed})
    assert blocked_by(document) == ("all_runs_success", reason, NO_DATA)


def _repeated() -> Document:
    """A weekly file that repeats its runs snapshot by snapshot, as recorded ones do."""
    document = weekly()
    runs = copy.deepcopy(document["runs"])
    document["snapshots"] = [
        {
            "snapshot": number,
            "runs": [run for run in runs if run["snapshot"] == number],
            "evaluation": {"decision": "continue"},
        }
        for number in range(1, 7)
    ]
    return document


@pytest.mark.parametrize(
    "document",
    [
        changed(_repeated(), "snapshots", 2, "runs", 0, "status", to="crashed"),
        changed(_repeated(), "snapshots", 2, "evaluation", "decision", to="rollback"),
    ],
    ids=["crashed", "rolled back"],
)
def test_a_file_whose_snapshots_tell_otherwise_contradicts_itself(document: Document) -> None:
    """The runs were mended, and their copies were not."""
    assert judged(_repeated()).decision is Decision.PROMOTE
    assert blocked_by(document) == ("all_runs_success", "contradiction", FAIL)


@pytest.mark.parametrize("broken", [5, [5], [{"snapshot": 1}], [{"runs": [5]}]])
def test_snapshots_that_cannot_be_read_block(broken: object) -> None:
    """What they would have told is not known."""
    assert blocked_by({**weekly(), "snapshots": broken}) == ("all_runs_success", "unreadable", FAIL)


@pytest.mark.parametrize(("rise", "blocks"), [(1.0485, False), (1.0515, True)])
def test_a_rise_of_p95_is_percent_above_what_it_was(rise: float, *, blocks: bool) -> None:
    """5.15 % above the median is beyond 5 %, though the speed fell by 4.90 % only and the first was slower too."""
    document = weekly()
    for run in document["runs"]:
        run["metrics"]["p95_time_ms"] *= {1: 1.01, 6: rise}.get(run["snapshot"], 1.0)
    finding = finding_of(judged(document), "p95_drift_bound")
    assert (finding.status is FAIL) == blocks
    assert finding.observed == pytest.approx((rise - 1) * 100)
