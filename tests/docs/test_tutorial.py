"""The tutorial, typed: every file written and every command run as the pages show them, in a checkout of one's own.

Sessions are short and the host's limits wide, since what is asked is whether the pages lead where they say they do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gates import POLICY
from tests.support.pages import ROOT, Block, Typed, blocks, typed

pytestmark = [pytest.mark.long, pytest.mark.device]
TUTORIAL = ROOT / "docs" / "tutorial"
RUN = re.compile(r"\b(?:canonical|weekly|split)-\d{8}T\d{6}Z-[0-9a-f]{4}\b")
STATUS = re.compile(r"exit status (\d+)")
DRIVER = re.compile(r"^  [\w-]+: (?:ok|warning): \w+", re.MULTILINE)  # how `weekops drivers` begins a line
SHORT = "-p no:cacheprovider --snapshots 2 --sessions 2 --iterations 15 --session-ms 80 --pressure-size 64"
# Between runs of this length a baseline bounds nothing; the ratio of two of them may be anything.
WIDE = "floors: {min_share_of_baseline_gflops: 0.01, max_share_of_baseline_p95: 100}\n"
INSTALLING = ("git clone", "python3 -m venv", "pip install")


class Reader:
    """Somebody who types a page, in a directory, with the names that his own runs got."""

    def __init__(self, directory: Path, policy: Path) -> None:
        self.directory = directory
        self._place = policy.with_name("place")
        self._runs: dict[str, str] = {}
        self._written = ""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        options = f"{SHORT} --policy={policy}"
        self._environment = {**os.environ, "PATH": path, "PYTEST_ADDOPTS": options, "COLUMNS": "80"}

    def read(self, page: Path) -> None:
        """Do what every fenced block of a page asks for, in order."""
        for block in blocks(page):
            if block.language == "console":
                for shown in typed(block):
                    if not shown.command.startswith(INSTALLING):
                        self._type(shown)
            elif block.file:
                self._write(block)
            else:
                self._add(block)

    def _write(self, block: Block) -> None:
        path = self.directory / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        self._written = block.file if block.language == "c" else self._written

    def _add(self, block: Block) -> None:
        """Add lines to the kernel, behind the sum that the page names."""
        path = self.directory / self._written
        before, line, after = path.read_text(encoding="utf-8").partition("sums.x + sums.y + sums.z + sums.w;\n")
        assert line, f"{self._written} has no sum to add to"
        path.write_text(before + line + block.text + after, encoding="utf-8")

    def _type(self, shown: Typed) -> None:
        """Run a command where the one before it ended, and hold its exit status against what the page shows."""
        command = RUN.sub(lambda name: self._runs.get(name[0], name[0]), shown.command)
        done = subprocess.run(
            ["bash", "-c", f"{command}\nstatus=$?; pwd > '{self._place}'; exit $status"],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        output = done.stdout + done.stderr
        self.directory = Path(self._place.read_text(encoding="utf-8").strip())
        self._runs |= dict(zip(RUN.findall("\n".join(shown.output)), RUN.findall(output), strict=False))
        statuses = STATUS.findall("\n".join(shown.output)) or ["0"]
        # How fast a driver is, against another one or a baseline, is the machine's business.
        slow = "suites/split" in command or "of the baseline's throughput" in "\n".join(shown.output)
        expected = {0, 1, 11} if slow else {int(statuses[-1])}
        assert done.returncode in expected, f"{command}: {done.returncode}\n{output}"
        assert "Traceback" not in output, command
        if command.startswith("weekops drivers"):
            lines = DRIVER.findall("\n".join(shown.output))
            assert lines, "the page shows no driver"
            assert [line for line in lines if line not in output] == []


def test_the_tutorial_leads_where_it_says(tmp_path: Path, need_platform: Callable[[str], str]) -> None:
    """Three pages, one after the other: a pinned baseline, a kernel that is caught and mended, a driver."""
    need_platform("intel")
    checkout = tmp_path / "pytest-weekops"
    for name in ("suites", "kernels", "policies"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "wide.yaml").write_text(POLICY + WIDE, encoding="utf-8")
    for name in ("baseline.md", "kernel.md", "driver.md"):
        Reader(checkout, tmp_path / "wide.yaml").read(TUTORIAL / name)
    assert list((checkout / "reports" / "baselines").glob("intel-*.json"))
