"""Results belong to one driver: another file, device or variable, and they are of another."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_weekops.core.conformance.tie import not_of, not_opened_as
from pytest_weekops.core.measurement.driver_files import DriverFile
from pytest_weekops.core.measurement.records import HostKernel
from tests.support.conformance import files_of, results
from tests.support.synthetic import make_identity

FILES = files_of("pocl")
MORE = (*FILES, DriverFile(path="/usr/lib/libclc.bc", sha256="b" * 64))
DEVICE = make_identity("pocl")


def test_results_are_of_the_driver_whose_files_answered() -> None:
    """The same files elsewhere are the same driver, and one that loaded more since then is too."""
    moved = tuple(file.model_copy(update={"path": file.path.replace("/usr", "/opt")}) for file in MORE)
    assert not_of(results(), DEVICE, moved) == ""
    assert not_opened_as(results(files=MORE), DEVICE, FILES) == ""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"library_sha256": "1" * 64}, "library 000000000000 is not 111111111111"),
        ({"library_sha256": ""}, "library 000000000000 is not (unknown)"),
        ({"driver_version": "2"}, "driver version 1 is not 2"),
        ({"device_name": "another"}, "device pocl device is not another"),
        ({"hardware": ""}, "hardware a processor x 2 is not none"),
        ({"environment": {"POCL_MAX": "1"}}, "the driver's environment variables are others"),
    ],
)
def test_another_driver_is_told(facts: dict[str, Any], words: str) -> None:
    """Each fact that tells two drivers apart, and how a worker is led there does not."""
    assert not_of(results(), DEVICE.model_copy(update=facts), FILES) == words
    led = DEVICE.model_copy(update={"environment": {"OCL_ICD_VENDORS": "elsewhere"}})
    assert not_of(results(), led, FILES) == ""


def test_a_driver_that_was_updated_is_another() -> None:
    """One file replaced below the same library, or one that is there no more, or cannot be read, and it is not it."""
    updated = (FILES[0], FILES[1].model_copy(update={"sha256": "c" * 64}))
    assert not_of(results(), DEVICE, updated) == "libLLVM.so aaaaaaaaaaaa is not among the driver's files"
    assert not_of(results(), DEVICE, FILES[:1])
    assert not_opened_as(results(), DEVICE, MORE) == "libclc.bc bbbbbbbbbbbb is not among the files of these results"
    unread = (FILES[0], FILES[1].model_copy(update={"sha256": ""}))
    assert "(unknown)" in not_of(results(files=unread), DEVICE, unread)


def test_nobodys_results_are_of_no_driver() -> None:
    """Without an identity or a listing nothing is tied."""
    assert "did not answer" in not_of(results(), None, FILES)
    assert not_of(results(files=()), DEVICE, FILES) == "no listing of the driver's files"
    assert not_of(results(), DEVICE, ())


def test_another_kernel_driver_is_another_driver() -> None:
    """Of a GPU the kernel's part counts; where nobody looked, nothing is said."""
    old, new = (HostKernel(release="6.1", drivers={"amdgpu": version}) for version in ("1", "2"))
    mine = results(identity=DEVICE.model_copy(update={"kernel": old}))
    assert not_of(mine, DEVICE.model_copy(update={"kernel": new}), FILES) == (
        "the kernel's driver of the device is another"
    )
    assert not_of(mine, DEVICE.model_copy(update={"kernel": old}), FILES) == ""
    assert not_of(mine, DEVICE, FILES) == ""
