"""The older T3 and T5 policies: their settings in force, the rest as notes, and nothing misread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.guard.settings import GuardSettings, settings_of
from pytest_weekops.core.policy.lane_policies import Lane, with_lane_policy
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.policies.files import default_policy, load_lane_policy
from tests.support.recorded_data import RECORDED, needs_recorded

T3: dict[str, Any] = {
    "policy_id": "t3-old",
    "selector_policy": {"epsilon": 0.05, "bootstrap_weight": 3.0, "warmup_steps_per_context": 4},
    "bootstrap": {"min_delta_for_nonstatic": 8.0, "freeze_sizes": [1400, 2048]},
    "guardrails": {"fallback_regression_limit": 0.06, "disable_if_fallback_rate_gt": 0.1},
}
T5: dict[str, Any] = {
    "policy_id": "t5-old",
    "abft_mode": {
        "sampling_period": 20,
        "row_samples": 3,
        "col_samples": 4,
        "projection_count": 2,
        "faults_per_matrix_modelled": 2,
        "residual_scale": 5.0,
        "residual_margin": 0.01,
        "residual_floor": 0.05,
    },
    "runtime_guardrails": {
        "disable_if_false_positive_rate_gt": 0.04,
        "disable_if_effective_overhead_percent_gt": 3.5,
        "disable_if_effective_overhead_percent_gt_hard": 6.0,
        "disable_if_critical_recall_lt": 0.99,
        "disable_if_uniform_recall_lt": 0.97,
        "disable_if_correctness_error_gt": 0.002,
        "disable_after_consecutive_overhead_violations": 2,
        "stateful_hysteresis": True,
    },
}


def merged(lane: Lane, data: object) -> Policy:
    """The default policy with this over it."""
    return with_lane_policy(default_policy(), lane, data, "old.json")


def test_a_t3_policys_settings_are_in_force() -> None:
    """With their units: the least gain was percent."""
    rules = merged("t3", T3).selector
    assert (rules.epsilon, rules.warmup_launches, rules.freeze_sizes) == (0.05, 4, (1400, 2048))
    assert rules.min_gain == pytest.approx(0.08)
    assert (rules.max_slowdown, rules.max_fallback_rate) == (0.06, 0.1)


def test_a_t5_policys_settings_are_in_force() -> None:
    """And what this guard does not need is a note with its reason."""
    policy = merged("t5", T5)
    rules = policy.guard
    assert (rules.sampling_period, rules.projection_count, rules.overhead_violations) == (20, 2, 2)
    assert (rules.max_overhead_soft_percent, rules.max_overhead_hard_percent) == (3.5, 6.0)
    assert (rules.max_false_positive_rate, rules.min_critical_recall) == (0.04, 0.99)
    assert rules.max_correctness_error == 0.002
    assert "weekops inject" in policy.notes["t5_faults_per_matrix_modelled"]
    assert "outlives the process" in policy.notes["t5_stateful_hysteresis"]
    assert policy.sha256 != default_policy().sha256


def test_stated_samples_make_a_sampled_guard() -> None:
    """With the older thresholds' three numbers and every projection."""
    asked = settings_of(merged("t5", T5).guard)
    assert (asked.mode, asked.row_samples, asked.col_samples, asked.projections) == ("sampled", 3, 4, 2)
    assert (asked.residual_scale, asked.residual_margin, asked.residual_floor) == (5.0, 0.01, 0.05)


def test_without_samples_the_guard_stays_at_full_coverage() -> None:
    """And the residual keys, which would only loosen it, are a note."""
    policy = merged("t5", {"abft_mode": {"sampling_period": 2, "residual_floor": 0.05}})
    assert settings_of(policy.guard) == GuardSettings(period=2)
    assert "every row is checked" in policy.notes["t5_residual_floor"]


def test_samples_on_one_side_leave_the_other_out() -> None:
    """Rows alone, with the full guard's threshold where no older one is stated."""
    asked = settings_of(merged("t5", {"abft_mode": {"row_samples": 2}}).guard)
    assert (asked.lines(100, 100), asked.scale, asked.residual_floor) == ((2, 0), 8.0, 0.0)


@pytest.mark.parametrize("keys", [("uniform", "critical"), ("critical", "uniform")])
def test_the_two_older_recalls_are_one_demand_the_larger(keys: tuple[str, str]) -> None:
    """In whichever order the file has them."""
    shares = {"uniform": 0.97, "critical": 0.99}
    rails = {f"disable_if_{key}_recall_lt": shares[key] for key in keys}
    assert merged("t5", {"runtime_guardrails": rails}).guard.min_critical_recall == 0.99
    only = merged("t5", {"runtime_guardrails": {"disable_if_uniform_recall_lt": 0.97}})
    assert only.guard.min_critical_recall == 0.97


def test_the_rest_of_the_policy_stays() -> None:
    """Only the lane's section changes."""
    before, after = default_policy().effective(), merged("t5", T5).effective()
    assert {key for key in before if before[key] != after[key]} == {"guard", "notes"}


WRONG: dict[str, tuple[Lane, Any, str]] = {
    "no object": ("t3", [], "no JSON object"),
    "the other lane's": ("t3", T5, "has none of"),
    "unknown section": ("t3", {**T3, "explore": {}}, "explore is no section"),
    "unknown key": ("t5", {"abft_mode": {"sampling": 3}}, "abft_mode.sampling is no key"),
    "text": ("t5", {"abft_mode": {"sampling_period": "20"}}, "is no number"),
    "not finite": ("t3", {"selector_policy": {"epsilon": float("nan")}}, "is no number"),
    "out of range": ("t3", {"selector_policy": {"epsilon": 2}}, "selector.epsilon is refused"),
    "zero period": ("t5", {"abft_mode": {"sampling_period": 0}}, "guard.sampling_period is refused"),
    "no rows": ("t5", {"abft_mode": {"row_samples": 0}}, "guard.row_samples is refused"),
    "half a column": ("t5", {"abft_mode": {"col_samples": 2.5}}, "guard.col_samples is refused"),
    "a floor that sees nothing": (
        "t5",
        {"abft_mode": {"row_samples": 3, "residual_floor": 1e30}},
        "guard.residual_floor is refused",
    ),
    "a negative margin": (
        "t5",
        {"abft_mode": {"row_samples": 3, "residual_margin": -1}},
        "guard.residual_margin is refused",
    ),
    "section is no object": ("t5", {"abft_mode": 3}, "abft_mode is no section"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_would_be_misread_is_refused(name: str) -> None:
    """File, key and value."""
    lane, data, words = WRONG[name]
    with pytest.raises(PolicyError, match=r"old\.json") as refusal:
        merged(lane, data)
    assert words in str(refusal.value)


@pytest.mark.parametrize("content", [None, "", "{", "[1]"])
def test_a_file_that_is_missing_or_broken_is_an_error(tmp_path: Path, content: str | None) -> None:
    """A lane never runs by rules that nobody named."""
    path = tmp_path / "t3.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(PolicyError):
        load_lane_policy(default_policy(), "t3", path)


@needs_recorded
def test_every_recorded_lane_policy_loads() -> None:
    """The real ones, of both lanes."""
    loaded = {"t3": 0, "t5": 0}
    for path in sorted((RECORDED / "policies").glob("policy_*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        lane: Lane | None = "t5" if "abft_mode" in data else "t3" if "selector_policy" in data else None
        if lane:
            policy = load_lane_policy(default_policy(), lane, path)
            assert lane == "t3" or settings_of(policy.guard).mode == "sampled", path.name
            loaded[lane] += 1
    assert loaded["t3"] >= 2
    assert loaded["t5"] >= 5
