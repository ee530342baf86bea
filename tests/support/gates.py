"""A gate run in a subprocess, in an empty directory, and everything it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.enclosing import alone

# Limits of a machine that tests share with each other: what these tests claim is not how steady it is.
POLICY = """\
version: 1
policy_id: plugin-tests
inherits: portable.yaml
guardrails:
  max_abs_throughput_drift_percent: 95
  max_throughput_deviation_percent: 95
  drift_reason: tests run beside each other
host:
  max_pace_change_percent: 900
  max_anchor_change_percent: 900
  max_steal_percent: 90
  max_run_delay_percent: null
  max_wait_s: 0
"""
SMALL = (
    "--sizes",
    "96",
    "--snapshots",
    "2",
    "--max-snapshots",
    "2",
    "--sessions",
    "2",
    "--iterations",
    "15",
    "--session-ms",
    "80",
    "--pressure-size",
    "64",
    "--reference-driver",
    "off",
)


@dataclass(frozen=True)
class GateResult:
    """Exit status, output and artifacts of one gate run."""

    status: int
    output: str
    directory: Path

    @property
    def run_dirs(self) -> list[Path]:
        """Run directories, oldest first."""
        return sorted(path.parent for path in self.directory.glob("reports/*/journal.jsonl"))

    @property
    def decision(self) -> dict[str, Any]:
        """The only run's decision."""
        (run_dir,) = self.run_dirs
        document: dict[str, Any] = json.loads((run_dir / "decision.json").read_text(encoding="utf-8"))
        return document

    def finding(self, check: str) -> dict[str, Any]:
        """One finding of the only run."""
        found: dict[str, Any] = next(f for f in self.decision["verdict"]["findings"] if f["check"] == check)
        return found


def run_gate(directory: Path, suite: Path, *arguments: str, **environment: str) -> GateResult:
    """Run pytest on a suite in ``directory`` and wait for it."""
    (directory / "policy.yaml").write_text(POLICY, encoding="utf-8")
    if not (directory / "pytest.ini").exists():
        (directory / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    own = {} if "--policy" in arguments else {"--policy": "policy.yaml"}
    options = [word for pair in own.items() for word in pair]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--rootdir={directory}", str(suite), *options, *arguments],
        cwd=directory,
        env={**alone(os.environ), "PYTEST_ADDOPTS": "-p no:cacheprovider", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return GateResult(done.returncode, done.stdout + done.stderr, directory)


@pytest.fixture
def gate(tmp_path: Path, repository: Path) -> Callable[..., GateResult]:
    """``gate(*arguments, suite="weekly", **environment)`` in a directory of its own."""

    def run(*arguments: str, suite: str = "weekly", **environment: str) -> GateResult:
        return run_gate(tmp_path, repository / "suites" / suite, *arguments, **environment)

    return run
