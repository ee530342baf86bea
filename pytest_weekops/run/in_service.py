"""The driver that the last promoted run of a device was measured with: what the one under test can do is held to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.measurement.capabilities import InServiceRecord, capabilities_of
from pytest_weekops.week.in_service import is_switched_back, last_promoted

if TYPE_CHECKING:
    from pytest_weekops.run.live import Run


def note_in_service(run: Run, report_dir: Path) -> None:
    """Journal, per platform of a weekly run without a partner in service, who the last promoted run was measured with.

    Nothing where no run promoted that device, or where its record is from before capabilities were kept. Where its
    files are not what was recorded, or the host was switched back since, a remark says that nothing was compared.
    """
    if run.plan.kind != "weekly" or run.plan.service is not None or run.earlier is not None:
        return
    for label, identity in run.identities.items():
        try:
            promoted = last_promoted(report_dir, label, identity.hardware)
        except InputError as error:
            run.notes.append(f"what the last promoted driver of {label} could do is not known: {error}")
            continue
        before = promoted.identities.get(label) if promoted is not None else None
        if promoted is None or before is None or not capabilities_of(before):
            continue
        if is_switched_back(report_dir, promoted.run_id):
            run.notes.append(f"the host was switched back after {promoted.run_id}: {label} need not do what it could")
            continue
        run.record(InServiceRecord(platform=label, run_id=promoted.run_id, identity=before))
