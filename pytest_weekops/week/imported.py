"""Campaigns that were recorded elsewhere, beside the ledger and never in it: to be looked at, and for nothing else.

``imported.json`` has of each file its hash and each cell's mean. Only the history and the site read it: no verdict,
pin, week or channel does. Its cells are series of their own, on platforms whose names begin with ``imported/``.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from pytest_weekops.core.calendar import week_of
from pytest_weekops.core.errors import InputError
from pytest_weekops.core.numbers import as_finite
from pytest_weekops.core.record import Record
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.core.week.history_terms import IMPORTED
from pytest_weekops.files.atomic import write_atomic
from pytest_weekops.files.hashing import hash_file

if TYPE_CHECKING:
    from pytest_weekops.core.recorded.campaign import RecordedCampaign, Run

IMPORTED_NAME = "imported.json"
_PREFIX = "imported/"  # a run's directory and its platforms are plain names
_LARGEST = 64 * 1024**2
_NAMED = 5


class _Cell(Record):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    platform: str = Field(pattern="^imported/")
    kernel: str
    size: int = Field(gt=0)
    mean_gflops: float | None = Field(default=None, gt=0)
    status: str


class _Campaign(Record):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    created_at: str
    hardware: dict[str, str]
    drivers: dict[str, str]
    results: tuple[_Cell, ...]


class _Document(Record):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["weekops-imported/1"] = Field("weekops-imported/1", alias="schema")
    campaigns: tuple[_Campaign, ...]


def import_campaigns(report_dir: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """Add these files' campaigns and return the names of those that were not there yet; all of them, or none.

    Raises ``InputError`` for files that are no campaigns or do not say when they were recorded.
    """
    known = _read(report_dir)
    hashes = {campaign.sha256 for campaign in known}
    added: dict[str, _Campaign] = {}
    refused: list[str] = []
    for file in files:
        try:
            campaign = _campaign(file)
        except InputError as error:
            why = str(error).replace(f"Campaign {file} ", "it ", 1).partition(". ")[0]
            refused.append(f"{file.name}: {why}")
            continue
        if campaign.sha256 not in hashes:
            added[campaign.sha256] = campaign
    if refused:
        more = f" And {len(refused) - _NAMED} more." if len(refused) > _NAMED else ""
        raise InputError(
            f"{len(refused)} of {len(files)} files cannot be imported, so nothing was. "
            f"{'; '.join(refused[:_NAMED])}.{more} Name the others."
        )
    if added:
        everything = sorted((*known, *added.values()), key=lambda each: (each.created_at, each.name))
        document = _Document(campaigns=tuple(everything)).model_dump(mode="json", by_alias=True)
        write_atomic(report_dir / IMPORTED_NAME, json.dumps(document, indent=1) + "\n")
    return tuple(campaign.name for campaign in added.values())


def imported_runs(report_dir: Path) -> tuple[RunEntry, ...]:
    """What was imported, oldest first, in the form that a history is made of; nothing where nothing was.

    Raises ``InputError`` for a file that this program did not write.
    """
    return tuple(
        RunEntry(
            run_id=_PREFIX + campaign.name,
            kind=IMPORTED,
            created_at=campaign.created_at,
            decision=IMPORTED,
            exit_status=-1,
            severity=4,
            hardware=campaign.hardware,
            drivers=campaign.drivers,
            results=tuple({**cell.model_dump(exclude_none=True), "unit": "GFLOPS"} for cell in campaign.results),
        )
        for campaign in _read(report_dir)
    )


def _read(report_dir: Path) -> tuple[_Campaign, ...]:
    place = report_dir / IMPORTED_NAME
    if not place.exists():
        return ()
    try:
        if not place.is_file() or place.stat().st_size > _LARGEST:
            raise InputError("it is no file, or too large for one")  # noqa: TRY301 - said below like all else
        found = _Document.model_validate_json(place.read_bytes()).campaigns
        for campaign in found:
            week_of(campaign.created_at)
    except (ValidationError, InputError, RecursionError) as error:
        why = str(error).splitlines()[0]
        raise InputError(
            f"{place} is not what `weekops history import` writes: {why} What was imported cannot be shown. Restore "
            "it, or remove it and import the files again."
        ) from error
    return found


def _campaign(file: Path) -> _Campaign:
    from pytest_weekops.evidence.recorded import read_campaign

    campaign = read_campaign(file)
    created_at = campaign.metadata.get("timestamp_utc")
    if not isinstance(created_at, str):
        raise InputError("it does not say when it was recorded (metadata.timestamp_utc)")
    week_of(created_at)
    device = {_PREFIX + run.on: run for run in reversed(campaign.ok_runs)}
    return _Campaign(
        name=file.name,
        sha256=hash_file(file),
        created_at=created_at,
        hardware={platform: run.card for platform, run in device.items()},
        drivers={platform: _driver(run) for platform, run in device.items()},
        results=tuple(_cells(campaign)),
    )


def _driver(run: Run) -> str:
    """What stands in brackets behind the device's name: versions."""
    return str(run.metrics.get("device")).removeprefix(run.card).strip(" ()")


def _cells(campaign: RecordedCampaign) -> Iterable[_Cell]:
    cells: dict[tuple[str, str, int], list[Run]] = {}
    for run in campaign.runs:
        cells.setdefault((run.on, run.kernel, run.size), []).append(run)
    for (platform, kernel, size), runs in cells.items():
        numbers = [number for run in runs if run.is_ok and (number := _throughput(run)) is not None]
        facts: dict[str, Any] = {"mean_gflops": float(f"{statistics.fmean(numbers):.5g}")} if numbers else {}
        status = f"{len(numbers)} of {len(runs)} runs"
        yield _Cell(platform=_PREFIX + platform, kernel=kernel, size=size, status=status, **facts)


def _throughput(run: Run) -> float | None:
    from pytest_weekops.core.recorded.campaign import THROUGHPUT

    number = as_finite(run.metrics.get(THROUGHPUT))
    return number if number is not None and number > 0 else None
