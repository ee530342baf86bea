"""Fault campaigns on disk: written by ``weekops inject``, taken along by runs whose policy asks for a recall."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.guard.injection import InjectionRecord
from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.guard.settings import GuardSettings
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.files.atomic import write_atomic

DIRECTORY = "injections"


def write_injection(report_dir: Path, record: InjectionRecord) -> Path:
    """Keep a campaign; a later one of the same driver, hardware, size and guard, or workload, takes its place."""
    guard = record.result.guard
    other = hashlib.sha256(guard.model_dump_json().encode()).hexdigest()[:8] if guard != GuardSettings() else ""
    silicon = re.sub(r"[^A-Za-z0-9]+", "-", record.hardware)[:60]
    workload = f"-{record.result.variant}" if record.result.variant in GUARDED else ""
    of = f"{record.library_sha256[:16] or 'unknown'}-{silicon}-{record.result.size}"
    name = f"{of}{workload}{other and '-' + other}.json"
    path = report_dir / DIRECTORY / name
    write_atomic(path, record.model_dump_json(indent=2) + "\n")
    return path


def find_injections(report_dir: Path, identities: Iterable[DeviceIdentity]) -> Iterator[InjectionRecord]:
    """Campaigns of these drivers on this hardware. Raises ``InputError`` for a file that cannot be read."""
    wanted = {(identity.library_sha256, identity.hardware) for identity in identities}
    for path in sorted((report_dir / DIRECTORY).glob("*.json")):
        try:
            record = InjectionRecord.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"Fault campaign {path} cannot be read: {str(error).splitlines()[0]}. It may be the evidence that the "
                "policy asks for. Remove it and run `weekops inject` again."
            ) from error
        if (record.library_sha256, record.hardware) in wanted:
            yield record
