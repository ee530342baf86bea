"""A run takes along what level 0 measured of its devices; the journal alone gives the same verdict."""

from __future__ import annotations

from pathlib import Path

from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.entry import RunEntry, run_entries
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.peaks import write_peak
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.run.conclusion import Conclusion, conclude
from pytest_weekops.run.peaks import take_peaks
from pytest_weekops.week.ledger import open_ledger
from tests.core.measurement.test_peak_bound import make_peak
from tests.support.measured import begun_run
from tests.support.synthetic import STARTED, make_identity, make_plan, make_records
from tests.support.verdicts import finding_of


def run_of(reports: Path, name: str) -> Conclusion:
    """A healthy run of GEMM, 131 GFLOPS at 256, with what lies there."""
    plan = make_plan("weekly", no_baseline="the first one")
    with begun_run(reports, name, plan=plan, identity=make_identity("pocl"), created_at=STARTED) as run:
        take_peaks(run, reports)
        for record in make_records(plan):
            run.record(record)
        return conclude(run)


def test_a_peak_lies_in_the_journal_and_its_run_is_answered_by_none_without(tmp_path: Path) -> None:
    """Judged again without the file, and in the ledger: a driver far beyond its own level 0 does not promote."""
    kept = write_peak(tmp_path, make_peak(gflops=20.0))
    failed = run_of(tmp_path, "failed")
    assert failed.exit_status == 1
    assert finding_of(failed.verdict, "times_possible").reason_code == "beyond_peak"
    kept.unlink()
    assert judge_stored(read_run(tmp_path / "failed")) == failed.verdict
    assert [peak["gflops"] for peak in failed.document["peaks"]] == [20.0]
    assert run_of(tmp_path, "without").exit_status == 0
    write_peak(tmp_path, make_peak())
    assert run_of(tmp_path, "well").exit_status == 0
    entries: dict[str, RunEntry] = {run.run_id: run for run in run_entries(open_ledger(tmp_path).entries())}
    lacks = compare(entries["without"], entries["failed"]).weaker
    assert lacks == ("without the level 0 of pocl, beyond which launches were",)
    assert compare(entries["well"], entries["failed"]).weaker == ()
    assert compare(entries["without"], entries["well"]).weaker == ()  # it did not fail by it


def test_what_is_ignored_is_told(tmp_path: Path) -> None:
    """As a note of the run."""
    write_peak(tmp_path, make_peak(gflops=20.0, host="elsewhere"))
    told = run_of(tmp_path, "run")
    assert told.exit_status == 0
    assert any("it was measured on another device, pocl device in elsewhere" in line for line in told.remarks)
