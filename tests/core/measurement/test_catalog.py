"""The kernel catalogue: entries that contradict themselves are refused, and a device's class picks the quirks."""

from __future__ import annotations

import pytest

from pytest_weekops.core.errors import PolicyError
from pytest_weekops.core.measurement.catalog import device_class, parse_catalog
from pytest_weekops.core.measurement.records import DeviceIdentity
from tests.support.synthetic import make_identity


def device(platform: str, name: str, kind: str = "gpu", **changes: object) -> DeviceIdentity:
    """A device by its names."""
    facts = {"platform_name": platform, "device_name": name, "device_type": kind, **changes}
    return make_identity("any").model_copy(update=facts)


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("AMD Accelerated Parallel Processing", "Ellesmere"),
        ("AMD Accelerated Parallel Processing", "gfx803"),
        ("rusticl", "AMD Radeon RX 590 Series (radeonsi, polaris10, LLVM 15.0.7, DRM 3.49, 6.1.0)"),
        ("rusticl", "Radeon RX 590 GME (radeonsi, ACO)"),
        ("Clover", "AMD Radeon RX 580 Series (polaris10, LLVM 15.0.6, DRM 3.49, 6.1.0-10-amd64)"),
        ("Clover", "Radeon RX 560 Series (POLARIS11 / DRM 3.27.0 / 4.19.0)"),
        ("AMD Accelerated Parallel Processing", "Radeon(TM) RX 480 Graphics"),
    ],
)
def test_polaris_by_its_names(platform: str, name: str) -> None:
    """As its drivers call it."""
    assert device_class(device(platform, name)) == "polaris"


@pytest.mark.parametrize(
    ("platform", "name", "kind", "expected"),
    [
        ("NVIDIA CUDA", "NVIDIA GeForce RTX 4090", "gpu", "gpu"),
        ("rusticl", "AMD Radeon RX 6500 XT (radeonsi, navi24)", "gpu", "gpu"),
        ("rusticl", "AMD Radeon RX 5700 (radeonsi, navi10)", "gpu", "gpu"),
        ("Clover", "AMD Radeon R9 290 (hawaii)", "gpu", "gpu"),
        ("Clover", "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu", "clover"),
        ("rusticl", "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu", "llvmpipe"),
        ("Portable Computing Language", "pthread-skylake-avx512", "cpu", "avx512"),
        ("Portable Computing Language", "pthread-penryn", "cpu", "baseline-x86"),
        ("Clover", "softpipe", "cpu", "clover"),
        ("Portable Computing Language", "pthread-haswell", "cpu", "cpu"),
    ],
)
def test_other_classes(platform: str, name: str, kind: str, expected: str) -> None:
    """A newer Radeon is no Polaris, and Clover on a GPU is that GPU."""
    assert device_class(device(platform, name, kind, driver_version="3.1")) == expected


@pytest.mark.parametrize(("floats", "expected"), [(16, "avx512-intel"), (8, "cpu"), (0, "cpu")])
def test_intels_runtime_tells_by_its_width(floats: int, expected: str) -> None:
    """It names the processor, not what it compiles for."""
    found = device("Intel(R) OpenCL", "AMD EPYC 9V74 80-Core Processor", "cpu", native_vector_floats=floats)
    assert device_class(found) == expected


@pytest.mark.parametrize(("driver", "expected"), [("3.0", "cpu"), ("1.8", "cpu"), ("3.1", "avx512"), ("6.0", "avx512")])
def test_an_old_pocl_gets_the_narrower_block(driver: str, expected: str) -> None:
    """Up to 3.0 it aborts on some code of 16 floats."""
    found = device("Portable Computing Language", "pthread-skylake-avx512", "cpu", driver_version=driver)
    assert device_class(found) == expected


ENTRIES = [
    ("operation: saxpy, layout: own", "operation_file"),
    ("operation: gemm, operation_file: gemm.py, layout: own", "shipped operation"),
    ("operation: mine, operation_file: mine.py, layout: vector", "layout own"),
    ("operation: triad, layout: elementwise", "layout vector"),
    ("operation: gemm, layout: own", "layout one of GEMM"),
    ("operation: gemm, layout: steps", "layout one of GEMM"),
    ("operation: scan, layout: vector", "layout steps"),
    ("operation: scan, layout: elementwise", "layout steps"),
    ("operation: triad, layout: steps", "layout vector"),
    ("operation: mine, operation_file: ../mine.py, layout: own", "operation_file"),
    ("mode: auto, layout: block", "the selector's"),
    ("mode: autopack, layout: block", "the selector's"),
]


@pytest.mark.parametrize(("words", "said"), ENTRIES, ids=[words for words, _said in ENTRIES])
def test_an_entry_that_contradicts_itself_is_refused(words: str, said: str) -> None:
    """Operation, file and layout must fit each other."""
    entry: dict[str, str] = dict(pair.split(": ") for pair in words.split(", "))
    with pytest.raises(PolicyError, match=said):
        parse_catalog({"version": 1, "kernels": {"k": {"mode": "k", "file": "k.cl", **entry}}}, "catalog.yaml")
