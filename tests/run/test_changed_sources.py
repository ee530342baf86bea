"""A source that changes under a run: nothing is measured with it, and the verdict says that there were two kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.judge.finding import Decision
from pytest_weekops.core.measurement.plan import CampaignPlan, PressurePlan
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase
from pytest_weekops.core.measurement.schedule import snapshot_order
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.policies.files import load_policy
from pytest_weekops.run.conclusion import conclude, end_suite
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from tests.device.test_misbehaviour import HEAD
from tests.support.gates import POLICY

pytestmark = [pytest.mark.device, pytest.mark.long]


def test_an_include_that_is_edited_under_a_run_ends_its_evidence(
    tmp_path: Path, need_platform: Callable[[str], str], own_kernels: Callable[..., Path]
) -> None:
    """From the third snapshot on, with a text that computes the same; put back, the run is still not of one piece."""
    kernels = own_kernels('#include "store.h"\n' + HEAD + "STORE }")
    include = kernels / "store.h"
    store = "#define STORE C[i * ldc + j] = alpha * sum + (beta == 0.0f ? 0.0f : beta * C[i * ldc + j]);\n"
    include.write_text(store, encoding="utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    plan = CampaignPlan(
        kind="weekly",
        platforms=("changing",),
        kernels=("mine",),
        sizes=(32,),
        seeds=(11,),
        snapshots=4,
        iterations=10,
        session_ms=0,
        pressure=PressurePlan(pulses=0),
    )
    request = RunRequest(
        plan=plan,
        policy=load_policy(str(tmp_path / "policy.yaml")),
        launches=tuple(resolve_platforms([f"changing={need_platform('pocl')}"], scratch=tmp_path)),
        report_dir=tmp_path / "reports",
        scratch=tmp_path,
        kernel_dirs=(str(kernels),),
    )
    with open_run(request) as run:
        run.gate("opening", "changing")
        answers = []
        for snapshot in range(1, 5):
            if snapshot == 3:
                include.write_text(store + "/* faster */\n", encoding="utf-8")
            if snapshot == 4:
                include.write_text(store, encoding="utf-8")
            answers += [run.measure(case) for case in snapshot_order(run.plan, snapshot)]
        run.gate("closing", "changing")
        end_suite(run)
        conclusion = conclude(run)
    assert [a.status for a in answers if a.case.snapshot != 3] == [MeasurementStatus.OK] * 3
    (third,) = (a for a in answers if a.case.snapshot == 3)
    assert (third.status, third.phase) == (MeasurementStatus.LAUNCH_FAILED, Phase.BUILD)
    assert "store.h is not what it was when the run began" in third.reason
    found = {f.check: f for f in conclusion.verdict.findings}
    assert conclusion.verdict.decision is Decision.ITERATE
    assert (found["one_kernel"].status, found["one_kernel"].reason_code) == ("fail", "changed")
    assert "store.h" in found["one_kernel"].message
    assert found["one_kernel"].rows == (third.case.id,)
    assert conclusion.document["kernels"][f"{kernels.name}/store.h"]
