"""Pinned baselines held against the ledger: entered when they are pinned, believed only as they were entered.

A baseline's own hash tells a damaged file and no forger: who edits the file can hash it anew. The ledger's chain
holds the hash of each pin. What was pinned before pins were entered is used with a note, and can be entered.
"""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.errors import InputError
from pytest_weekops.core.week.entry import PIN, Entry, run_entries
from pytest_weekops.core.week.pins import Device, Pin, had_baseline, pin_of, pins_of
from pytest_weekops.evidence.baselines import (
    baseline_sha256,
    pinned_path,
    promoted_baselines,
    read_baseline,
    write_baseline,
)
from pytest_weekops.evidence.journal import JOURNAL_NAME, find_journal
from pytest_weekops.files.hashing import hash_file
from pytest_weekops.week.ledger import ledger_beside, open_ledger
from pytest_weekops.week.witnesses import read_uncontradicted

if TYPE_CHECKING:
    from pytest_weekops.core.judge.campaign import Baseline
    from pytest_weekops.core.measurement.records import DeviceIdentity

BASELINES = "baselines"


@dataclass(frozen=True)
class Pinned:
    """A baseline that may be used, and a note where the ledger does not vouch for it."""

    baseline: Baseline
    note: str = ""


# -- pinning -----------------------------------------------------------------------------------------------------


def pin_run(run_path: Path, report_dir: Path) -> list[Path]:
    """Judge a run again and pin it for each of its devices, in file and ledger; the files that were written.

    Raises ``InputError`` for a run that did not promote, whose journal is contradicted by its decision or the ledger,
    or where the ledger cannot take the pin: then the file before it is still there, or is refused by its hash.
    """
    run, journal = read_uncontradicted(run_path, report_dir), find_journal(run_path)
    identities = {(one.profile, one.hardware): one for one in run.identities.values()}
    written = []
    for baseline in promoted_baselines(run, journal):
        _enter(report_dir, baseline, identities[baseline.profile, baseline.hardware])
        written.append(pinned_path(report_dir / BASELINES, baseline.profile, baseline.hardware))
    return written


def _enter(report_dir: Path, baseline: Baseline, identity: DeviceIdentity) -> None:
    """Write the file while the record waits for its commit: without the one the other is not kept."""

    def write(_entry: Entry) -> None:
        write_baseline(baseline, report_dir / BASELINES)

    body = _body(baseline, baseline_sha256(baseline), identity)
    open_ledger(report_dir).append(PIN, _key(baseline), body, before_commit=write)


def _key(baseline: Baseline) -> str:
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    return f"{pinned_path(Path(), baseline.profile, baseline.hardware).stem} {moment}"


def _body(baseline: Baseline, sha256: str, identity: DeviceIdentity | None, **more: Any) -> dict[str, Any]:
    """What the ledger keeps of a pin: who pinned which run for which device and driver, and the baseline's hash."""
    driver = (
        {} if identity is None else identity.model_dump(include={"device_name", "driver_version", "library_sha256"})
    )
    return {
        "profile": baseline.profile,
        "hardware": baseline.hardware,
        "run_id": baseline.run_id,
        "source_sha256": baseline.source_sha256,
        "baseline_sha256": sha256,
        "by": _who(),
        **driver,
        **more,
    }


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user has no name
        user = f"uid {os.getuid()}"
    return f"{user}@{platform.node()}"


# -- using -------------------------------------------------------------------------------------------------------


def pinned_baseline(report_dir: Path, identity: DeviceIdentity) -> Pinned | None:
    """The baseline pinned for a device here, None where none lies there. Raises ``InputError`` where it was altered."""
    path = pinned_path(report_dir / BASELINES, identity.profile, identity.hardware)
    if not path.exists():
        return None
    baseline, sha256 = read_baseline(path)
    pin = pin_of(_pins(report_dir), _device(identity))
    if pin is None:
        return Pinned(baseline, _unknown(path, baseline))
    _refuse_other(path, sha256, [pin])
    return Pinned(baseline)


def named_baseline(path: Path, report_dir: Path) -> Pinned:
    """A baseline named by its file, held against the ledger of this report directory and of its own.

    An older pin may be named; what neither ledger holds, while one of them has pins of its device, is refused.
    """
    baseline, sha256 = read_baseline(path)
    device = Device(baseline.profile, baseline.hardware)
    places = dict.fromkeys(place.resolve() for place in (report_dir, path.absolute().parent.parent))
    pins = [pin for place in places for pin in pins_of(ledger_beside(place).entries()) if pin.device.is_same(device)]
    if not pins:
        return Pinned(baseline, _unknown(path, baseline))
    _refuse_other(path, sha256, pins)
    last = pin_of(_pins(report_dir), device)
    if last is None or last.sha256 == sha256:
        return Pinned(baseline)
    words = (
        f"--baseline names the pin of run {baseline.run_id}: speed is not held against that of run {last.run_id}, "
        f"which was pinned last (record {last.seq} of the ledger)."
    )
    return Pinned(baseline, words)


def _pins(report_dir: Path) -> tuple[Pin, ...]:
    return pins_of(open_ledger(report_dir).entries())


def _device(identity: DeviceIdentity) -> Device:
    return Device(identity.profile, identity.hardware, identity.device_name, identity.library_sha256)


def _unknown(path: Path, baseline: Baseline) -> str:
    return (
        f"Baseline {path.name} (run {baseline.run_id}) is not in the ledger, so nothing vouches for its figures. Enter "
        "it by pinning its run again, or with `weekops baseline pin --again`."
    )


def _refuse_other(path: Path, sha256: str, pins: Sequence[Pin]) -> None:
    if all(pin.sha256 != sha256 for pin in pins):
        last = pins[-1]
        raise InputError(
            f"Baseline {path} is not what was pinned: its SHA-256 is {sha256[:16]}..., and record {last.seq} of the "
            f"ledger has {last.sha256[:16]}... for run {last.run_id}. Floors taken from it would be somebody's edit. "
            "Restore the file from a copy, or pin the run again: weekops baseline pin RUN."
        )


def missing_baseline(report_dir: Path, identity: DeviceIdentity) -> Pin | None:
    """The baseline that a device has had, by the ledger of this report directory; None where it never had one."""
    return had_baseline(open_ledger(report_dir).entries(), _device(identity))


def changed_baselines(report_dir: Path, entries: Sequence[Entry]) -> list[str]:
    """Sentences for pinned baselines whose files are not what was pinned; one that is not there proves nothing."""
    found, pins = [], pins_of(entries)
    for pin in dict.fromkeys(pin_of(pins, each.device) for each in pins):
        if pin is None:
            continue
        path = pinned_path(report_dir / BASELINES, pin.device.profile, pin.device.hardware)
        try:
            if path.exists():
                _refuse_other(path, read_baseline(path)[1], [pin])
        except InputError as error:
            found.append(str(error))
    return found


# -- what was pinned before pins were entered --------------------------------------------------------------------


def enter_older(report_dir: Path) -> Iterator[str]:
    """Enter every pinned baseline that the ledger lacks, and say of each what vouches for it.

    Raises ``InputError`` for one that is not what was pinned, or not what its run reached.
    """
    for path in sorted((report_dir / BASELINES).glob("*.json")):
        baseline, sha256 = read_baseline(path)
        if path != pinned_path(report_dir / BASELINES, baseline.profile, baseline.hardware):
            yield f"{path.name} has not the name of its device, so no run uses it: left out"
            continue
        pin = pin_of(_pins(report_dir), Device(baseline.profile, baseline.hardware))
        if pin is not None:
            _refuse_other(path, sha256, [pin])
            yield f"{path.name} is in the ledger already (record {pin.seq})"
            continue
        proof, identity = _proof(report_dir, path, baseline)
        entry = open_ledger(report_dir).append(PIN, _key(baseline), _body(baseline, sha256, identity, proof=proof))
        yield f"{path.name} is entered as record {entry.seq}: {proof}"


def _proof(report_dir: Path, path: Path, baseline: Baseline) -> tuple[str, DeviceIdentity | None]:
    """What vouches for an older baseline: its run's journal, the ledger's record of it, or its own hash alone."""
    record = next((r for r in run_entries(open_ledger(report_dir).entries()) if r.run_id == baseline.run_id), None)
    if record is not None and not record.is_promote:
        raise _no_pin(path, f"record {record.seq} of the ledger has its run {baseline.run_id} as {record.decision}")
    hashes = [str(a.get("sha256")) for a in record.artifacts if a.get("path") == JOURNAL_NAME] if record else []
    if hashes and hashes != [baseline.source_sha256]:
        raise _no_pin(path, f"it names another journal of run {baseline.run_id} than the ledger")
    run_dir = (record.run_dir if record else "") or baseline.run_id
    journal = report_dir / Path(run_dir).name / JOURNAL_NAME
    if not journal.is_file() or hash_file(journal) != baseline.source_sha256:
        known = (
            "the ledger has its run, whose journal is gone" if hashes else "neither its run nor a record of it is here"
        )
        return f"{known}; its figures are taken as they are", None
    run = read_uncontradicted(journal, report_dir)
    reached: Mapping[str, Baseline] = {one.profile: one for one in promoted_baselines(run, journal)}
    if reached.get(baseline.profile) != baseline:
        raise _no_pin(path, f"its figures are not those that run {baseline.run_id} reached")
    identity = next(one for one in run.identities.values() if one.profile == baseline.profile)
    return "its figures are those of its run's journal", identity


def _no_pin(path: Path, problem: str) -> InputError:
    return InputError(
        f"Baseline {path} was altered since it was pinned: {problem}. Entering it would make that the norm. Pin the "
        "run again: weekops baseline pin RUN."
    )
