"""A journal that is not what the run wrote is broken evidence: said, never promoted, and known as that afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.artifacts import write_artifacts
from pytest_weekops.evidence.journal import encode_event
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.run.conclusion import WRITTEN_NAME, Conclusion, conclude
from pytest_weekops.week.ledger import open_ledger
from tests.support.measured import begun_run
from tests.support.synthetic import make_records


def concluded(report_dir: Path, interfere: Callable[[Path], None] = lambda _journal: None) -> Conclusion:
    """A healthy run, concluded; somebody interferes with its journal after half of its records."""
    with begun_run(report_dir) as run:
        records = make_records(run.plan)
        for number, record in enumerate(records):
            if number == len(records) // 2:
                interfere(run.journal.path)
            run.record(cast("Measurement", record))  # whichever it is
        return conclude(run)


def _add(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(encode_event(999, "note", {}))


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "added to": (_add, "it was cut or added to"),
    "removed": (lambda journal: journal.unlink(), "the journal was removed"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_journal_that_somebody_else_touched_never_promotes(tmp_path: Path, how: str) -> None:
    """The finding names what happened, the exit status and the ledger say iterate, and the decision has the hash."""
    interfere, words = BROKEN[how]
    conclusion = concluded(tmp_path, interfere)
    assert (conclusion.verdict.decision.value, conclusion.exit_status) == ("iterate", 1)
    (finding,) = (f for f in conclusion.verdict.findings if f.blocking and f.status.value != "pass")
    assert words in finding.message
    assert "Find out who, and run it again." in finding.message
    (entry,) = run_entries(open_ledger(tmp_path).entries())
    assert (entry.decision, entry.is_promote, entry.failed_checks) == ("iterate", False, ("other_tests",))
    written = tmp_path / "weekly-1" / WRITTEN_NAME
    assert written.exists() == (how == "removed")
    recorded = next(a["sha256"] for a in conclusion.document["artifacts"] if a["path"] == "journal.jsonl")
    assert not written.exists() or hash_file(written) == recorded
    assert any("What this run wrote into its journal is" in remark for remark in conclusion.remarks)


def test_a_journal_that_is_cut_behind_its_judging_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict was made of all records, and the ledger would rest on a file that is gone: 3, and nothing entered."""

    def cut(run_dir: Path, *arguments: Any, **named: Any) -> dict[str, Any]:
        os.truncate(run_dir / "journal.jsonl", 100)
        return write_artifacts(run_dir, *arguments, **named)

    monkeypatch.setattr("pytest_weekops.run.conclusion.write_artifacts", cut)
    conclusion = concluded(tmp_path)
    assert (conclusion.verdict.decision.value, conclusion.exit_status) == ("promote", 3)
    assert "it was cut or added to" in " ".join(conclusion.remarks)
    assert open_ledger(tmp_path).entries() == ()


def test_a_journal_that_nobody_touched_promotes(tmp_path: Path) -> None:
    """The same run, left alone; what the decision says of its journal is what lies there."""
    conclusion = concluded(tmp_path)
    assert (conclusion.verdict.decision.value, conclusion.exit_status) == ("promote", 0), conclusion.verdict.findings
    assert not (tmp_path / "weekly-1" / WRITTEN_NAME).exists()
    journal = tmp_path / "weekly-1" / "journal.jsonl"
    assert conclusion.document["artifacts"][0] == {
        "path": "journal.jsonl",
        "sha256": hash_file(journal),
        "bytes": journal.stat().st_size,
    }
