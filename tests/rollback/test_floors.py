"""What a verification measures and what each cell must reach, each in the unit that its operation is judged in."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pytest_weekops.core.policy.policy import Row
from pytest_weekops.evidence import baselines
from pytest_weekops.rollback.floors import PROBE_CELL, Floor, Measured, cell_document, floors_of, shortfall
from tests.core.test_units import GBS, POLICY, pinned
from tests.support.synthetic import make_identity


def test_a_rollback_is_verified_against_floors_in_their_unit(tmp_path: Path) -> None:
    """After a switch, rows and pinned baselines in GB/s are floors as those in GFLOPS are."""
    policy = POLICY.model_copy(update={"scope": POLICY.scope.model_copy(update={"platform": "pocl"})})
    rows = {"triad:128": Row(min_avg_gbs=5.0), "auto:256": Row(min_avg_gflops=7.0)}
    floors, _words = floors_of(policy.model_copy(update={"rows": rows}), make_identity("pocl"), tmp_path)
    assert floors == {("triad", 128): (5.0, "GB/s"), ("auto", 256): (7.0, "GFLOPS")}
    body = pinned(1.0).model_dump(mode="json")
    document = {"schema": baselines.SCHEMA, "sha256": baselines._digest(body), "baseline": body}
    path = baselines.pinned_path(tmp_path / "baselines", "pocl", "a processor x 2")
    path.parent.mkdir()
    path.write_text(json.dumps(document), encoding="utf-8")
    floors, _words = floors_of(policy, make_identity("pocl"), tmp_path)
    floor = floors["triad", 128]
    assert floor is not None
    assert floor[0] == pytest.approx(0.95 * GBS)
    assert floor[1] == "GB/s"


def test_a_device_that_nobody_bounds_is_measured_in_one_cell(tmp_path: Path) -> None:
    """Rows of another platform are no floors of this one; the words say how to get some."""
    policy = POLICY.model_copy(update={"rows": {"auto:256": Row(min_avg_gflops=7.0)}})
    floors, words = floors_of(policy, make_identity("pocl"), tmp_path)
    assert floors == {PROBE_CELL: None}
    assert "baseline pin" in words


@pytest.mark.parametrize(
    ("reached", "floor", "problem"),
    [
        ((5.0, "GFLOPS"), None, ""),
        ((5.0, "GFLOPS"), (5.0, "GFLOPS"), ""),
        ((4.99, "GFLOPS"), (5.0, "GFLOPS"), "auto:512 on pocl reaches 4.99 GFLOPS, its floor is 5.00"),
        ((math.nan, "GFLOPS"), (5.0, "GFLOPS"), "auto:512 on pocl reaches nan GFLOPS, its floor is 5.00"),
        ((9.0, "GFLOPS"), (5.0, "GB/s"), "auto:512 has a floor in GB/s and is judged in GFLOPS"),
        ((9.0, "GFLOPS"), (math.inf, "GFLOPS"), "auto:512 on pocl reaches 9.00 GFLOPS, its floor is inf"),
    ],
)
def test_a_cell_holds_its_floor_or_says_why_not(reached: Measured, floor: Floor | None, problem: str) -> None:
    """Reaching it exactly holds; NaN reaches nothing, and another unit bounds nothing."""
    assert shortfall("auto:512", "pocl", reached, floor) == ([problem] if problem else [])


def test_evidence_names_its_numbers_after_their_unit() -> None:
    """Nobody reads GB/s for GFLOPS, or a cell without a floor for one that held it."""
    assert cell_document("a:1", (1.23456, "GFLOPS"), None) == {
        "cell": "a:1",
        "mean_gflops": 1.235,
        "floor_gflops": None,
    }
    assert cell_document("t:1", (2.0, "GB/s"), (1.5, "GB/s")) == {"cell": "t:1", "mean_gbs": 2.0, "floor_gbs": 1.5}
