"""A live run whose measurements are made of numbers: opened as runs are, with no driver and no worker."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run.live import Platform, Run
from pytest_weekops.worker.driver_files import DriverFiles
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.support.synthetic import STARTED, make_identity, make_plan


class Absent:
    """In the place of a worker: what there is to measure was measured."""

    def __init__(self, label: str = "") -> None:
        self.files = DriverFiles(label)

    def close(self) -> None:
        """Nothing to stop."""


def begun_run(
    report_dir: Path,
    name: str = "weekly-1",
    *,
    plan: CampaignPlan | None = None,
    identity: DeviceIdentity | None = None,
    created_at: str = STARTED,
) -> Run:
    """A run whose journal has its first lines; ``identity`` is that of its only platform."""
    plan = plan or make_plan("weekly")
    run = Run(
        plan=plan,
        policy=default_policy(),
        platforms={
            label: Platform(label, cast("PlatformSupervisor", Absent(label)), identity or make_identity(label))
            for label in plan.platforms
        },
        host=cast("HostWorker", Absent()),
        journal=Journal(report_dir / name / "journal.jsonl"),
        created_at=created_at,
        command=("pytest", "suites/weekly"),
    )
    facts = {"run_id": name, "created_at": created_at, "command": list(run.command)}
    run.journal.append("run", {**facts, "plan": plan.model_dump(mode="json"), "policy": run.policy.effective()})
    for each in run.identities.values():
        run.journal.append("identity", each)
    return run
