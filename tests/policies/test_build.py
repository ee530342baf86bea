"""From a document to a policy: what is merged, what is filled in, and which key an error points at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.files.strict_yaml import Source
from pytest_weekops.policies.build import build_policy, merged

LINES = {("guardrails",): 3, ("guardrails", "minimum_snapshots"): 4}


def build(**facts: Any) -> Policy:
    """A policy of these sections."""
    return build_policy(Source("Policy", Path("p.yaml"), LINES), {"version": 1, "policy_id": "mine", **facts})


def test_sections_merge_by_key_and_rows_are_replaced_whole() -> None:
    """A row that states one limit must not keep another from beneath."""
    base: dict[str, Any] = {
        "guardrails": {"a": 1, "b": {"c": 1, "d": 1}},
        "rows": {"auto:1": {"x": 1, "y": 1}, "auto:2": {"x": 1}},
    }
    top = {"guardrails": {"b": {"c": 2}}, "rows": {"auto:1": {"x": 2}}, "notes": [1]}
    assert merged(base, top) == {
        "guardrails": {"a": 1, "b": {"c": 2, "d": 1}},
        "rows": {"auto:1": {"x": 2}, "auto:2": {"x": 1}},
        "notes": [1],
    }
    assert base["rows"]["auto:1"] == {"x": 1, "y": 1}


def test_a_severity_that_is_not_named_keeps_its_default() -> None:
    """A policy names only what it changes."""
    plain, changed = build(), build(severity={"checks": {"p95_drift_bound": 1}, "levels": {"1": {"owner": "us"}}})
    assert changed.severity.checks == {**plain.severity.checks, "p95_drift_bound": 1}
    assert changed.severity.levels[1].owner == "us"
    assert changed.severity.levels[1].action == plain.severity.levels[1].action
    assert changed.severity.levels[2] == plain.severity.levels[2]


@pytest.mark.parametrize(
    ("facts", "words", "key"),
    [
        ({"version": True}, "line 1: version is True. This program reads version 1", "version"),
        (
            {"guardrails": {"minimum_snapshots": "5"}},
            "line 4: guardrails.minimum_snapshots is '5', not a number",
            "guardrails.minimum_snapshots",
        ),
        (
            {"guardrails": {"minimum_snapshot": 5}},
            "line 3: guardrails.minimum_snapshot is no key of a policy",
            "guardrails.minimum_snapshot",
        ),
        ({"rows": {"auto:1400": {"x": 1}}}, "line 1: rows.auto:1400.x is no key of a policy", "rows.auto:1400.x"),
    ],
)
def test_a_refusal_points_at_the_nearest_key_with_a_line(facts: dict[str, Any], words: str, key: str) -> None:
    """Its own line, that of the section it stands in, or the first."""
    with pytest.raises(PolicyError) as refusal:
        build(**facts)
    assert str(refusal.value).startswith(f"Policy p.yaml {words}")
    assert (refusal.value.key, refusal.value.path) == (key, "p.yaml")
