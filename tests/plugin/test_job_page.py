"""The verdict on the page of a CI job: added where the host names a file; one that takes nothing is a note."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from pytest_weekops.plugin.summary import _tell_job
from pytest_weekops.run.conclusion import Conclusion
from tests.support.run_pages import judged
from tests.support.synthetic import make_plan, make_records


class Terminal:
    """Takes lines as pytest's terminal does."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str, **_markup: bool) -> None:
        """Keep a line."""
        self.lines.append(line)


def test_the_verdict_is_added_behind_what_stands_there(tmp_path: Path) -> None:
    """Other steps' words stay; a directory in the file's place is said and raises nothing."""
    plan = make_plan("canonical")
    _policy, _campaign, verdict, document = judged(plan, make_records(plan))
    conclusion, terminal = Conclusion(verdict, document, 0, tmp_path), Terminal()
    place = tmp_path / "job.md"
    place.write_text("before\n", encoding="utf-8")
    _tell_job(place, conclusion, cast("pytest.TerminalReporter", terminal))
    assert place.read_text(encoding="utf-8").startswith("before\n### verdict: promote (SEV4, exit status 0)\n")
    assert not terminal.lines
    _tell_job(tmp_path, conclusion, cast("pytest.TerminalReporter", terminal))
    assert "GITHUB_STEP_SUMMARY was not written" in terminal.lines[0]
