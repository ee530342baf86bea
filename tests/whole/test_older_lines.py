"""Every line of the older runbook, with the script's name replaced and small sizes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.gates import POLICY
from tests.support.recorded_data import RECORDED, needs_recorded, split

# script -> what stands in its place
INSTEAD = {
    "run_validation_suite.py": "pytest",
    "run_week12_weekly_replay_automation.py": "pytest suites/weekly",
    "run_week9_block4_stress_split.py": "pytest suites/split",
    "evaluate_week12_platform_split_policy.py": "weekops judge",
}
# Clover is the card that they had, and rusticl builds the canonical tier's kernels in the least time.
ON = {"pytest": ("--platforms", "rusticl"), "pytest suites/weekly": ("--platforms", "clover")}
# The lines as they were typed, but for the directories in front of the files.
LINES = {
    "run_validation_suite.py": "--tier canonical --driver-smoke --report-dir week8_validation_discipline",
    "run_week12_weekly_replay_automation.py": (
        "--mode local --policy-path policy_week19_block2_weekly_slo_v3.json "
        "--t5-policy-path policy_hardening_week17_block1_stable_low_overhead.json --baseline-path baseline.json "
        "--sizes 1400 2048 3072 --snapshots 8 --snapshot-interval-minutes 60 --sessions 1 --iterations 4 "
        "--pressure-size 512 --pressure-iterations 0 --pressure-pulses-per-snapshot 0 --seed 33021 "
        "--validation-report-dir week8_validation_discipline --output-dir week33_controlled_rollout "
        "--output-prefix week33_block1_monthly_continuity_weekly_replay"
    ),
    "run_week9_block4_stress_split.py": (
        "--seeds 331 613 --sizes 1400 2048 3072 --kernels auto_t3_controlled auto_t5_guarded --sessions 1 "
        "--iterations 4 --pressure-size 512 --pressure-iterations 0 --pressure-pulses-per-seed 0 "
        "--t5-policy-path policy_hardening_week17_block1_stable_low_overhead.json "
        "--baseline-block3-path baseline.json --output-dir week33_controlled_rollout "
        "--output-prefix week33_block1_monthly_continuity_split_canary"
    ),
    "evaluate_week12_platform_split_policy.py": (
        "--split-artifact split_canary.json --policy-path policy_week19_block2_weekly_slo_v3.json "
        "--min-rusticl-ratio 0.85 --required-sizes 1400 2048 3072 --output-dir week33_controlled_rollout "
        "--output-prefix week33_block1_monthly_continuity_split_eval"
    ),
}
SMALL = {
    "policy_week19_block2_weekly_slo_v3.json --t5": "small.json --t5",  # the same rows for the small sizes
    "--seeds 331 613 --sizes 1400 2048 3072": "--seeds 331 613 --sizes 64 --snapshots 2 --max-snapshots 2",
    "--sizes 1400 2048 3072": "--sizes 64 96 --max-snapshots 3",
    "--required-sizes 1400 2048 3072": "--required-sizes 1400 2048",
    "--snapshots 8 --snapshot-interval-minutes 60": "--snapshots 2 --snapshot-interval-minutes 0",
}


def read_as(pytester: pytest.Pytester, line: str) -> dict[str, Any]:
    """Our options as pytest reads a line."""
    found = vars(pytester.parseconfig(*line.split()).option)
    return {name: value for name, value in found.items() if name.startswith("weekops_") and value}


def test_the_weekly_line_is_read(pytester: pytest.Pytester) -> None:
    """Each older name is that of an option, and no value is lost."""
    assert read_as(pytester, LINES["run_week12_weekly_replay_automation.py"]) == {
        "weekops_mode": "local",
        "weekops_policy": "policy_week19_block2_weekly_slo_v3.json",
        "weekops_t5_policy": "policy_hardening_week17_block1_stable_low_overhead.json",
        "weekops_baseline": "baseline.json",
        "weekops_sizes": ["1400", "2048", "3072"],
        "weekops_snapshots": "8",
        "weekops_snapshot_interval_minutes": "60",
        "weekops_sessions": "1",
        "weekops_iterations": "4",
        "weekops_pressure_size": "512",
        "weekops_pressure_iterations": "0",
        "weekops_pressure_pulses": "0",
        "weekops_seeds": ["33021"],
        "weekops_validation_report_dir": "week8_validation_discipline",
        "weekops_report_dir": "week33_controlled_rollout",
        "weekops_report_prefix": "week33_block1_monthly_continuity_weekly_replay",
    }


def test_the_split_line_is_read(pytester: pytest.Pytester) -> None:
    """Its baseline is the split's baseline, under whatever name."""
    found = read_as(pytester, LINES["run_week9_block4_stress_split.py"])
    assert found["weekops_baseline"] == "baseline.json"
    assert found["weekops_pressure_pulses"] == "0"
    assert found["weekops_seeds"] == ["331", "613"]


def recorded_lines(value: Any) -> Iterator[list[str]]:
    """Every command line in a recorded document, as words."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from recorded_lines(inner)
    elif isinstance(value, list):
        if all(isinstance(word, str) for word in value) and any(word.startswith("--") for word in value):
            yield value
        for inner in value:
            yield from recorded_lines(inner)
    elif isinstance(value, str) and ".py --" in value:
        yield value.split()


@needs_recorded
def test_no_line_that_was_ever_recorded_is_missing() -> None:
    """The lines above have every script, and every option that it was given."""
    seen: dict[str, set[str]] = {}
    for path in sorted(RECORDED.rglob("*.json")):
        for words in recorded_lines(json.loads(path.read_text(encoding="utf-8"))):
            script = next((Path(word).name for word in words if word.endswith(".py")), "")
            seen.setdefault(script, set()).update(word for word in words if word.startswith("--"))
    assert seen == {script: {w for w in line.split() if w.startswith("--")} for script, line in LINES.items()}


def first_of_all() -> None:
    """Let this process go before others, where the system allows it: the older policy says how calm a host must be."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def typed(directory: Path, line: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A line as its reader would type it, in a project that has the suites."""
    program, *words = line.split()
    module = {"pytest": "pytest", "weekops": "pytest_weekops.cli"}[program]
    return subprocess.run(
        [sys.executable, "-m", module, *words, *more],
        cwd=directory,
        env={**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        preexec_fn=first_of_all,
    )


@needs_recorded
@pytest.mark.long
def test_every_line_is_pasted(tmp_path: Path, repository: Path, need_platform: Callable[[str], str]) -> None:
    """The gate is sane; replay, split and its evaluation end in a verdict: no small size reaches an older floor."""
    for name in ("suites", "kernels", "policies"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for policy in (RECORDED / "policies").glob("policy_*.json"):
        shutil.copy(policy, tmp_path)
    rows = (tmp_path / "policy_week19_block2_weekly_slo_v3.json").read_text(encoding="utf-8")
    (tmp_path / "small.json").write_text(rows.replace("1400", "64").replace("2048", "96"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "split_canary.json").write_text(json.dumps(split()), encoding="utf-8")
    small = ("--session-ms=80", "--platforms", need_platform("clover"))
    base = typed(
        tmp_path,
        "pytest suites/weekly --policy policy.yaml --sizes 64 96 --snapshots 2 --iterations 15 --report-prefix first",
        *small,
    )
    assert base.returncode == 0, base.stdout
    (first,) = (tmp_path / "reports").glob("first-*")
    assert typed(tmp_path, f"weekops baseline pin {first}").returncode == 0
    (pinned,) = (tmp_path / "reports" / "baselines").iterdir()
    shutil.copy(pinned, tmp_path / "baseline.json")
    need_platform("rusticl")
    ends = {"pytest": {0}, "pytest suites/weekly": {1, 10}, "pytest suites/split": {0, 1, 10, 11}, "weekops judge": {0}}
    for script, program in INSTEAD.items():
        line = LINES[script]
        for old, new in SMALL.items():
            line = line.replace(old, new)
        answer = typed(tmp_path, f"{program} {line}", *ON.get(program, ()))
        assert answer.returncode in ends[program], (
            f"{program} {line}: {answer.returncode}\n{answer.stdout}{answer.stderr}"
        )
        assert "Traceback" not in answer.stdout + answer.stderr, script
    (kept,) = (tmp_path / "week33_controlled_rollout").glob("week33_block1_monthly_continuity_split_eval-*.json")
    assert json.loads(kept.read_text(encoding="utf-8"))["kind"] == "split"
    (decision,) = (tmp_path / "week33_controlled_rollout").glob("*_weekly_replay-*/decision.json")
    assert "--validation-report-dir" in json.loads(decision.read_text(encoding="utf-8"))["command"]
