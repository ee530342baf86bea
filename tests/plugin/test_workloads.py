"""The campaign over the workloads: its own kernels without a word, the weekly one's verdict, and no other beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import Measurement
from pytest_weekops.core.units import LEVEL1
from pytest_weekops.evidence.stored_run import read_run
from tests.support.gates import SMALL, GateResult

Gate = Callable[..., GateResult]
KERNELS = ("scan", "reduce", "queue_fill")
Need = Callable[[str], str]


def test_two_campaigns_over_other_kernels_are_refused(gate: Gate, repository: Path) -> None:
    """A run has one plan; whose kernels are measured must not be the order of collection's to say."""
    result = gate(str(repository / "suites" / "weekly"), suite="workloads")
    assert result.status == 4, result.output
    assert "pytest suites/weekly, then pytest suites/workloads" in result.output
    assert not result.run_dirs


def test_kernels_without_a_channel_are_refused(gate: Gate, tmp_path: Path) -> None:
    """What is measured of other kernels would promote the week's channel."""
    for words in ('kernels=("scan",)', 'channel="mine"', 'kernels=("scan",), channel="../week"'):
        text = (
            "import pytest\n\n"
            f"@pytest.mark.weekops_campaign('weekly', {words})\n"
            "def test_cell(weekops_case, measure):\n    measure(weekops_case)\n"
        )
        (tmp_path / "test_own.py").write_text(text, encoding="utf-8")
        result = gate(suite=str(tmp_path / "test_own.py"))
        assert result.status == 4, result.output
        assert "has a channel of its own" in result.output


@pytest.mark.device
@pytest.mark.long
def test_the_workloads_are_judged_as_a_week_is(gate: Gate, need_platform: Need, tmp_path: Path) -> None:
    """All of them without a word; two by name are gated, measured, verified and promoted, each in its own unit.

    Beside them one that is right and not timed, and one that this driver is known to be wrong in.
    """
    platform = ("--platforms", need_platform("pocl"))
    listed = gate(*platform, "--sizes", "96", "--collect-only", "-q", suite="workloads").output
    kernels = re.findall(r"test_cell\[pocl-(\w+)-96", listed)
    assert sorted(set(kernels)) == sorted(LEVEL1), listed
    result = gate(*platform, *SMALL, "--kernels", *KERNELS, "math_strict", suite="workloads")
    assert result.status == 0, result.output
    assert not result.run_dirs  # those of the week
    (run_dir,) = (tmp_path / "reports" / "workloads").glob("weekly-*")
    assert "a channel of its own, workloads" in result.output
    run = read_run(run_dir)
    measured = [m for m in run.records if isinstance(m, Measurement) and not m.void]
    assert run.kind == "weekly"
    assert {(m.case.kernel, m.operation, m.unit) for m in measured} == {(n, n, LEVEL1[n]) for n in KERNELS}
    assert all(session.verified for m in measured for session in m.sessions)
    said = " ".join(result.output.split())
    assert "math_strict on pocl: not applicable, needs math as strict as the text" in said
    assert "the times of queue_fill: their results alone are judged" in said
    for each in (m for m in measured if m.case.kernel != "queue_fill"):
        assert each.guard is not None
        assert each.guard.checks == sum(len(session.wall_ns) for session in each.sessions)
        assert f"{each.case.kernel} pocl 96" in result.output, "its guard's line stands below the table"
