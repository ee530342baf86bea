"""A known fault in the canonical tier, in pytest: its gate is skipped, the verdict names it, and any other is red."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_weekops import plugin
from pytest_weekops.core.measurement.records import Case, Measurement, MeasurementStatus, Phase
from pytest_weekops.evidence.judging import judge_stored
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.report.junit import render_junit
from tests.support.replayed import ReplayedRun, replay
from tests.support.synthetic import make_identity, make_measurement, make_plan

DAY = datetime.now(UTC).date() + timedelta(days=30)
KNOWN = f"""\
version: 1
expectations:
  - driver: {{profile: pocl, driver_version: "1"}}
    gate: odd-shapes
    case: regtile@5x3x1
    kind: wrong
    reason: a known bug
    owner: us
    expires: {DAY}
"""
SUITE = Path(__file__).resolve().parents[2] / "suites" / "canonical" / "test_kernels.py"
ONE, BOTH = ((5, 3),), ((5, 3), (20, 24))


def answer(self: Any, label: str, kernel: str, m: int, n: int, k: int, **_facts: Any) -> Measurement:
    """Wrong at the shapes that the test names, and right elsewhere."""
    case = Case(platform=label, kernel=kernel, size=max(m, n, k), seed=1, snapshot=1)
    right = make_measurement(case, plan=make_plan())
    bad = {"status": MeasurementStatus.WRONG, "phase": Phase.VERIFY, "identity": make_identity(label)}
    return right.model_copy(update=bad) if (kernel, m, n) in self.wrong else right


def test_the_gate_leaves_out_what_is_known_and_no_more(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 0 and says what it leaves out; with another fault beside it, or with the fault gone, it is red."""
    replay(monkeypatch, pytester.path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(ReplayedRun, "verify", answer)
    shutil.copy(SUITE, pytester.path / "test_gates.py")
    (pytester.path / "known.yaml").write_text(KNOWN, encoding="utf-8")
    found = {}
    for wrong in (ONE, BOTH, ()):
        monkeypatch.setattr(ReplayedRun, "wrong", [("regtile", *shape) for shape in wrong], raising=False)
        options = ("--weekops-policy=policy.yaml", "--weekops-expectations=known.yaml", "test_gates.py")
        status = pytester.inline_run("-p", "no:cacheprovider", *options, plugins=[plugin]).ret
        (decision,) = pytester.path.glob("reports/*/decision.json")
        stored = read_run(decision.parent)
        document = json.loads(decision.read_text(encoding="utf-8"))
        junit = ET.fromstring(render_junit(judge_stored(stored), document, stored.records))
        gates = [case for case in junit.iter("testcase") if "odd-shapes" in case.get("name", "")]
        assert [child.tag for case in gates for child in case] == {ONE: ["skipped"], BOTH: ["failure"], (): []}[wrong]
        shutil.rmtree(pytester.path / "reports")
        found[wrong] = int(status or 0), " ".join("".join(capsys.readouterr()).split())
    status, said = found[ONE]
    assert status == 0, said
    assert f"it leaves out pocl odd-shapes regtile@5x3x1: wrong, expected until {DAY} (a known bug; us)" in said
    assert "1 skipped" in said
    assert [found[key][0] for key in (BOTH, ())] == [10, 1]
    assert "at 20x24x20" in found[BOTH][1]
    assert "expected, and it worked: pocl odd-shapes regtile@5x3x1" in found[()][1]
