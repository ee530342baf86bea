"""A device that has had a baseline is not judged without it, unless somebody said why, in words that stay."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from pytest_weekops.cli import main
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.records import DeviceIdentity, Measurement
from pytest_weekops.core.week.entry import run_entries
from pytest_weekops.evidence.baselines import pinned_path
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.run.baselines import hold_against
from pytest_weekops.run.conclusion import Conclusion, conclude
from pytest_weekops.week.ledger import open_ledger
from pytest_weekops.week.pins import pin_run
from tests.support.measured import begun_run
from tests.support.synthetic import make_identity, make_plan, make_records, stamped
from tests.support.verdicts import finding_of
from tests.support.weeks import add_run

POCL = make_identity("pocl")
LATER = "2026-11-25T12:00:00+00:00"
WHY = "the machine was replaced"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A report directory in which a run of pocl was pinned."""
    add_run(tmp_path / "reports", "first", end=True)
    pin_run(tmp_path / "reports" / "first", tmp_path / "reports")
    return tmp_path / "reports"


def run_again(
    reports: Path, *, identity: DeviceIdentity = POCL, baseline: str = "", no_baseline: str = ""
) -> Conclusion:
    """A healthy run a day later, held against what lies there."""
    plan = make_plan("weekly", platforms=(identity.profile,), no_baseline=no_baseline)
    with begun_run(reports, "again", plan=plan, identity=identity, created_at=LATER) as run:
        hold_against(run, reports, baseline)
        for record in stamped(make_records(plan), LATER):
            mine = {"identity": identity} if isinstance(record, Measurement) else {}
            run.record(cast("Measurement", record).model_copy(update=mine))  # whichever it is
        return conclude(run)


def test_a_baseline_that_is_there_is_held_against(reports: Path) -> None:
    """The run is judged by it, and says so."""
    conclusion = run_again(reports)
    assert conclusion.exit_status == 0, conclusion.verdict.findings
    assert [one["run_id"] for one in conclusion.document["baselines"]] == ["first"]
    assert conclusion.verdict.left_out == ()


def _gone(reports: Path) -> DeviceIdentity:
    pinned_path(reports / "baselines", "pocl", POCL.hardware).unlink()
    return POCL


def _renamed(reports: Path) -> DeviceIdentity:
    path = pinned_path(reports / "baselines", "pocl", POCL.hardware)
    path.rename(path.with_name("kept.json"))
    return POCL


def _one_cpu_fewer(_reports: Path) -> DeviceIdentity:
    return POCL.model_copy(update={"hardware": "a processor x 1"})


def _another_label(_reports: Path) -> DeviceIdentity:
    return POCL.model_copy(update={"profile": "pocl@elsewhere.icd", "library_sha256": POCL.library_sha256})


WITHOUT: dict[str, tuple[Callable[[Path], DeviceIdentity], str]] = {
    "deleted": (_gone, "(run first, record 2 of the ledger), which is not there"),
    "renamed": (_renamed, "(run first, record 2 of the ledger), which is not there"),
    "one CPU fewer": (
        _one_cpu_fewer,
        "for pocl on a processor x 2, and this is pocl on a processor x 1",
    ),
    "another label": (
        _another_label,
        "for pocl on a processor x 2, and this is pocl@elsewhere.icd on a processor x 2",
    ),
}


@pytest.mark.parametrize("how", WITHOUT)
def test_a_device_that_has_had_a_baseline_is_no_data_without_it(
    reports: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """The exit status is not 0, the finding says what is missing, and the journal judged again says the same."""
    alter, words = WITHOUT[how]
    conclusion = run_again(reports, identity=alter(reports))
    finding = finding_of(conclusion.verdict, "baseline_usable")
    assert (conclusion.exit_status, finding.status.value, finding.reason_code) == (11, "no_data", "gone")
    assert words in finding.message
    assert "--no-baseline REASON" in finding.message
    assert judge_stored(read_run(reports / "again")) == conclusion.verdict
    assert main(["judge", str(reports / "again")]) == 11
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("alter", [_gone, _one_cpu_fewer, lambda _reports: POCL])
def test_a_reason_stands_in_the_verdict(
    reports: Path, capsys: pytest.CaptureFixture[str], alter: Callable[[Path], DeviceIdentity]
) -> None:
    """In its line, in decision, summary and ledger; the baseline is left out wherever it lies."""
    conclusion = run_again(reports, identity=alter(reports), no_baseline=WHY)
    words = f"the pinned baseline (run first): {WHY}"
    assert (conclusion.exit_status, conclusion.document["baselines"]) == (0, [])
    assert conclusion.verdict.left_out == (words,)
    assert (conclusion.document["plan"]["no_baseline"], conclusion.document["decision"]) == (WHY, "promote")
    summary = (reports / "again" / "summary.md").read_text(encoding="utf-8")
    assert f"- left out: {words}" in summary
    assert run_entries(open_ledger(reports).entries())[-1].plan["no_baseline"] == WHY
    assert main(["judge", str(reports / "again")]) == 0
    assert f"verdict: promote (SEV4), exit status 0; it leaves out {words}" in " ".join(capsys.readouterr().err.split())


def test_a_device_that_never_had_one_needs_no_reason(reports: Path) -> None:
    """Another driver on the same machine, and other silicon; so it does in a report directory that knows nothing."""
    other = make_identity("other").model_copy(update={"library_sha256": "1" * 64})
    assert run_again(reports, identity=other).exit_status == 0
    shutil.rmtree(reports / "again")
    assert run_again(reports.parent / "elsewhere", identity=_one_cpu_fewer(reports)).exit_status == 0


def test_a_named_baseline_speaks_for_its_own_device_alone(reports: Path) -> None:
    """Its device has one then; naming one for a device that is not measured is refused."""
    path = pinned_path(reports / "baselines", "pocl", POCL.hardware)
    kept = shutil.move(path, reports / "kept.json")
    assert run_again(reports, baseline=str(kept)).exit_status == 0
    shutil.rmtree(reports / "again")
    with pytest.raises(InputError, match="None of the selected platforms is that device"):
        run_again(reports, baseline=str(kept), identity=_one_cpu_fewer(reports))


def test_what_the_ledger_does_not_vouch_for_is_said(reports: Path) -> None:
    """A baseline from before pins were entered: used, with a note on the way to enter it."""
    for path in reports.glob("ledger*"):
        path.unlink()
    conclusion = run_again(reports)
    assert conclusion.document["baselines"]
    assert any("weekops baseline pin --again" in remark for remark in conclusion.remarks)
