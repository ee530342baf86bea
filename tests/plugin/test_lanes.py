"""The two controlled lanes in a live weekly run, judged by an RX 590 policy's rows and guardrails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.stored_run import read_run
from tests.support.gates import POLICY, SMALL, GateResult, run_gate

Gate = Callable[..., GateResult]
Need = Callable[[str], str]
ROWS = """\
rows:
  auto_t3_controlled:96: {min_avg_gflops: 0.001, max_p95_time_ms: 100000}
  auto_t5_guarded:96: {min_avg_gflops: 0.001, max_p95_time_ms: 100000}
"""


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory, repository: Path, need_platform: Need) -> GateResult:
    """A weekly run with the default kernels under a policy that has rows for both lanes."""
    directory = tmp_path_factory.mktemp("lanes")
    (directory / "lanes.yaml").write_text(POLICY.replace("inherits", ROWS + "inherits"), encoding="utf-8")
    options = ("--platforms", need_platform("pocl"), *SMALL, "--policy", "lanes.yaml")
    return run_gate(directory, repository / "suites" / "weekly", *options)


def test_the_default_is_both_lanes_with_their_evidence(lanes: GateResult) -> None:
    """Rows, guards and selector are judged on what was measured, and said in the terminal and in the summary."""
    assert lanes.status == 0, lanes.output
    run = read_run(lanes.run_dirs[0])
    assert run.plan.kernels == ("auto_t3_controlled", "auto_t5_guarded")
    measured = [record for record in run.records if isinstance(record, Measurement)]
    for measurement in measured:
        assert (measurement.selector is not None) == (measurement.case.kernel == "auto_t3_controlled")
        assert (measurement.guard is not None) == (measurement.case.kernel == "auto_t5_guarded")
    guards = [m.guard for m in measured if m.guard]
    assert all(guard.checks == len(guard.check_ns) >= 30 and guard.self_tests == 2 for guard in guards)
    for check in ("t3_fallback_bound", "t5_overhead_bound", "per_kernel_size_slo", "guard_evidence_present"):
        assert lanes.finding(check)["status"] == "pass"
    summary = (lanes.run_dirs[0] / "summary.md").read_text(encoding="utf-8")
    for text in (lanes.output, summary):
        assert "T3 pocl 96" in text
        assert "T5 pocl 96" in text
    assert all(len(line) < 80 for line in summary.splitlines() if line.startswith(("T3 ", "T5 ")))


def test_a_guard_that_an_earlier_run_disabled_blocks_this_one(
    gate: Gate, need_platform: Need, lanes: GateResult, tmp_path: Path
) -> None:
    """The state survives the process; a SEV1 with the run that disabled it."""
    shutil.copytree(lanes.directory, tmp_path, dirs_exist_ok=True)
    book = tmp_path / "reports" / "guards.json"
    document = json.loads(book.read_text(encoding="utf-8"))
    (key,) = document["guards"]
    story = {"disabled": True, "clean": 0, "reason": "overhead 9 %", "since": "yesterday", "run_id": "an-earlier-run"}
    document["guards"][key].update(story)
    book.write_text(json.dumps(document), encoding="utf-8")
    options = (*SMALL, "--policy", "lanes.yaml", "--rollback", "never")
    result = gate("--platforms", need_platform("pocl"), *options, "--kernels", "auto_t5_guarded")
    assert result.status == 10, result.output
    assert "t5_disable_events_total_bound fail" in result.output
    again = json.loads(book.read_text(encoding="utf-8"))
    assert again["guards"][key]["disabled"] is True, "two measurements are not the three that enable it again"


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_guard_state_that_cannot_be_read_stops_the_run(
    gate: Gate, need_platform: Need, tmp_path: Path, content: str
) -> None:
    """It may say that a guard is disabled; nothing is promoted on a guess."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "guards.json").write_text(content, encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), *SMALL, "--kernels", "auto_t5_guarded")
    assert result.status == 4, result.output
    assert "guards.json cannot be read" in " ".join(result.output.split())
    assert not result.run_dirs
