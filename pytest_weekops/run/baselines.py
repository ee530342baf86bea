"""The pinned baselines that a weekly run is held against, and those that its devices have had and lack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.judge.campaign import MissingBaseline
from pytest_weekops.run.resuming import refuse_other_baselines
from pytest_weekops.week.pins import Pinned, missing_baseline, named_baseline, pinned_baseline

if TYPE_CHECKING:
    from pytest_weekops.core.measurement.records import DeviceIdentity
    from pytest_weekops.run.live import Run


def hold_against(run: Run, report_dir: Path, named: str) -> None:
    """Find the baselines of a run's devices and journal them: the one named by ``--baseline``, else those pinned here.

    Where the plan says why there is none, or has a driver in service instead, none is used. A device that has had one
    and has none now is journalled too. A run that goes on with another is held against what that one was.
    Raises ``InputError`` for one that cannot be used, or is not what was pinned.
    """
    found = [] if run.plan.no_baseline or run.plan.service is not None else _found(run, report_dir, named)
    if run.earlier is not None:
        refuse_other_baselines(run.earlier, tuple(pinned.baseline for pinned in found))
        run.baselines = run.earlier.stored.baselines
        run.missing_baselines = run.earlier.stored.missing_baselines
        return
    run.baselines = tuple(pinned.baseline for pinned in found)
    run.missing_baselines = tuple(
        missing
        for label, identity in run.identities.items()
        if not any(baseline.fits(identity) for baseline in run.baselines)
        if (missing := _missing(report_dir, label, identity)) is not None
    )
    for baseline in run.baselines:
        run.journal.append("baseline", baseline)
    for missing in run.missing_baselines:
        run.journal.append("missing_baseline", missing)
    for note in (pinned.note for pinned in found if pinned.note):
        run.journal.append("note", {"baseline": note})
        run.notes.append(note)
        run.say(note)


def _found(run: Run, report_dir: Path, named: str) -> list[Pinned]:
    """The one named, and for every other device the one that is pinned."""
    found = [_named(run, report_dir, named)] if named else []
    others = [one for one in run.identities.values() if not any(each.baseline.fits(one) for each in found)]
    return [*found, *(pinned for one in others if (pinned := pinned_baseline(report_dir, one)) is not None)]


def _named(run: Run, report_dir: Path, named: str) -> Pinned:
    pinned = named_baseline(Path(named), report_dir)
    baseline = pinned.baseline
    if not any(baseline.fits(identity) for identity in run.identities.values()):
        raise InputError(
            f"--baseline {named} was pinned for {baseline.profile} on {baseline.hardware}. None of the selected "
            "platforms is that device, so it can judge nothing here. Select that platform or pin a new baseline."
        )
    return pinned


def _missing(report_dir: Path, label: str, identity: DeviceIdentity) -> MissingBaseline | None:
    pin = missing_baseline(report_dir, identity)
    if pin is None:
        return None
    device = pin.device
    return MissingBaseline(
        platform=label, run_id=pin.run_id, profile=device.profile, hardware=device.hardware, record=pin.seq
    )
