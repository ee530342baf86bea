"""Calibrations on disk: one file per driver and host, written whole, read as if a stranger wrote it.

What cannot be used is ignored with a sentence, never an error and never in part: without a calibration a wider spread
is assumed, which asks for more evidence and not for less.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pytest_weekops.core.measurement.calibration import CalibratedSeries, Calibration, CalibrationRecord, stale
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.evidence.names import keyed_name
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.kept_record import read_record
from pytest_weekops.report.saying import plain

DIRECTORY = "calibrations"
LARGEST_BYTES = 4 * 1024 * 1024

# Kernel mode and size -> hash of the source that is launched there, None where that is not known yet.
Kernels = Mapping[tuple[str, int], str | None]


def file_name(calibration: Calibration) -> str:
    """Name of the file of one driver on one host: a slug for people and a hash of all that must be the same."""
    return keyed_name(f"{calibration.platform}-{calibration.host}", repr(calibration.key))


def write_calibration(report_dir: Path, calibration: Calibration) -> Path:
    """Keep a calibration. Cells that an earlier one of the same driver and host has beside it stay.

    Raises ``WeekopsError`` where the disk refuses.
    """
    path = report_dir / DIRECTORY / file_name(calibration)
    measured = {each.cell for each in calibration.series}
    try:
        before = read_calibration(path)
    except (OSError, ValueError):  # there is none, or none that could be believed
        kept: tuple[CalibratedSeries, ...] = ()
    else:
        same = before.key == calibration.key and before.session_ms == calibration.session_ms
        kept = tuple(each for each in before.series if same and each.cell not in measured)
    series = sorted((*kept, *calibration.series), key=lambda each: each.cell)
    whole = calibration.model_copy(update={"series": tuple(series)})
    write_atomic(path, whole.model_dump_json(indent=2) + "\n")
    return path


def read_calibration(path: Path) -> Calibration:
    """A calibration from its file. Raises ``ValueError`` with a clause where it is none, ``OSError`` without it."""
    return read_record(path, Calibration, largest_bytes=LARGEST_BYTES)[0]


def find_calibrations(
    report_dir: Path, identity: DeviceIdentity, kernels: Kernels, now: datetime
) -> tuple[dict[tuple[str, int], CalibratedSeries], list[str]]:
    """The series that count for a device at that time, per kernel mode and size, and a sentence for each ignored one.

    Never raises for a file. Files of other platforms are left alone without a word.
    """
    found: dict[tuple[str, int], CalibratedSeries] = {}
    notes: list[str] = []
    for path in sorted((report_dir / DIRECTORY).glob("*.json")):
        try:
            calibration = read_calibration(path)
        except (OSError, ValueError) as error:
            notes.append(_ignored(path, str(getattr(error, "strerror", None) or error)))
            continue
        if calibration.platform_name != identity.platform_name:
            continue
        if problem := _of_another(calibration, identity):
            notes.append(_ignored(path, problem))
            continue
        for each in calibration.series:
            if each.cell not in kernels:
                continue
            if problem := stale(each, kernels[each.cell], now):
                notes.append(_ignored(path, problem, f"{each.kernel} at {each.size} of "))
            else:
                found[each.cell] = each
    return found, notes


def calibration_records(
    report_dir: Path, identities: Mapping[str, DeviceIdentity], plan: CampaignPlan, now: datetime
) -> tuple[list[CalibrationRecord], list[str]]:
    """What speaks of the platforms of a run that is about to begin, and a sentence for each that is ignored.

    Which source a mode will launch is known once it was measured: there the judge asks again.
    """
    records, notes = [], []
    for label, identity in identities.items():
        cells = {(kernel, size): None for kernel in plan.kernels for size in plan.sizes}
        found, said = find_calibrations(report_dir, identity, cells, now)
        notes += said
        if found:
            series = tuple(found[cell] for cell in sorted(found))
            records.append(CalibrationRecord(platform=label, series=series))
    return records, notes


def _of_another(calibration: Calibration, identity: DeviceIdentity) -> str:
    if (calibration.host, calibration.hardware) != (identity.host, identity.hardware):
        return f"it was made on another host, {calibration.host} ({calibration.hardware})"
    if calibration.library_sha256 != identity.library_sha256:
        return f"it was made with another driver, {calibration.driver_version or calibration.library_sha256[:12]}"
    return ""


def _ignored(path: Path, why: str, what: str = "") -> str:
    return plain(
        f"{what}calibration {path.name} is ignored: {why}. A wider spread is assumed instead. "
        "`weekops calibrate` makes it anew."
    )
