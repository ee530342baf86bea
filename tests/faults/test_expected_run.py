"""A driver with a known fault in a whole run: the fault is told as expected everywhere, and the rest is judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_weekops.core.measurement.expectation import Expectation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.core.week.run_entry import run_entry
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.report.acta import _findings
from pytest_weekops.report.junit import render_junit
from tests.faults.runs import run_doubles
from tests.support.benches import Bench
from tests.support.gates import POLICY, SMALL, run_gate

SIZES = (48, 64, 80, 96, 128)
DAY = datetime.now(UTC).date() + timedelta(days=30)
ENTRY: dict[str, Any] = {
    "driver": {"profile": "ill", "driver_version": "1"},
    "case": "scalar:96",
    "kind": "crashed",
    "phase": "launch",
    "reason": "a known bug",
    "owner": "us",
    "expires": DAY,
}


def test_a_crash_that_is_expected_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs one worker a snapshot and no second try, and every report says what was left out."""
    expected = (Expectation.model_validate(ENTRY),)
    run = run_doubles(tmp_path, {"ill": ("segv", "launch@96")}, monkeypatch, sizes=SIZES, expected=expected)
    assert run.status == 0, run.document["verdict"]
    bad = [m for m in run.measurements if m.status is not MeasurementStatus.OK]
    assert [(m.case.size, m.status.value, m.case.snapshot) for m in bad] == [(96, "crashed", 1), (96, "crashed", 2)]
    words = f"ill scalar:96: crashed in launch, expected until {DAY} (a known bug; us)"
    assert words in run.document["verdict"]["left_out"]
    assert run.document["plan"]["expected"][0]["reason"] == "a known bug"
    assert run.finding("expected_faults")["reason_code"] == "expected"
    assert words in (run.directory / "summary.md").read_text(encoding="utf-8").replace("\\", "")
    (acta,) = [line for line in _findings(run_entry(run.document).findings) if "known faults" in line]
    assert "scalar:96: crashed in launch, expected until" in acta.replace("\\", "")
    stored = read_run(run.directory)
    verdict = judge_stored(stored)
    assert verdict.model_dump(mode="json") == run.document["verdict"]
    cases = ET.fromstring(render_junit(verdict, run.document, stored.records)).iter("testcase")
    told = [(case.get("name"), case[0].tag, case[0].get("message", "")) for case in cases if len(case)]
    assert [(name, tag) for name, tag, _ in told] == [(m.case.id, "skipped") for m in bad]
    assert all(message.startswith("expected (a known bug): crashed: ") for _name, _tag, message in told)


KNOWN = f"""\
version: 1
expectations:
  - driver: {{profile: pocl, library_sha256: "%s"}}
    case: odd:80
    kind: wrong
    reason: it multiplies by nought at 80
    owner: us
    expires: {DAY}
"""
CATALOG = "version: 1\nkernels:\n  odd: {mode: odd, operation: gemm, file: odd.cl, layout: elementwise, needs: {}}\n"


@pytest.mark.device
@pytest.mark.long
def test_the_gate_leaves_out_what_is_known_and_no_more(
    repository: Path, start_bench: Callable[[str], Bench], tmp_path: Path
) -> None:
    """A kernel that is wrong at one size, on a driver named by its library: pytest and the verdict end with 0."""
    identity = start_bench("pocl").supervisor.identity
    assert identity is not None
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    text = (repository / "kernels" / "gemm_scalar.cl").read_text(encoding="utf-8")
    (kernels / "odd.cl").write_text(text.replace("float sum = 0.0f;", "float sum = n == 80 ? 9.0f : 0.0f;"))
    (kernels / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    (tmp_path / "known.yaml").write_text(KNOWN % identity.library_sha256, encoding="utf-8")
    (tmp_path / "half.yaml").write_text(f"{POLICY}evidence: {{max_expected_share: 0.5}}\n", encoding="utf-8")
    options = ("--platforms", "pocl", *SMALL, "--kernels", "odd", "--sizes", "64", "80", "--policy", "half.yaml")
    found = run_gate(tmp_path, repository / "suites" / "weekly", *options, "--expectations", "known.yaml")
    assert found.status == 0, found.output
    assert "it leaves out pocl odd:80: wrong, expected until" in " ".join(found.output.split())
    assert "correct, but for known faults in 1 of the cells" in found.output
    assert found.decision["counts"]["wrong"] == 2
    assert len(found.decision["plan"]["expectations_sha256"]) == 64
    assert [row["size"] for row in found.decision["verdict"]["rows"]] == [64]
