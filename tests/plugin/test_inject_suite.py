"""The fault campaign as a suite: 0 only where every campaign and control ended as it must, and no verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.guard.injection import InjectionRecord
from tests.support.gates import GateResult

pytestmark = pytest.mark.device

Gate = Callable[..., GateResult]
Need = Callable[[str], str]


def injections(directory: Path) -> list[InjectionRecord]:
    """The records that later runs would find."""
    paths = (directory / "reports" / "injections").glob("*.json")
    return [InjectionRecord.model_validate_json(path.read_text(encoding="utf-8")) for path in paths]


def test_a_good_guard_passes_and_leaves_its_record_and_no_verdict(
    gate: Gate, need_platform: Need, tmp_path: Path
) -> None:
    """Exit status 0, one record of full coverage; no journal, no decision, no word of a promote."""
    result = gate("--platforms", need_platform("pocl"), "--sizes", "64", suite="inject")
    assert result.status == 0, result.output
    (record,) = injections(tmp_path)
    assert (record.result.size, record.result.guard.mode, record.result.self_test) == (64, "full", "")
    assert record.result.critical.caught == record.result.critical.tried >= 3000
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["injections"]
    assert "promote" not in result.output
    assert result.output.count("fails, as it must") == 2
    assert "every one suffices" in result.output


def test_a_control_that_was_not_run_leaves_the_run_short(gate: Gate, need_platform: Need) -> None:
    """What is deselected is not shown: 11, and the name of what is missing."""
    chosen = ("-k", "control and idle-check")
    result = gate("--platforms", need_platform("pocl"), "--sizes", "64", *chosen, suite="inject")
    assert result.status == 11, result.output
    assert "NOT ENOUGH: pocl 64 campaign was not run, pocl 64 infinite-threshold was not run" in " ".join(
        result.output.split()
    )


@pytest.mark.long
def test_a_sampled_guard_is_tried_as_what_it_is(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """Three rows and columns miss most faults: the campaign fails, and its record says sampled."""
    older = {
        "policy_id": "t5-old",
        "abft_mode": {"sampling_period": 4, "row_samples": 3, "col_samples": 3, "residual_floor": 0.05},
        "runtime_guardrails": {"disable_if_critical_recall_lt": 0.99},
    }
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    options = ("--sizes", "64", "--t5-policy", "older.json")
    result = gate("--platforms", need_platform("pocl"), *options, suite="inject")
    assert result.status == 1, result.output
    assert "in one launch of 4; 99 % are needed" in " ".join(result.output.split())
    assert "sampled: 3 rows and 3 columns of one launch in 4" in " ".join(result.output.split())
    (record,) = injections(tmp_path)
    assert (record.result.guard.mode, record.result.guard.period) == ("sampled", 4)
    assert record.result.critical.caught < 0.2 * record.result.critical.tried


def test_it_is_not_run_beside_a_gate(gate: Gate, need_platform: Need, repository: Path) -> None:
    """A verdict made beside planted faults would be none."""
    weekly = str(repository / "suites" / "weekly")
    result = gate(weekly, "--platforms", need_platform("pocl"), "--sizes", "64", suite="inject")
    assert result.status == 4, result.output
    assert "pytest suites/inject, then pytest suites/weekly" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sizes", "1"), "--sizes 1 is no size to plant faults in"),
        (("--sizes", "64", "--seeds", "1", "2"), "--seeds names 2; a fault campaign takes one"),
        (("--sizes", "1o24"), "is not a whole number"),
        (("--sizes", "64", "--platforms", "nobodys"), "nobodys"),
        (("--sizes", "64", "--t5-policy", "missing.json"), "missing.json cannot be read"),
    ],
    ids=["size", "seeds", "text", "platform", "policy"],
)
def test_bad_input_is_status_4(
    gate: Gate, need_platform: Need, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    """In a sentence, with nothing written."""
    own = () if "--platforms" in options else ("--platforms", need_platform("pocl"))
    result = gate(*options, *own, suite="inject")
    assert result.status == 4, result.output
    assert words in " ".join(result.output.split())
    assert not (tmp_path / "reports").exists()
