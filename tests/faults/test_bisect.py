"""A ladder of real drivers, some of which launch later than they could: the first of them is found, kill or no kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import FaultyDriver
from tests.support.command import COMMAND, weekops
from tests.support.gates import POLICY

DELAY_NS = 2_000_000  # several launches' worth: what is asked is not how small a change is seen
SPLITS = "--session-ms 40 --sessions 1 --iterations 12 --pressure-pulses 0"
LONGEST_S = 600.0  # on a machine that others use, too


def builds(directory: Path, build_faulty: Callable[..., FaultyDriver], slow: dict[str, bool]) -> dict[str, Path]:
    """A driver for each version, slow or not, none of them the same file."""
    found = {}
    for number, (version, is_slow) in enumerate(slow.items()):
        place = directory / f"cl-{version}"
        place.mkdir()
        delay = DELAY_NS + number if is_slow else 0
        found[version] = build_faulty(place, f"-DDELAY_NS={delay}L", f"-Wl,-soname,libfaulty.so.{number}").library
    return found


def running(directory: Path) -> list[str]:
    """Gates that measure for a bisection there, by process id."""
    command = ["pgrep", "-f", f"--weekops-report-dir={directory}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def has_measured(kept: Path) -> bool:
    """Whether a step behind that of the two ends has a measurement already."""
    journals = kept.glob("runs/*cl-*/journal.jsonl")
    return any('"type":"measurement"' in journal.read_text(encoding="utf-8") for journal in journals)


def wait_for(what: Callable[[], object]) -> None:
    """Until it is so, or the test fails."""
    ends = time.monotonic() + LONGEST_S
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.long
def test_the_build_that_made_it_slow_is_found_after_a_kill(
    tmp_path: Path, build_faulty: Callable[..., FaultyDriver]
) -> None:
    """Killed while it measured a step, it leaves no gate behind, measures no end again, and finds the right build."""
    found = builds(tmp_path, build_faulty, {"9": False, "10": False, "11": True, "12": True})
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    ends = ("--good", f"pocl@{found['9'].parent}", "--bad", f"pocl@{found['12'].parent}")
    what = (
        "--sizes",
        "96",
        "--kernels",
        "scalar",
        "--snapshots",
        "2",
        "--max-snapshots",
        "2",
        "--policy",
        "policy.yaml",
    )
    words = ("bisect", *ends, "--builds", f"{tmp_path}/cl-*", *what, "--split-options", SPLITS)
    kept = tmp_path / "reports" / "bisect"
    cache = {"POCL_CACHE_DIR": str(tmp_path / "cache")}  # what one worker compiled, the next one has
    first = subprocess.Popen(
        [*COMMAND, *words],
        cwd=tmp_path,
        env={**os.environ, **cache},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: first.poll() is not None or has_measured(kept))
        assert first.poll() is None, (kept / "logs").is_dir() and [log.read_text() for log in kept.glob("logs/*")]
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    wait_for(lambda: not running(kept / "runs"))
    before = (kept / "steps" / "000.json").stat().st_mtime_ns

    done = weekops(*words, cwd=tmp_path, environment=cache, timeout_s=LONGEST_S)
    assert done.returncode == 0, done.stderr
    assert f"First bad build: {found['11']}; the last good one is {found['10']}." in done.stdout
    assert (kept / "steps" / "000.json").stat().st_mtime_ns == before
    assert len(list(kept.glob("runs/ends-*/decision.json"))) == 1
    answer = json.loads((kept / "answer.json").read_text(encoding="utf-8"))
    assert [step["said"] for step in answer["steps"]] == ["bad", "bad", "good"]
    assert all((kept / step["run"] / "decision.json").is_file() for step in answer["steps"])
    assert 0 < answer["error"] <= 0.05
    assert not running(kept / "runs")
