"""What must end in iterate, on a real driver: wrong kernels, high floors, failing tests, missing evidence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.evidence.journal import read_journal
from tests.support.gates import POLICY, SMALL, GateResult

pytestmark = pytest.mark.device

Gate = Callable[..., GateResult]
Need = Callable[[str], str]


def own_kernel(directory: Path, repository: Path, old: str, new: str) -> None:
    """A project whose own kernel directory has a changed scalar variant."""
    kernels = directory / "kernels"
    shutil.copytree(repository / "kernels", kernels)
    path = kernels / "gemm_scalar.cl"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def is_caught_before_anything_is_measured(result: GateResult, word: str) -> None:
    """The opening gate fails and says why; nothing is measured after it."""
    assert result.status == 10, result.output
    gate_finding = result.finding("canonical_gate")
    assert gate_finding["status"] == "fail"
    assert word in gate_finding["message"]
    assert result.decision["counts"]["skipped"] == 2
    assert result.decision["counts"]["verified_launches"] == 0


def test_a_kernel_that_answers_nan_is_caught(gate: Gate, need_platform: Need, tmp_path: Path, repository: Path) -> None:
    """NaN is within no bound."""
    own_kernel(tmp_path, repository, "alpha * sum :", "NAN :")
    result = gate("--platforms", need_platform("pocl"), "--kernels", "scalar", *SMALL)
    is_caught_before_anything_is_measured(result, "not finite")


def test_a_floor_above_the_device_is_not_met(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """A policy row that the device cannot reach ends in iterate with the numbers."""
    rows = "rows:\n  auto:96: {min_avg_gflops: 1000000, max_p95_time_ms: 10000}\n"
    (tmp_path / "high.yaml").write_text(POLICY.replace("inherits", rows + "inherits"), encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), "--kernels", "auto", *SMALL, "--policy", "high.yaml")
    assert result.status == 1, result.output
    assert result.finding("per_kernel_size_slo")["status"] == "fail"


def test_deselected_cases_are_missing_evidence(gate: Gate, need_platform: Need) -> None:
    """-k leaves cases out; the judge calls that no data, and the summary says how many."""
    result = gate("--platforms", need_platform("pocl"), "--kernels", "auto", *SMALL, "-k", "not s2")
    assert result.status == 11, result.output
    assert result.finding("all_runs_success")["status"] == "no_data"
    assert "items were deselected" in result.output


def test_another_failing_test_blocks(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """A campaign that would be promoted is not when another test of the same run fails."""
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert False\n", encoding="utf-8")
    result = gate("--platforms", need_platform("pocl"), "--kernels", "auto", *SMALL, "--", "test_other.py")
    assert result.status == 1, result.output
    assert result.decision["decision"] == "iterate"
    assert "test_other" in result.finding("other_tests")["message"]


def test_a_users_checks_block(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """A check from a conftest blocks with its sentence, and one that raises blocks too."""
    (tmp_path / "conftest.py").write_text(
        "def pytest_weekops_checks(config):\n"
        "    def mine(plan, measurements):\n        return 'too noisy for us'\n"
        "    def broken(plan, measurements):\n        raise RuntimeError('no such number')\n"
        "    def content(plan, measurements):\n        return None\n"
        "    return {'mine': mine, 'broken': broken, 'content': content}\n",
        encoding="utf-8",
    )
    plugin = ("-c", "pytest.ini", "-p", "conftest")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    result = gate("--platforms", need_platform("pocl"), "--kernels", "auto", *SMALL, *plugin, PYTHONPATH=path)
    assert result.status == 1, result.output
    message = result.finding("other_tests")["message"]
    for words in ("check mine", "too noisy for us", "check broken", "no such number"):
        assert words in message
    assert "content" not in message


def test_a_crashing_compiler_ends_in_iterate(gate: Gate, need_platform: Need, tmp_path: Path, repository: Path) -> None:
    """Clover aborts on vector loads: the worker dies, the run goes on to a verdict that names the signal."""
    own_kernel(tmp_path, repository, "float sum = 0.0f;", "float sum = vload4(0, A).x * 0.0f;")
    result = gate("--platforms", need_platform("clover"), "--kernels", "scalar", *SMALL)
    assert result.status == 10, result.output
    assert "SIGABRT" in result.finding("canonical_gate")["message"]


@pytest.mark.parametrize(("mode", "said"), [("plan", True), ("never", False)])
def test_sev1_asks_for_a_rollback(
    gate: Gate, need_platform: Need, tmp_path: Path, repository: Path, mode: str, *, said: bool
) -> None:
    """A kernel that leaves out a term: the rollback that is due is named, or not when it is switched off.

    Nothing is switched by itself, and nothing is measured.
    """
    need_platform("clover")
    own_kernel(tmp_path, repository, "l < last; ++l", "l < last - 1; ++l")
    result = gate("--platforms", need_platform("pocl"), "--kernels", "scalar", *SMALL, "--rollback", mode)
    is_caught_before_anything_is_measured(result, "error")
    assert ("a rollback to clover is due" in " ".join(result.output.split())) is said
    assert not (tmp_path / "reports" / "runtime" / "active.env").exists()


@pytest.mark.long
def test_sev1_rolls_back_by_itself_where_it_may(
    gate: Gate, need_platform: Need, tmp_path: Path, repository: Path
) -> None:
    """The switch is made, and as the kernel is wrong on the baseline too, that is what is said; the verdict stays."""
    need_platform("clover")
    own_kernel(tmp_path, repository, "l < last; ++l", "l < last - 1; ++l")
    result = gate("--platforms", need_platform("pocl"), "--kernels", "scalar", *SMALL, "--rollback", "auto")
    assert result.status == 10, result.output
    assert "NOT VERIFIED: clover is active NOW" in " ".join(result.output.split())
    assert 'WEEKOPS_PLATFORM="clover"' in (tmp_path / "reports/runtime/active.env").read_text(encoding="utf-8")


LISTENING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_keeps_the_journal(
    need_platform: Need, tmp_path: Path, repository: Path, number: signal.Signals
) -> None:
    """Ctrl-C or SIGTERM in mid-run: status 2, no promote, the partial verdict is said, and no worker is left."""
    platform = need_platform("pocl")
    command = [sys.executable, "-m", "pytest", f"--rootdir={tmp_path}", str(repository / "suites/weekly")]
    options = ["--platforms", platform, "--sizes", "256", "--snapshots", "50", "--session-ms", "80"]
    # A shell that starts this in its background has it ignore the signal, as its terminal's Ctrl-C is not meant for it.
    listening = [sys.executable, "-c", LISTENING, *command, *options, "--kernels", "auto", "--policy", "policy.yaml"]
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(listening, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and "2/50" not in (tmp_path / "log").read_text(encoding="utf-8"):
            time.sleep(0.1)
        os.kill(process.pid, number)
        assert process.wait(60) == 2, (tmp_path / "log").read_text(encoding="utf-8")
    finally:
        process.kill()  # or it would hold the device's lock, and every later test would wait for it
    (journal,) = tmp_path.glob("reports/*/journal.jsonl")
    assert any(event.type == "measurement" for event in read_journal(journal))
    decision = json.loads((journal.parent / "decision.json").read_text(encoding="utf-8"))
    assert (decision["decision"], decision["exit_status"]) == ("iterate", 2)
    assert f"partial verdict on {decision['counts']['measured']} of 50 cases: iterate" in (tmp_path / "log").read_text(
        encoding="utf-8"
    )
    suite = next(f for f in decision["verdict"]["findings"] if f["check"] == "other_tests")
    assert suite["message"].endswith("by SIGTERM") == (number is signal.SIGTERM)
    workers = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert not workers.strip()
