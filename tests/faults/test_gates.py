"""Whole gates over a driver that goes wrong in mid-run, beside one that is well."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus
from pytest_weekops.evidence.stored_run import read_run
from tests.faults.conftest import FaultyDriver
from tests.faults.table import TABLE
from tests.support.command import weekops
from tests.support.gates import SMALL, GateResult

GATES: list[dict[str, Any]] = TABLE["gates"]
SHORT = ("--kernels", "scalar", "--pressure-pulses", "1", "--deadline-launch", "5")


@pytest.mark.device
@pytest.mark.long
def test_a_driver_that_goes_wrong_in_mid_run(
    tmp_path: Path, gate: Callable[..., GateResult], need_platform: Callable[[str], str], faulty: FaultyDriver
) -> None:
    """Each fault: not 0, everything else measured, every artifact whole, nothing left behind."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    platforms = ("--platforms", need_platform("pocl-system"), f"bad=pocl@{faulty.library}")
    for row in GATES:
        faulty.has(row["driver"])
        began = time.monotonic()
        found = gate(*SMALL, *SHORT, *platforms, f"--junitxml={tmp_path / 'junit.xml'}", TMPDIR=str(scratch))
        assert time.monotonic() - began < 5 * (5 + 2) + 120, "deadlines of four restarts, and a run on a busy machine"
        assert found.status in (1, 10), found.output
        assert row["says"] in finding(found, row["check"]), found.output
        held(found, scratch)
        ET.parse(tmp_path / "junit.xml")
    faulty.has("")
    found = gate(*SMALL, *SHORT, "--platforms", platforms[-1], TMPDIR=str(scratch))
    assert found.status == 0, found.output


def finding(found: GateResult, check: str) -> str:
    """What the latest run's check says."""
    document = json.loads((found.run_dirs[-1] / "decision.json").read_text(encoding="utf-8"))
    return next(str(f["message"]) for f in document["verdict"]["findings"] if f["check"] == check)


def held(found: GateResult, scratch: Path) -> None:
    """The other platform has all its cases, judging the journal again ends alike, and nothing lies in scratch."""
    directory = found.run_dirs[-1]
    measured = [record for record in read_run(directory).records if isinstance(record, Measurement)]
    well = [m.status for m in measured if m.case.platform != "bad" and not m.void]
    assert well == [MeasurementStatus.OK] * 2
    assert {m.case for m in measured if m.case.platform == "bad"}
    again = weekops("judge", str(directory))
    assert again.returncode == found.status, again.stdout + again.stderr
    assert [path.name for path in scratch.iterdir() if path.name.startswith("weekops-")] == []
