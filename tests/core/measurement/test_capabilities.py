"""What a device can do, what it lost, and which losses are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.capabilities import (
    NEEDED_BY,
    capabilities_of,
    lost,
    parse_known_losses,
)
from pytest_weekops.core.measurement.catalog import CAPABILITIES, DOUBLES
from pytest_weekops.core.measurement.needs import SPOILT, needs_of
from pytest_weekops.files.catalog import kernel_entries
from pytest_weekops.files.expectations import load_expectations, load_known_losses, load_known_tests
from pytest_weekops.files.shipped import data_dir
from tests.support.synthetic import make_identity

IMAGES, SVM = CAPABILITIES["images"], CAPABILITIES["svm"]
ENTRY = {
    "driver": {"profile": "pocl", "driver_version": "1"},
    "capability": IMAGES,
    "reason": "built without them",
    "owner": "compute team",
    "expires": "2026-12-31",
}
ABLE = make_identity("pocl").model_copy(update={"capabilities": (SVM, IMAGES), "has_fp64": True})


def test_what_is_lost_is_named_in_one_order() -> None:
    """Doubles count by the name of their extension, whichever of the two ways a record has to say so."""
    less = ABLE.model_copy(update={"capabilities": (SVM,), "has_fp64": False})
    assert lost(ABLE, less) == (IMAGES, DOUBLES)
    assert lost(ABLE, less.model_copy(update={"capabilities": (SVM, DOUBLES)})) == (IMAGES,)
    assert lost(less, ABLE) == lost(ABLE, ABLE) == ()
    assert capabilities_of(ABLE) == {SVM, IMAGES, DOUBLES}


def test_what_a_driver_is_known_to_abort_on_it_does_not_have() -> None:
    """Whatever it says: nothing is lost where it goes, and where it was usable before it is."""
    broken = ABLE.model_copy(update={"quirks": ("aborts-on-images",)})
    none = ABLE.model_copy(update={"capabilities": (SVM,)})
    assert (lost(broken, none), lost(ABLE, broken)) == ((), (IMAGES,))


def test_a_record_from_before_they_were_kept_tells_of_none() -> None:
    """Not even of doubles: what it says of them alone would make every other loss invisible."""
    old = make_identity("pocl").model_copy(update={"has_fp64": True})
    assert capabilities_of(old) == frozenset()
    assert lost(old, make_identity("pocl")) == ()


def test_what_needs_a_capability_is_what_the_catalogue_says() -> None:
    """Both ways: no shipped kernel needs what the table does not have, and every quirk has its words."""
    entries = kernel_entries([str(data_dir("kernels"))])
    needs = [needs_of(name, entry.needs) for name, entry in entries.items()]
    found = {
        name: tuple(each.kernel for each in needs if name in each.capabilities)
        for name in (*CAPABILITIES.values(), DOUBLES)
    }
    assert found == NEEDED_BY
    assert {quirk for each in needs for quirk in each.spoilt_by} == set(SPOILT)
    gemms = {name for name, entry in entries.items() if entry.operation == "gemm"}
    assert gemms.isdisjoint(each.kernel for each in needs if each.is_needy)


def test_a_known_loss_has_a_driver_a_reason_an_owner_and_a_last_day() -> None:
    """And says them in one line."""
    (loss,) = parse_known_losses([ENTRY], "file")
    assert loss.words == "expected until 2026-12-31 (built without them; compute team)"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expires": "soon"}, "must be a day"),
        ({"reason": " "}, "must say something"),
        ({"capability": "a b"}, "capability"),
        ({"driver": {"profile": "pocl"}}, "driver_version or library_sha256"),
        ({"kind": "wrong"}, "Extra inputs"),
    ],
)
def test_an_entry_that_is_not_understood_is_refused(change: dict[str, Any], says: str) -> None:
    """With the file, the key and what it could do."""
    with pytest.raises(PolicyError, match=says) as refused:
        parse_known_losses([{**ENTRY, **change}], "file")
    assert "could excuse another loss" in str(refused.value)


def test_a_loss_stands_there_once() -> None:
    """Two entries could have two last days."""
    with pytest.raises(PolicyError, match="it is lost once"):
        parse_known_losses([ENTRY, ENTRY], "file")


def test_one_file_holds_all_that_is_known(tmp_path: Path) -> None:
    """Each reader takes its own part, and refuses what is wrong in the others'."""
    path = tmp_path / "known.yaml"
    part = (
        "capabilities:\n  - {driver: {profile: pocl, driver_version: '1'}, capability: "
        f"{IMAGES}, reason: none, owner: me, expires: 2026-12-31}}\n"
    )
    path.write_text(f"version: 1\nexpectations: []\n{part}", encoding="utf-8")
    assert [one.capability for one in load_known_losses(path)] == [IMAGES]
    assert load_expectations(path)[0] == ()
    assert load_known_tests(path) == ()
    assert load_known_losses() == ()
    path.write_text(path.read_text(encoding="utf-8").replace("owner: me", "owner: ''"), encoding="utf-8")
    for read in (load_expectations, load_known_tests, load_known_losses):
        with pytest.raises(PolicyError, match="capabilities"):
            read(path)
