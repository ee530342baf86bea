"""Files of known faults: what is understood whole, and what could excuse another fault and is refused."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.expectation import parse_expectations
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Case, GateFault, Measurement, MeasurementStatus, Phase
from tests.support.synthetic import make_identity

ENTRY: dict[str, Any] = {
    "driver": {"profile": "pocl", "driver_version": "1"},
    "case": "auto:128",
    "kind": "crashed",
    "phase": "launch",
    "reason": "a known bug",
    "owner": "us",
    "expires": "2026-12-31",
}


def parsed(*entries: dict[str, Any], **document: Any) -> Any:
    """The entries of a file with these."""
    return parse_expectations({"version": 1, "expectations": list(entries), **document}, "known.yaml").expectations


def test_a_day_is_a_day_however_yaml_reads_it() -> None:
    """Quoted or not; and the whole survives the journal."""
    (one,) = parsed(ENTRY)
    (other,) = parsed(ENTRY | {"expires": date(2026, 12, 31)})
    assert one == other
    plan = CampaignPlan(kind="weekly", platforms=("pocl",), kernels=("auto",), sizes=(1,), seeds=(1,), expected=(one,))
    assert CampaignPlan.model_validate(plan.model_dump(mode="json")) == plan
    assert one.words == "crashed in launch, expected until 2026-12-31 (a known bug; us)"
    assert parsed(ENTRY | {"kind": "wrong", "phase": None})[0].fault == "wrong"
    assert parse_expectations({"version": 1}, "known.yaml").expectations == ()


REFUSED: dict[str, dict[str, Any]] = {
    "no driver": {"driver": {"profile": "pocl"}},
    "an empty version": {"driver": {"profile": "pocl", "driver_version": ""}},
    "a version that is a number": {"driver": {"profile": "pocl", "driver_version": 1.0}},
    "half a hash": {"driver": {"profile": "pocl", "library_sha256": "0" * 16}},
    "any size": {"case": "auto"},
    "a pattern": {"case": "auto:*"},
    "no size": {"case": "auto:0"},
    "two cells": {"case": "auto:128 auto:256"},
    "an unknown kind": {"kind": "lost"},
    "all kinds": {"kind": "skipped"},
    "a hang somewhere": {"kind": "hung", "phase": None},
    "a crash somewhere": {"phase": None},
    "no such phase": {"phase": "compile"},
    "no reason": {"reason": " "},
    "nobody": {"owner": ""},
    "two lines": {"reason": "a\nb"},
    "too long": {"reason": "x" * 301},
    "no day": {"expires": "2026-02-30"},
    "a moment": {"expires": datetime(2026, 12, 31)},  # noqa: DTZ001 - what YAML makes of one
    "NaN": {"expires": math.nan},
    "seconds": {"expires": 1_800_000_000},
    "never": {"expires": None},
    "another spelling": {"expires": "31.12.2026"},
    "an unknown key": {"signal": "SIGSEGV"},
    "an unknown gate": {"gate": "smoke", "case": "packed"},
    "a cell in a gate": {"gate": "odd-shapes"},
    "half a shape": {"gate": "odd-shapes", "case": "packed@5x3"},
    "every kernel": {"gate": "any-shape", "case": ""},
    "a gate's problem without its gate": {"case": "packed@5x3x1"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_by_its_key(name: str) -> None:
    """With the file and the place in it."""
    with pytest.raises(PolicyError, match="could excuse another fault") as caught:
        parsed(ENTRY | REFUSED[name])
    assert str(caught.value).startswith("Expectations known.yaml: expectations.0")
    assert caught.value.path == "known.yaml"


def test_a_cell_has_one_fault() -> None:
    """Two entries would excuse either; the same cell of another driver is another one."""
    other = ENTRY | {"driver": {"profile": "pocl", "driver_version": "2"}}
    assert len(parsed(ENTRY, other)) == 2
    with pytest.raises(PolicyError, match="pocl auto:128 stands there twice"):
        parsed(ENTRY, ENTRY | {"kind": "wrong"})
    with pytest.raises(PolicyError, match="version"):
        parsed(version=2)
    with pytest.raises(PolicyError, match="at most 200"):
        parsed(*(ENTRY | {"case": f"auto:{size}"} for size in range(1, 202)))


CRASHED = Measurement(
    case=Case(platform="pocl", kernel="auto", size=128, seed=11, snapshot=1),
    status=MeasurementStatus.CRASHED,
    phase=Phase.LAUNCH,
    identity=make_identity("pocl"),
)


@pytest.mark.parametrize(
    "change",
    [
        {"status": MeasurementStatus.HUNG},
        {"phase": Phase.BUILD},
        {"phase": None},
        {"void": True},
        {"flaky": True},
        {"identity": None},
        {"identity": make_identity("rusticl")},
        {"identity": make_identity("pocl").model_copy(update={"driver_version": "2"})},
        {"case": CRASHED.case.model_copy(update={"size": 256})},
        {"case": CRASHED.case.model_copy(update={"kernel": "packed"})},
    ],
)
def test_only_that_fault_is_meant(change: dict[str, Any]) -> None:
    """Of that cell on that driver, in that phase, and steadily."""
    (one,) = parsed(ENTRY)
    assert one.is_of(CRASHED)
    assert not one.is_of(CRASHED.model_copy(update=change))


def test_a_hash_names_the_driver_too() -> None:
    """Alone, or beside the version; then both have to be."""
    whole = {"profile": "pocl", "library_sha256": "0" * 64}
    assert parsed(ENTRY | {"driver": whole})[0].is_of(CRASHED)
    assert not parsed(ENTRY | {"driver": whole | {"library_sha256": "1" * 64}})[0].is_of(CRASHED)
    assert not parsed(ENTRY | {"driver": whole | {"driver_version": "2"}})[0].is_of(CRASHED)


def test_a_gates_problem_is_not_a_cell() -> None:
    """A kernel and a shape of it in one gate, each once; of a measured cell such an entry never speaks."""
    gate = {"gate": "odd-shapes", "kind": "wrong", "phase": None}
    kernel, shape, other = parsed(
        ENTRY | gate | {"case": "packed"},
        ENTRY | gate | {"case": "packed@5x3x1"},
        ENTRY | gate | {"case": "packed", "gate": "any-shape"},
    )
    assert [one.covers("packed@5x3x1") for one in (kernel, shape, other)] == [True] * 3
    assert [one.covers("packed@5x3x17") for one in (kernel, shape, other)] == [True, False, True]
    assert not kernel.covers("packed2@5x3x1")
    assert not parsed(ENTRY)[0].covers("auto:128")
    fault = GateFault(kernel="packed", shape="5x3x1", kind=MeasurementStatus.WRONG, phase=Phase.VERIFY)
    assert kernel.is_of_gate(fault)
    assert not kernel.is_of_gate(fault.model_copy(update={"besides": "flaky"}))
    assert not kernel.is_of(CRASHED.model_copy(update={"status": MeasurementStatus.WRONG}))
    with pytest.raises(PolicyError, match="stands there twice"):
        parsed(ENTRY | gate | {"case": "packed"}, ENTRY | gate | {"case": "packed", "kind": "build_failed"})
