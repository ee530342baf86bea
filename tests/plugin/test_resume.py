"""``--resume`` in a whole pytest run on a real driver, after SIGKILL in mid-measurement."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.evidence.journal import read_journal
from tests.support.gates import POLICY, SMALL

pytestmark = [pytest.mark.device, pytest.mark.long]

OWN_SUITE = """\
import pytest

@pytest.mark.weekops_campaign("weekly")
def test_opening(weekops_gate):
    weekops_gate()

@pytest.mark.weekops_campaign("weekly")
def test_pressure(weekops_pulse):
    weekops_pulse()

@pytest.mark.weekops_campaign("weekly")
def test_case(weekops_case, measure):
    answer = measure(weekops_case)
    assert answer.case == weekops_case
    print("asked", answer.case.id)
"""


def test_a_killed_run_goes_on_to_a_promote(
    need_platform: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each case is measured once over both runs, and each assertion asked in the second; another size is refused."""
    platform = need_platform("pocl")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(OWN_SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    small = ["6" if SMALL[place - 1].endswith("snapshots") else word for place, word in enumerate(SMALL)]
    options = ["--platforms", platform, "--kernels", "auto", "--policy", "policy.yaml", *small]
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--rootdir={tmp_path}",
        "test_mine.py",
        "-p",
        "no:cacheprovider",
        *options,
    ]

    def outcome(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)

    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and "snapshot 3/6" not in (tmp_path / "log").read_text(encoding="utf-8"):
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (old,) = (tmp_path / "reports").glob("weekly-*")
    workers = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert not workers.strip()
    assert not (old / "decision.json").exists()

    other = outcome("--resume", old.name, "--sizes", "96", "128")
    assert other.returncode == 4, other.stdout
    assert "plan sizes [96] became [96, 128]" in " ".join(other.stderr.split())

    done = outcome("--weekops-resume", str(old), "-rP")
    assert done.returncode == 0, done.stdout
    events = read_journal(old.with_name(f"{old.name}-r2") / "journal.jsonl")
    cases = Counter(json.dumps(e.data["case"]) for e in events if e.type == "measurement" and not e.data["void"])
    assert len(cases) == 6
    assert set(cases.values()) == {1}
    assert done.stdout.count("\nasked ") == 6
    assert "Resumed as" in done.stdout
    assert main(["status", "--verify", "--require", "promoted", "--report-dir", str(tmp_path / "reports")]) == 0
    assert main(["report", str(old)]) == 0  # what the killed run had is told, too
    assert "broken off" in capsys.readouterr().out
