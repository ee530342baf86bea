"""A verdict for a merge request: tables that are rendered, the terminal's numbers, and nobody is called by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.report.comment import render_comment
from pytest_weekops.report.table import tables
from tests.support.run_pages import judged
from tests.support.stored import STATUS, write_run
from tests.support.synthetic import make_identity, make_plan, make_records


def test_the_tables_are_the_terminals() -> None:
    """Cells and ratios of a split as Markdown tables, each with every text that the terminal has."""
    plan = make_plan("split")
    _policy, _campaign, verdict, document = judged(plan, make_records(plan))
    text = render_comment(verdict, document)
    assert text.startswith("### verdict: ")
    found = tables(verdict.kind, verdict.rows)
    assert len(found) == 2
    for table in found:
        for texts in table.lines:
            assert f"| {' | '.join(texts)} |".replace("_", "\\_") in text
    widths = {line.count(" | ") for line in text.splitlines() if line.startswith("| ")}
    assert widths == {4, 5}


def test_text_of_strangers_stays_in_its_cell_and_calls_nobody() -> None:
    """Pipes, tags and names with an at sign are text."""
    evil = "@everyone | <b>x</b> `y`"
    plan = make_plan("weekly", sizes=(128,))
    identity = make_identity("pocl").model_copy(update={"device_name": evil, "platform_name": evil})
    records = [
        r.model_copy(update={"status": MeasurementStatus.WRONG, "reason": evil}) if isinstance(r, Measurement) else r
        for r in make_records(plan)
    ]
    _policy, _campaign, verdict, document = judged(plan, records, identities={"pocl": identity})
    text = render_comment(verdict, document)
    assert "@everyone" not in text
    assert "<b>" not in text
    assert "Owner: " in text


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From a journal alone, on standard output, and the exit status is not the verdict's."""
    plan = make_plan("canonical")
    assert main(["comment", str(write_run(tmp_path / "run", plan, make_records(plan), ended=STATUS))]) == 0
    assert capsys.readouterr().out.startswith("### verdict: promote (SEV4, exit status 0)")
