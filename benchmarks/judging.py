"""How long judging takes: python benchmarks/judging.py.

Prints the median time of `weekops judge` as a process on one file, beside an empty Python process and ones that import
pytest or the libraries that every judgement needs, in turns; and the time to judge 10,000 runs in one campaign, by both
rule sets. Processes run as installed software does, with bytecode from an earlier run, wherever the tree may not be
written to.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_weekops.core.recorded.judge import judge_recorded
from pytest_weekops.evidence.recorded import parse_campaign
from pytest_weekops.policies.files import load_policy

POLICY = "rx590-weekly-v3"
KERNELS = ("auto_t3_controlled", "auto_t5_guarded")
SIZES = (1400, 2048)
ROUNDS = 15


def weekly(runs: int) -> dict[str, object]:
    """A recorded weekly file with that many healthy runs."""
    cells = [(kernel, size) for kernel in KERNELS for size in SIZES]
    snapshots = max(1, runs // len(cells))
    return {
        "metadata": {"executed_snapshots": snapshots, "planned_snapshots": snapshots},
        "pressure": [
            {"snapshot": s, "requested": 3, "completed": 3, "failures": 0, "errors": []}
            for s in range(1, snapshots + 1)
        ],
        "runs": [
            {
                "status": "ok",
                "platform_selector": "Clover",
                "kernel": kernel,
                "size": size,
                "seed": 11,
                "snapshot": snapshot,
                "metrics": {
                    "platform": "Clover",
                    "device": "RX 590",
                    "peak_mean_gflops": 905.0,
                    "avg_mean_gflops": 900.0,
                    "p95_time_ms": 6.1 if size == 1400 else 19.0,
                    "max_error_max": 4e-4,
                    "t3_fallback_rate": 0.0,
                    "t3_policy_disabled": False,
                    "t5_overhead_percent": 1.5,
                    "t5_false_positive_rate": 0.0,
                    "t5_disable_events": 0,
                    "t5_disable_reason": None,
                },
            }
            for snapshot in range(1, snapshots + 1)
            for kernel, size in cells
        ],
    }


def seconds(work: Callable[[], object], repetitions: int) -> list[float]:
    """How long each repetition took."""
    found = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def process(environment: dict[str, str], *command: str) -> Callable[[], object]:
    """Run a Python process to its end."""
    return lambda: subprocess.run([sys.executable, *command], check=False, capture_output=True, env=environment)


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "weekly.json"
        path.write_text(json.dumps(weekly(24)), encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(Path(directory) / "bytecode")
        judge = ("-m", "pytest_weekops.cli", "judge", str(path), "--policy", POLICY)
        rows = {
            "python -c pass": process(environment, "-c", "pass"),
            "import pytest": process(environment, "-c", "import pytest"),
            "import pydantic, yaml": process(environment, "-c", "import pydantic.main, pydantic.fields, yaml"),
            "weekops judge, strict": process(environment, *judge),
            "weekops judge, compat": process(environment, *judge, "--rules", "compat"),
        }
        found: dict[str, list[float]] = {name: [] for name in rows}
        for number in range(ROUNDS + 1):
            for name, work in rows.items():
                times = seconds(work, 1)
                if number:  # the first round writes the bytecode
                    found[name] += times
        for name, times in found.items():
            print(f"{name:<28} {statistics.median(times):6.3f} s  (slowest of {ROUNDS}: {max(times):.3f})")
    policy, campaign = load_policy(POLICY), parse_campaign(weekly(10_000), "benchmark")
    for rules in ("strict", "compat"):
        times = seconds(lambda rules=rules: judge_recorded(policy, campaign, rules=rules), 5)  # type: ignore[misc]
        print(f"{len(campaign.runs)} runs, {rules:<14} {statistics.median(times):6.3f} s  (slowest: {max(times):.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
