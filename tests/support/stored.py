"""Run directories as live runs leave them, made of synthetic records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_weekops import __version__
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.segments import Segment
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.evidence.journal import Journal
from pytest_weekops.policies.files import default_policy
from pytest_weekops.run.circumstances import circumstances
from tests.support.synthetic import STARTED, Records, make_identity

STATUS = 0  # that of a run which promoted
KERNELS = {"kernels/packed.cl": "0" * 64}


def opened(run_id: str, **facts: Any) -> Segment:
    """The opening of a segment in which synthetic records were taken."""
    return Segment.model_validate({"run_id": run_id, "started_at": STARTED, "boot_id": "a", "monotonic_ns": 0, **facts})


def write_run(
    directory: Path,
    plan: CampaignPlan,
    records: Records,
    *,
    ended: int | None = None,
    ended_at: str = STARTED,
    policy: Policy | None = None,
) -> Path:
    """The directory of a run with its journal; one that ``ended`` says with which status, last."""
    journal = Journal(directory / "journal.jsonl")
    journal.append(
        "run",
        {
            "run_id": directory.name,
            "version": __version__,
            "created_at": STARTED,
            "command": ["pytest"],
            "plan": plan.model_dump(mode="json"),
            "policy": (policy or default_policy()).effective(),
            "kernels": KERNELS,
            "circumstances": circumstances(),
            "segment": opened(directory.name).model_dump(mode="json"),
        },
    )
    for platform in plan.platforms:
        journal.append("identity", make_identity(platform))
    for record in records:
        journal.append(record.type, record)
    if ended is not None:
        journal.append(
            "end", {"decision": "iterate" if ended else "promote", "exit_status": ended, "ended_at": ended_at}
        )
    journal.close()
    return directory
