"""Level 0 on disk: one file per device and driver, written whole, read as if a stranger wrote it.

What cannot be used is ignored with a sentence: without a peak what silicon could do at most is the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pytest_weekops.core.measurement.peak_bound import PeakRecord, not_of
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.evidence.names import keyed_name
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.kept_record import read_record
from pytest_weekops.report.saying import plain

DIRECTORY = "peaks"
LARGEST_BYTES = 256 * 1024


def write_peak(report_dir: Path, peak: PeakRecord) -> Path:
    """Keep a peak, in the place of an earlier one of the same device and driver.

    Raises ``WeekopsError`` where the disk refuses.
    """
    path = report_dir / DIRECTORY / keyed_name(f"{peak.platform}-{peak.host}", repr(peak.key))
    write_atomic(path, peak.model_dump_json(indent=2) + "\n")
    return path


def read_peak(path: Path) -> PeakRecord:
    """A peak from its file. Raises ``ValueError`` with a clause where it is none, ``OSError`` without it."""
    return read_record(path, PeakRecord, largest_bytes=LARGEST_BYTES)[0]


def peak_records(
    report_dir: Path, identities: Mapping[str, DeviceIdentity], now: datetime
) -> tuple[list[PeakRecord], list[str]]:
    """What bounds the platforms of a run that is about to begin, under their labels, and a sentence for each ignored.

    Never raises for a file. Peaks of other platforms are left alone without a word.
    """
    found: list[PeakRecord] = []
    notes: list[str] = []
    for path in sorted((report_dir / DIRECTORY).glob("*.json")):
        try:
            peak = read_peak(path)
        except (OSError, ValueError) as error:
            notes.append(_ignored(path, str(getattr(error, "strerror", None) or error)))
            continue
        mine = {label: one for label, one in identities.items() if one.platform_name == peak.platform_name}
        problems = {label: not_of(peak, identity, now) for label, identity in mine.items()}
        found += [peak.model_copy(update={"platform": label}) for label, problem in problems.items() if not problem]
        if problems and all(problems.values()):
            notes.append(_ignored(path, next(iter(problems.values()))))
    return found, notes


def _ignored(path: Path, why: str) -> str:
    return plain(
        f"peak {path.name} is ignored: {why}. What such silicon could do at most is the bound instead. "
        "`weekops peak --keep` measures it anew."
    )
