"""Which devices the ledger knows to have had a baseline, under which labels, on how many CPUs."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.week.entry import PIN
from pytest_weekops.core.week.pins import Device, had_baseline, pin_of, pins_of
from tests.support.entries import Part, numbered, promote

LIBRARY = "ab" * 32
MINE = Device("pocl", "AMD EPYC x 2", "pthread-AMD EPYC", LIBRARY)


def pinned(run_id: str, device: Device = MINE, **facts: Any) -> Part:
    """A pin of this device."""
    body = {
        "profile": device.profile,
        "hardware": device.hardware,
        "device_name": device.device_name,
        "library_sha256": device.library,
        "run_id": run_id,
        "baseline_sha256": f"hash of {run_id}",
        **facts,
    }
    return PIN, run_id, body


def _changed(**facts: str) -> Device:
    return Device(**{**vars(MINE), **facts})


@pytest.mark.parametrize(
    ("device", "known"),
    [
        (MINE, True),
        (_changed(hardware="AMD EPYC x 1"), True),
        (_changed(hardware="AMD EPYC x 16", library="cd" * 32), True),
        (_changed(profile="pocl@/etc/OpenCL/vendors/pocl.icd"), True),
        (_changed(profile="other", hardware="AMD EPYC x 1"), True),
        (_changed(library="cd" * 32), True),
        (_changed(profile="other", library="cd" * 32), False),
        (_changed(profile="other", library=""), False),
        (_changed(profile="other", device_name="basic-AMD EPYC"), False),
        (_changed(hardware="Intel Xeon x 2"), False),
        (_changed(hardware="AMD EPYC"), True),
        (_changed(hardware="AMD EPYC 2 x 2"), False),
    ],
)
def test_a_device_is_known_by_silicon_and_driver(device: Device, known: bool) -> None:
    """Another label and another number of CPUs hide nothing; another driver or other silicon never had a baseline."""
    assert (had_baseline(numbered(pinned("run-1")), device) is not None) == known


def test_a_run_that_was_held_against_one_tells_of_it() -> None:
    """Baselines that were pinned before pins were entered; the driver's library is known by its first digits."""
    facts: dict[str, Any] = {"hardware": {"pocl": "AMD EPYC x 2"}, "drivers": {"pocl": f"3.1 {LIBRARY[:16]}"}}
    held = promote("replay", baselines={"pocl": {"run_id": "older", "rows": {}}}, **facts)
    entries = numbered(promote("first", **facts), held)
    for device in (MINE, _changed(profile="other"), _changed(hardware="AMD EPYC x 1")):
        pin = had_baseline(entries, device)
        assert pin is not None
        assert (pin.seq, pin.run_id, pin.sha256) == (2, "older", "")
    assert had_baseline(entries[:1], MINE) is None
    assert had_baseline(entries, _changed(profile="other", library="cd" * 32)) is None


def test_the_last_pin_of_a_device_is_in_force() -> None:
    """Its own comes before a later one of the same driver with other CPUs."""
    wider = _changed(hardware="AMD EPYC x 4")
    entries = numbered(pinned("run-1"), pinned("run-2"), pinned("run-3", wider))
    pin = pin_of(pins_of(entries), MINE)
    assert pin is not None
    assert (pin.run_id, pin.sha256, pin.seq) == ("run-2", "hash of run-2", 2)
    assert had_baseline(entries, MINE) == pin
    assert getattr(had_baseline(entries, wider), "run_id", "") == "run-3"
    assert pin_of(pins_of(entries), _changed(hardware="AMD EPYC x 1")) is None
