"""A user's own suite and hooks, as strict type checkers see them; ``test_public_types`` has mypy read this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_weekops.api import (
    CONTROLS,
    CampaignPlan,
    Case,
    Conclusion,
    Control,
    DeviceIdentity,
    GateFailure,
    GateRecord,
    Injection,
    Injector,
    Measurement,
    MeasurementStatus,
    Policy,
    Run,
    RunRequest,
    Verdict,
    conclude,
    end_suite,
    load_policy,
    measure_plan,
    open_run,
    policy_files,
)
from pytest_weekops.operation import Buffer, Launch, Local, Step

pytestmark = pytest.mark.weekops_campaign("weekly")


def test_cell(weekops_case: Case, measure: Callable[[Case], Measurement]) -> None:
    """A case has a size and a seed; a measurement knows how it ended and how long each launch took."""
    answer = measure(weekops_case)
    assert_type(weekops_case.size, int)
    assert_type(answer.status, MeasurementStatus)
    assert_type(answer.sessions[0].wall_ns, tuple[int, ...])
    if answer.flaky:
        raise GateFailure(answer.reason)


def test_gate(weekops_run: Run, opencl_identities: Mapping[str, DeviceIdentity]) -> None:
    """A run takes records; an identity has a driver version."""
    for platform, identity in opencl_identities.items():
        assert_type(identity.driver_version, str)
        weekops_run.record(GateRecord(gate="mine", stage="canonical", platform=platform, passed=True))


@pytest.mark.parametrize("control", CONTROLS)
def test_control(weekops_injection: Injector, control: Control) -> None:
    """A fault campaign answers what it found."""
    assert_type(weekops_injection.control(control), Injection)


def pytest_weekops_checks(
    config: pytest.Config,
) -> dict[str, Callable[[CampaignPlan, Sequence[Measurement]], str | None]]:
    """A check takes the plan and all measurements, and answers a sentence or nothing."""

    def enough(plan: CampaignPlan, measurements: Sequence[Measurement]) -> str | None:
        slow = [each.case.id for each in measurements if each.elapsed_s > 60]
        return f"{plan.kind}: {slow}" if slow else None

    return {"enough": enough}


def pytest_weekops_report(config: pytest.Config, run_dir: Path, verdict: Verdict) -> None:
    """A verdict's decision is a word."""
    (run_dir / "mine.txt").write_text(verdict.decision)


def script(request: RunRequest) -> int:
    """A run without pytest, from its request to its exit status."""
    assert_type(load_policy("portable"), Policy)
    assert_type(policy_files(Path("policies")), list[Path])
    with open_run(request) as run:
        assert_type(run, Run)
        measure_plan(run)
        end_suite(run)
        done = conclude(run)
    assert_type(done, Conclusion)
    assert_type(done.verdict, Verdict)
    return done.exit_status


def launch(data: NDArray[np.float32]) -> tuple[type[Buffer], type[Launch], type[Step], type[Local]]:
    """An operation's four words come from a module of their own."""
    return Buffer, Launch, Step, Local
