"""The shipped verification: where its evidence lies, and which decisions of a gate prove nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.rollback.verification import checks_dir, gate_problems

SANE = {"decision": "promote", "exit_status": 0, "kind": "canonical", "identities": {"pocl": {"profile": "pocl"}}}


def decision(directory: Path, **changes: Any) -> Path:
    """A gate's decision on disk."""
    path = directory / "decision.json"
    path.write_text(json.dumps({**SANE, **changes}), encoding="utf-8")
    return path


def test_a_canonical_promote_of_the_profile_proves_it(tmp_path: Path) -> None:
    """And nothing else does, below."""
    assert gate_problems(decision(tmp_path), "pocl") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decision": "iterate"}, "decided 'iterate'"),
        ({"exit_status": 1}, "decided 'promote'"),
        ({"kind": "weekly"}, "'weekly' run, not a canonical one"),
        ({"identities": {"pocl": {"profile": "clover"}}}, "on clover, not on pocl"),
        ({"identities": {}}, "on no platform, not on pocl"),
        ({"identities": {"a": {"profile": "pocl"}, "b": {"profile": "pocl"}}}, "on pocl, pocl, not on pocl"),
        ({"identities": ["pocl"]}, "cannot be read"),
        ({"identities": {"pocl": {}}}, "cannot be read"),
    ],
)
def test_any_other_decision_is_a_problem(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """Another run, another platform, or a document that says nothing."""
    (problem,) = gate_problems(decision(tmp_path, **changes), "pocl")
    assert words in problem


def test_a_torn_decision_is_a_problem(tmp_path: Path) -> None:
    """As is none at all."""
    whole = decision(tmp_path).read_text(encoding="utf-8")
    decision(tmp_path).write_text(whole[:-9], encoding="utf-8")
    assert "cannot be read" in gate_problems(tmp_path / "decision.json", "pocl")[0]
    assert "cannot be read" in gate_problems(tmp_path / "gone.json", "pocl")[0]


@pytest.mark.parametrize("link", ["runtime", "runtime/checks", "loop"])
def test_checks_stay_where_a_week_takes_them_as_proof(tmp_path: Path, link: str) -> None:
    """Evidence behind a link that leads out of the report directory would prove nothing when the week is closed."""
    reports, outside = tmp_path / "reports", tmp_path / "outside"
    reports.mkdir()
    outside.mkdir()
    assert checks_dir(reports) == reports / "runtime" / "checks"
    place = reports / ("runtime" if link == "loop" else link)
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(place.name if link == "loop" else outside)
    assert checks_dir(reports) == reports / "checks"
