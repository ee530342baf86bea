"""What level 0 measured of the devices of a run, taken along before anything is measured."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.evidence.peaks import peak_records

if TYPE_CHECKING:
    from pytest_weekops.run.live import Run


def take_peaks(run: Run, report_dir: Path) -> None:
    """Journal the peaks that speak of the run's devices: the judge takes no launch for true that is far beyond them."""
    peaks, notes = peak_records(report_dir, run.identities, datetime.fromisoformat(run.created_at))
    for peak in peaks:
        run.record(peak)
    run.notes += notes
