"""Every command of the week's how-to pages, typed in their order in a project of one's own, on real drivers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_weekops.core.calendar import week_of
from tests.support.gates import POLICY

WEEK = str(week_of(datetime.now(UTC).isoformat()))
SMALL = "-p no:cacheprovider --snapshots 2 --sessions 2 --iterations 15 --session-ms 80 --pressure-size 64 --policy={}"
QUICK = "--platforms rusticl "  # with another option behind it: it takes every word that follows
# In place of the runbook's own values: sizes that take seconds, and a ratio that nothing reaches, so that the week
# surely ends in iterate at SEV2 and owes an action.
INSTEAD = {"1400 2048 3072": "64 96", "0.85": "50", "FILE|URL|-": "-"}
# Which exit statuses each command may end with: noise may turn the replay's verdict, never into an error.
EXPECTED: dict[str, set[int]] = {
    "pytest --tier canonical --driver-smoke": {0},
    "pytest suites/weekly --sizes 64 96": {0, 1, 11},
    "pytest suites/split --seeds 412 512 --sizes 64 96 --min-rusticl-ratio 50": {1},
    "weekops status": {0},
    "weekops close --week WEEK": {1},
    "weekops action list": {0},
    "weekops action close WEEK-1": {0},
    "weekops status --require promoted": {1},
    "weekops status --verify": {0},
    "weekops rollback": {0},
    "weekops rollback --rehearse": {0},
    "weekops rollback --apply": {0},
    "weekops rollback --undo": {0},
}
# Named in sentences, run by tests of their own.
ELSEWHERE = {
    "weekops close",
    "weekops close --alert -",
    "weekops baseline pin",
    "weekops judge",
    "weekops ledger copy --to DIR",
    "weekops policy recalibrate",
    "weekops record RUN",
}
PAGES = ("run-the-week.md", "gate-a-deployment.md", "roll-back.md")


def commands(text: str) -> list[str]:
    """The commands of a page's indented blocks, and those inside its sentences, in order, each once."""
    found: list[str] = []
    for line in text.splitlines():
        spans = [line.strip()] if line.startswith("    ") else re.findall(r"`((?:weekops|pytest) [^`]*)`", line)
        for span in spans:
            command = span.split("#")[0].strip()
            for old, new in INSTEAD.items():
                command = command.replace(old, new)
            command = re.sub(r"\d{4}-W\d\d", WEEK, command)
            if command.startswith(("weekops ", "pytest ")) and command not in found:
                found.append(command)
    return found


def run(directory: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command of the runbook as its reader would type it in a shell."""
    program, *words = command.split()
    two = "suites/split" in words  # Clover and rusticl; elsewhere the one that builds in the least time will do
    module = {"pytest": "pytest", "weekops": "pytest_weekops.cli"}[program]
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=directory,
        env={**os.environ, "PYTEST_ADDOPTS": ("" if two else QUICK) + SMALL.format(directory / "wide.yaml")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.long
def test_every_command_of_the_runbook(tmp_path: Path, repository: Path, need_platform: Callable[[str], str]) -> None:
    """The week from the canonical gate to a closed week, then a rollback and its undoing."""
    for name in ("pocl", "clover", "rusticl"):
        need_platform(name)
    for name in ("suites", "kernels", "policies"):
        shutil.copytree(repository / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "wide.yaml").write_text(POLICY, encoding="utf-8")  # how calm this machine is is not asked here
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = suites/canonical\n", encoding="utf-8")
    how_to = repository / "docs" / "how-to"
    page = commands("\n".join((how_to / name).read_text(encoding="utf-8") for name in PAGES))
    expected = {command.replace("WEEK", WEEK): statuses for command, statuses in EXPECTED.items()}
    assert set(page) == set(expected) | ELSEWHERE
    active = tmp_path / "reports" / "runtime" / "active.env"
    for command in page:
        if command in ELSEWHERE:
            continue
        answer = run(tmp_path, command)
        assert answer.returncode in expected[command], f"{command}: {answer.returncode}\n{answer.stdout}{answer.stderr}"
        assert "Traceback" not in answer.stderr + answer.stdout, command
        assert active.exists() == (command == "weekops rollback --apply"), command
    (closed,) = (tmp_path / "reports" / "weeks" / WEEK).glob("decision.json")
    tracks = json.loads(closed.read_text(encoding="utf-8"))["tracks"]
    assert set(tracks) == {"gate", "replay", "split", "severity", "rollback"}
    assert closed.with_name("acta.md").read_text(encoding="utf-8").startswith(f"# Week {WEEK}: iterate")
    listed = json.loads(run(tmp_path, "weekops action list --json").stdout)
    assert f"{WEEK}-1" in listed["closed"]
    status = json.loads(run(tmp_path, "weekops status --json").stdout)
    assert status["state"] == "frozen"
    assert status["last_rehearsal"]["verified"] is True
