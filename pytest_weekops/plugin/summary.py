"""What people and their tools read of a conclusion inside pytest: the terminal's last section, and JUnit's suite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_weekops.run.conclusion import Conclusion


def print_conclusion(conclusion: Conclusion, terminal: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Table, findings, verdict, artifacts, exit status, next step; with ``-q`` findings and verdict only."""
    from pytest_weekops.core.judge.finding import Decision
    from pytest_weekops.report.certainty import certainty_lines
    from pytest_weekops.report.conformance import conformance_lines
    from pytest_weekops.report.github import github_lines
    from pytest_weekops.report.summary import finding_line, next_step, sort_findings, verdict_line, verdict_words
    from pytest_weekops.report.table import render_table

    verdict, quiet = conclusion.verdict, config.get_verbosity() < 0
    if not quiet:
        terminal.section("weekops", sep="=")
        for line in (*render_table(verdict.kind, verdict.rows), *conclusion.lanes):
            terminal.write_line(line)
        for words in conformance_lines(verdict):
            _write_wrapped(terminal, words)
        for remark in conclusion.remarks:
            _write_wrapped(terminal, f"note: {remark}")
    for finding in sort_findings(verdict.findings):
        _write_wrapped(terminal, finding_line(finding), red=finding.blocking, yellow=not finding.blocking)
    decision, level = conclusion.document["decision"], conclusion.document["severity"]
    good = decision == Decision.PROMOTE.value
    announced = verdict_words(conclusion.document)
    said = verdict_line(verdict, decision, level, conclusion.exit_status, announced=announced)
    _write_wrapped(terminal, said, green=good, red=not good)
    if not quiet:
        for line in certainty_lines(verdict):
            _write_wrapped(terminal, line)
        if not good:
            within = verdict.respond_within_minutes
            _write_wrapped(terminal, f"owner: {verdict.owner}, within {within} minutes: {verdict.action}")
        terminal.write_line(f"artifacts: {_short(conclusion.run_dir, config)}/")
        _write_wrapped(terminal, f"next: {next_step(conclusion.exit_status, verdict.kind)}")
    if os.environ.get("GITHUB_ACTIONS"):
        for line in github_lines(conclusion.document["decision"], verdict.findings):
            terminal.write_line(line)
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        _tell_job(Path(place), conclusion, terminal)


def _tell_job(place: Path, conclusion: Conclusion, terminal: pytest.TerminalReporter) -> None:
    """Add the verdict to the page of a CI job; one that cannot be written changes nothing."""
    from pytest_weekops.report.comment import render_comment

    try:
        with place.open("a", encoding="utf-8") as file:
            file.write(render_comment(conclusion.verdict, conclusion.document) + "\n")
    except OSError as error:
        _write_wrapped(terminal, f"note: GITHUB_STEP_SUMMARY was not written: {error.strerror or error}")


def tell_junit(config: pytest.Config, document: Mapping[str, Any]) -> None:
    """Put the verdict on the JUnit suite, where that report is on."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for name in ("decision", "exit_status", "severity", "run_id", "failed_checks"):
            xml.add_global_property(f"weekops_{name}", str(document[name]))


def _write_wrapped(terminal: pytest.TerminalReporter, text: str, **markup: bool) -> None:
    """Write a paragraph in lines of at most 80 columns, continued with an indent; long words stay whole."""
    from pytest_weekops.report.saying import wrapped

    for line in wrapped(text):
        terminal.write_line(line, **markup)


def _short(path: Path, config: pytest.Config) -> str:
    try:
        return str(path.relative_to(config.rootpath))
    except ValueError:
        return str(path)
