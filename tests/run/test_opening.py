"""Opening a run: what is said before anything is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_weekops.core.errors import DeviceBusy
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run.opening import open_run
from pytest_weekops.run.request import RunRequest
from pytest_weekops.worker.locking import DeviceLock
from pytest_weekops.worker.process import Launch
from pytest_weekops.worker.protocol import OpenRequest


def test_a_wait_for_another_gate_is_said_when_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of silence looks like a gate that hangs; what ends it is a refusal, and nothing is left behind."""
    monkeypatch.setenv("WEEKOPS_LOCK_WAIT", "0.05")
    label, said = f"busy-{tmp_path.name}", list[str]()
    held = DeviceLock(label)
    held.acquire()
    request = RunRequest(
        plan=CampaignPlan(kind="weekly", platforms=(label,), kernels=("auto",), sizes=(96,), seeds=(11,)),
        policy=default_policy(),
        launches=(Launch(label=label, profile="pocl", open=OpenRequest(profile="pocl")),),
        report_dir=tmp_path / "reports",
        scratch=tmp_path,
        say=said.append,
    )
    with pytest.raises(DeviceBusy, match="is being measured by another gate"):
        open_run(request)
    held.release()
    assert f"  {label}: another gate measures on this device; waiting up to 0.05 s" in said
    assert list((tmp_path / "reports").glob("weekly-*")) == []
