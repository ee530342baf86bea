"""Five ways to go wrong in nine phases, in whole runs beside a platform that is well: nothing but the fault is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from tests.faults.runs import IMPORT_S, MARGIN_S, SHORT, SHORT_S, DoubleRun, run_doubles
from tests.faults.table import TABLE

PHASES: dict[str, Any] = TABLE["phases"]
FAULTS: dict[str, dict[str, str]] = PHASES["faults"]
HEALTHY = {"well": ("none", "never")}
CASES = 6
pytestmark = pytest.mark.long


def bounded(run: DoubleRun, *, starts: int, hangs: int) -> None:
    """Each hang took its deadline and no more, each start of Python at most what it may take."""
    assert run.seconds < hangs * (SHORT_S + MARGIN_S) + starts * IMPORT_S


def clean(directory: Path, patch: pytest.MonkeyPatch) -> None:
    """The next run in the same place knows nothing of the fault and promotes."""
    assert run_doubles(directory, HEALTHY, patch).status == 0


@pytest.mark.parametrize("phase", PHASES["measuring"])
def test_faults_of_one_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    """One case of each driver goes wrong; it is named with kind and phase, and the five others are measured."""
    at = f"{phase}@96@2"
    run = run_doubles(tmp_path, {**HEALTHY, **{fault: (fault, at) for fault in FAULTS}}, monkeypatch)
    bounded(run, starts=1 + 3 * len(FAULTS), hangs=1)
    assert run.status in (1, 10)
    assert [m.status for m in run.of("well")] == [MeasurementStatus.OK] * CASES
    for fault, expected in FAULTS.items():
        (bad,) = [m for m in run.of(fault) if m.status is not MeasurementStatus.OK]
        named(bad, expected, phase)
        assert (bad.case.size, bad.case.snapshot) == (96, 2)
        assert len(run.of(fault)) == CASES
        assert bad.case.id in run.finding("all_runs_success")["rows"]
    again = judge_stored(read_run(run.directory))
    assert again.decision.value == run.document["decision"] == "iterate"
    clean(tmp_path, monkeypatch)


def named(answer: Measurement, expected: dict[str, str], phase: str) -> None:
    """Status, phase and words are the table's."""
    assert answer.status.value == expected["status"]
    assert answer.phase is not None
    assert answer.phase.value == phase
    assert expected["says"] in answer.reason


@pytest.mark.parametrize("phase", PHASES["opening"])
def test_faults_of_a_driver_that_does_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    """Such a platform is skipped with phase and words; the one that is well is measured, and nothing promotes."""
    deadlines = SHORT.model_copy(update={"import_s": 3.0})
    doubles = {**HEALTHY, **{fault: (fault, phase) for fault in FAULTS}}
    run = run_doubles(tmp_path, doubles, monkeypatch, deadlines=deadlines)
    bounded(run, starts=1 + len(FAULTS), hangs=1)
    assert run.status not in (0, 2, 3, 4, 5)
    assert [m.status for m in run.of("well")] == [MeasurementStatus.OK] * CASES
    for fault, expected in FAULTS.items():
        assert {m.status for m in run.of(fault)} == {MeasurementStatus.SKIPPED}
        reason = run.of(fault)[0].reason
        assert f"in phase {phase} " in reason
        assert expected["says"] in reason
        assert f"opening/canonical/{fault}" in run.finding("canonical_gate")["rows"]
    clean(tmp_path, monkeypatch)


def test_faults_while_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is measured and right, and a driver that cannot end does not promote: the gate names it."""
    run = run_doubles(tmp_path, {**HEALTHY, **{fault: (fault, "close") for fault in FAULTS}}, monkeypatch)
    bounded(run, starts=1 + len(FAULTS), hangs=1)
    assert run.status in (1, 10)
    assert {m.status for m in run.measurements} == {MeasurementStatus.OK}
    gate = run.finding("canonical_gate")
    assert set(gate["rows"]) == {f"closing/driver/{fault}" for fault in FAULTS}
    assert gate["reason_code"] == "failed"
    for platform in run.document["verdict"]["findings"]:
        assert platform["check"] == "canonical_gate" or "closing driver" not in platform["message"]
    clean(tmp_path, monkeypatch)
