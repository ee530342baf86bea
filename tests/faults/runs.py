"""A whole run in this process, over worker doubles or real drivers: opened, measured, judged, its artifacts written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pytest_weekops.core.measurement.plan import CampaignPlan, Deadlines, PressurePlan
from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.evidence.stored_run import read_run
from pytest_weekops.files.scratch import Scratch
from pytest_weekops.policies.files import load_policy
from pytest_weekops.run import opening
from pytest_weekops.run.conclusion import conclude, end_suite
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.run.whole import measure_plan
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest
from tests.support.gates import POLICY
from tests.support.quiet_host import QuietHost

DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")
SHORT_S, IMPORT_S, MARGIN_S = 1.0, 10.0, 2.0
SHORT = Deadlines(
    **{f"{phase}_s": SHORT_S for phase in ("enumerate", "context", "build", "warm_up", "launch", "read_back", "send")},
    close_s=SHORT_S,
    import_s=IMPORT_S,
)


@dataclass(frozen=True)
class DoubleRun:
    """What came of a run: status, measurements as the journal has them, decision, seconds, and where it lies."""

    status: int
    measurements: tuple[Measurement, ...]
    document: dict[str, Any]
    seconds: float
    directory: Path

    def of(self, platform: str) -> list[Measurement]:
        """The measurements of one platform, in plan order."""
        return [m for m in self.measurements if m.case.platform == platform]

    def finding(self, check: str) -> dict[str, Any]:
        """One finding of the verdict."""
        found: dict[str, Any] = next(f for f in self.document["verdict"]["findings"] if f["check"] == check)
        return found


def run_doubles(
    directory: Path,
    doubles: dict[str, tuple[str, str]],
    patch: pytest.MonkeyPatch,
    *,
    deadlines: Deadlines = SHORT,
    **changes: Any,
) -> DoubleRun:
    """A weekly run of three sizes and two snapshots over doubles, ``label: (fault, phase)``; nothing is left behind.

    ``changes`` are to its plan.
    """
    patch.setattr(opening, "HostWorker", QuietHost)
    patch.setattr(opening, "memory_problem", lambda *_arguments: "")  # a double says that it has a byte
    (directory / "policy.yaml").write_text(POLICY, encoding="utf-8")
    plan = CampaignPlan(
        kind="weekly",
        platforms=tuple(doubles),
        kernels=("scalar",),
        sizes=(64, 96, 128),
        seeds=(11,),
        snapshots=2,
        iterations=15,
        session_ms=0.0,
        pressure=PressurePlan(pulses=0),
        deadlines=deadlines,
    ).model_copy(update=changes)
    began, before = time.monotonic(), children()  # benches that tests share have workers of their own
    with Scratch() as scratch:
        launches = tuple(_launch(label, *fault) for label, fault in doubles.items())
        policy = load_policy(str(directory / "policy.yaml"))
        request = RunRequest(
            plan=plan, policy=policy, launches=launches, report_dir=directory / "reports", scratch=scratch
        )
        with open_run(request) as run:
            measure_plan(run)
            end_suite(run)
            conclusion = conclude(run)
    assert not scratch.exists(), "scratch was left behind"
    assert children() <= before, "a worker was left behind"
    _parse(conclusion.run_dir)
    stored = read_run(conclusion.run_dir)
    measured = tuple(record for record in stored.records if isinstance(record, Measurement))
    seconds = time.monotonic() - began
    return DoubleRun(conclusion.exit_status, measured, conclusion.document, seconds, conclusion.run_dir)


def _launch(label: str, fault: str, phase: str) -> Launch:
    command = (sys.executable, DOUBLE, fault, phase)
    return Launch(label=label, profile="double", open=OpenRequest(profile="double"), command=command)


def children() -> set[str]:
    """The workers of this process that are there, doubles and others, by process id."""
    command = ["pgrep", "-P", str(os.getpid()), "-f", "--", "--in-fd"]
    return set(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())


def _parse(run_dir: Path) -> None:
    """Every report is whole: strict JSON and XML."""
    json.loads((run_dir / "decision.json").read_text(encoding="utf-8"))
    for path in run_dir.glob("*.xml"):
        ET.parse(path)
