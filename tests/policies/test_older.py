"""Policies in JSON: the older ones keep their numbers, and one that lacks a limit or holds none is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.policies.files import default_policy, load_policy
from tests.support.recorded_data import RECORDED, needs_recorded

GUARDRAILS: dict[str, Any] = {
    "minimum_snapshots": 6,
    "max_correctness_error": 0.001,
    "max_t3_fallback_rate": 0.08,
    "max_t5_disable_events_total": 0,
    "max_t5_overhead_percent": 3.0,
    "max_abs_throughput_drift_percent": 3.0,
    "max_p95_drift_percent": -8.0,
}
ROW = {"min_avg_gflops": 776.1, "max_p95_time_ms": 7.2}


def older(changes: dict[str, Any] | None = None, **facts: Any) -> str:
    """An older weekly policy with some of its guardrails changed; None takes one out."""
    rails = {**GUARDRAILS, **(changes or {})}
    slo = {
        "global_guardrails": {name: value for name, value in rails.items() if value is not None},
        "per_kernel_size": {"auto:1400": ROW},
    }
    return json.dumps({"policy_id": "older", "weekly_slo": slo, **facts})


def written(tmp_path: Path, text: str, name: str = "mine.json") -> Path:
    """A policy file."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@needs_recorded
@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("rx590-weekly-v1", "policy_week11_block3_weekly_slo_v1.json"),
        ("rx590-weekly-v2", "policy_week13_block3_weekly_slo_v2.json"),
        ("rx590-weekly-v3", "policy_week19_block2_weekly_slo_v3.json"),
    ],
)
def test_the_restated_policies_have_the_same_numbers(name: str, figures: str) -> None:
    """Every limit of the older JSON stands in the YAML, to the last bit."""
    ours, theirs = load_policy(name), load_policy(RECORDED / "policies" / figures)
    limits = {key: (row.min_avg_gflops, row.max_p95_time_ms) for key, row in ours.demanded_rows.items()}
    assert limits == {key: (row.min_avg_gflops, row.max_p95_time_ms) for key, row in theirs.demanded_rows.items()}
    for limit in (
        "minimum_snapshots",
        "max_correctness_error",
        "max_t3_fallback_rate",
        "max_t5_disable_events_total",
        "max_t5_overhead_percent",
        "max_abs_throughput_drift_percent",
        "max_p95_drift_percent",
    ):
        assert getattr(ours.guardrails, limit) == getattr(theirs.guardrails, limit)
    assert ours.covers("auto_t5_guarded:3072") == "waiver"


def test_an_older_policy_keeps_its_numbers_whatever_their_sign(tmp_path: Path) -> None:
    """It must judge today as it did then; it is for any platform where it names none."""
    policy = load_policy(written(tmp_path, older()))
    assert {name: getattr(policy.guardrails, name) for name in GUARDRAILS} == GUARDRAILS
    row = policy.demanded_rows["auto:1400"]
    assert {name: getattr(row, name) for name in ROW} == ROW
    assert policy.scope.platform == ""
    scoped = load_policy(written(tmp_path, older(scope={"platform": "clover"})))
    assert scoped.scope.platform == "clover"


@pytest.mark.parametrize("name", GUARDRAILS)
@pytest.mark.parametrize("value", [None, True, "3", [], float("nan"), float("inf")], ids=str)
def test_a_limit_that_is_none_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """Missing, a truth value, a text, not finite: each would limit nothing."""
    with pytest.raises(PolicyError, match=rf"line 1: weekly_slo\.global_guardrails\.{name} is ") as refusal:
        load_policy(written(tmp_path, older({name: value})))
    assert refusal.value.key == f"weekly_slo.global_guardrails.{name}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "starts like JSON and cannot be read"),
        ("{" + '"a":[' * 100_000, "starts like JSON and cannot be read"),
        ('{"policy_id": "x"}', "(x) has no weekly_slo"),
        ('{"sla_id": "y"}', "(y) has no weekly_slo"),
        ("{}", "(no id) has no weekly_slo"),
        ('{"weekly_slo": []}', "weekly_slo lacks global_guardrails or per_kernel_size"),
        ('{"weekly_slo": {"global_guardrails": {}}}', "weekly_slo lacks global_guardrails or per_kernel_size"),
        (older(scope="clover"), "scope is 'clover', not an object"),
        (older(scope={"platform": 3}), "scope.platform is 3, not a name"),
        (older().replace('"min_avg_gflops"', '"min_gflops"'), "per_kernel_size.auto:1400.min_avg_gflops is missing"),
        ('{"version": 2, "policy_id": "x"}', "line 1: version is 2. This program reads version 1"),
    ],
)
def test_json_that_holds_no_limits_for_a_week_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """In words that name the file."""
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as refusal:
        load_policy(path)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith(f"Policy {path} ")


def test_a_key_twice_is_refused_in_json_too(tmp_path: Path) -> None:
    """The second limit would silently win."""
    text = (
        default_policy()
        .model_dump_json()
        .replace('"max_correctness_error":', '"max_correctness_error":9,"max_correctness_error":', 1)
    )
    with pytest.raises(PolicyError, match="'max_correctness_error' stands in one object twice"):
        load_policy(written(tmp_path, text))
