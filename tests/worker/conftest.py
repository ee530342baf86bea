"""Supervisors over the worker double, with short deadlines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Case
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import MeasureRequest, OpenRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor

DOUBLE = str(Path(__file__).resolve().parents[1] / "support" / "double.py")
SHORT_S = 1.0
CASE = Case(platform="double", kernel="k", size=1, seed=1, snapshot=1)
REQUEST = MeasureRequest(kernel="k", m=1, n=1, k=1, seed=1, sessions=1, iterations=1)
# The import deadline also covers the interpreter's own start, on a machine that may be busy.
DEADLINES = Deadlines(
    **{f"{phase}_s": SHORT_S for phase in ("enumerate", "context", "build", "warm_up", "launch", "read_back", "send")},
    close_s=SHORT_S,
    import_s=10.0,
)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., PlatformSupervisor]]:
    """``supervise(fault, phase, flag="")``: a supervisor over a double; no process is left behind."""
    made: list[PlatformSupervisor] = []

    def make(fault: str, phase: str, flag: str = "", *, deadlines: Deadlines = DEADLINES) -> PlatformSupervisor:
        command = (sys.executable, DOUBLE, fault, phase, *([str(tmp_path / flag)] if flag else []))
        label = f"double-{tmp_path.name}-{len(made)}"
        launch = Launch(label=label, profile="double", open=OpenRequest(profile="double"), command=command)
        supervisor = PlatformSupervisor(launch, deadlines, tmp_path)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.close()
    left = subprocess.run(["pgrep", "-f", f"{DOUBLE}.*{tmp_path}"], capture_output=True, text=True, check=False)
    assert not left.stdout.strip(), "a worker was left behind"
