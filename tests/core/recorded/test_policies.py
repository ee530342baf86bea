"""Older JSON policies whose limits or scope would be lost in the reading: a sentence, never a traceback or a pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.policies.files import default_policy, load_lane_policy, load_policy
from tests.support.recorded_data import weekly_slo

HUGE = 10**400


def older(**changes: Any) -> dict[str, Any]:
    """An older weekly policy."""
    rows = {"auto_t3_controlled:1400": {"min_avg_gflops": 800.0, "max_p95_time_ms": 10.0}}
    return {
        "policy_id": "older",
        "scope": {"platform": "Clover"},
        "weekly_slo": weekly_slo(rows),
        **changes,
    }


def written(tmp_path: Path, document: dict[str, Any]) -> Path:
    """A policy file."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_older_policy_keeps_its_platform(tmp_path: Path) -> None:
    """The refusals below start from a policy that is taken; one without a scope is for any platform."""
    assert load_policy(written(tmp_path, older())).scope.platform == "Clover"
    assert load_policy(written(tmp_path, older(scope={}))).scope.platform == ""


@pytest.mark.parametrize("scope", [[1], None, "Clover", 5, {"platform": ["Clover"]}, {"platform": None}])
def test_a_scope_that_cannot_be_read_is_refused(tmp_path: Path, scope: object) -> None:
    """It would be a policy for any platform."""
    with pytest.raises(PolicyError, match=r"scope.* is .*, not an? (object|name)\. Its limits would hold for any"):
        load_policy(written(tmp_path, older(scope=scope)))


@pytest.mark.parametrize("place", ["guardrail", "row"])
def test_an_integer_beyond_every_float_is_refused(tmp_path: Path, place: str) -> None:
    """JSON writes integers of any length; the sentence does not repeat all of it."""
    document = older()
    slo = document["weekly_slo"]
    if place == "guardrail":
        slo["global_guardrails"]["max_correctness_error"] = HUGE
    else:
        slo["per_kernel_size"]["auto_t3_controlled:1400"]["min_avg_gflops"] = HUGE
    with pytest.raises(PolicyError, match="not a finite number") as refusal:
        load_policy(written(tmp_path, document))
    assert len(str(refusal.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("lane", "section", "key"),
    [
        ("t3", "selector_policy", "epsilon"),
        ("t3", "bootstrap", "min_delta_for_nonstatic"),
        ("t5", "abft_mode", "sampling_period"),
    ],
)
def test_a_lane_policy_with_such_an_integer_is_refused(tmp_path: Path, lane: Any, section: str, key: str) -> None:
    """Whether it would be scaled or only compared."""
    with pytest.raises(PolicyError, match=f"{key} is no number"):
        load_lane_policy(default_policy(), lane, written(tmp_path, {section: {key: HUGE}}))
