"""Which device is which class, and what ``auto`` takes on it."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.catalog import device_class
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.selector import auto_variants, choose_variant, usable, worth_trying
from tests.core.selection.test_tuning_space import ENTRIES
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
    ],
)
def test_other_classes(platform: str, name: str, kind: str, expected: str) -> None:
    """A newer Radeon is no Polaris, and Clover on a GPU is that GPU."""
    assert device_class(device(platform, name, kind, driver_version="3.1")) == expected


RX590 = device("rusticl", "AMD Radeon RX 590 (radeonsi, polaris10)")
RTX = device("NVIDIA CUDA", "NVIDIA GeForce RTX 4090")


def test_polaris_takes_the_tile_that_fits_the_edge() -> None:
    """1400 is 70 tiles of 20; at 2048 neither fits and the larger is taken."""
    assert choose_variant("auto", RX590, 1400, 1400, 1400, ENTRIES).mode == "tile20"
    assert choose_variant("auto", RX590, 2048, 2048, 2048, ENTRIES).mode == "tile24"


def test_a_gpu_takes_large_tiles_where_there_are_enough_of_them() -> None:
    """Register blocks on tiles of 64 x 128, and smaller tiles where those would leave most of the device idle."""
    assert choose_variant("auto", RTX, 1400, 1400, 1400, ENTRIES).mode == "regtile"
    assert choose_variant("auto", RTX, 1400, 256, 1400, ENTRIES).mode == "tile24"
    narrow = RTX.model_copy(update={"max_work_group_size": 128})
    assert choose_variant("auto", narrow, 1400, 1400, 1400, ENTRIES).mode == "lanes"


def test_selection_meets_what_was_made_for_the_device() -> None:
    """Packed panels are for a CPU's caches, tiles of register blocks for a GPU; the others are tried on either."""
    cpu = make_identity("pocl")
    assert {mode for mode, entry in ENTRIES.items() if not worth_trying(entry, cpu)} == {"regtile"}
    assert {mode for mode, entry in ENTRIES.items() if not worth_trying(entry, RTX)} == {"block", "packed"}
    assert not usable(ENTRIES["regtile"], cpu)


def test_a_gpu_without_local_memory_never_gets_one_item_per_group() -> None:
    """Lanes, and scalar where even they do not fit."""
    bare = RTX.model_copy(update={"local_mem_bytes": 0})
    assert choose_variant("auto", bare, 1400, 1400, 1400, ENTRIES).mode == "lanes"
    tiny = bare.model_copy(update={"max_work_group_size": 16})
    assert "32 work-items" in usable(ENTRIES["lanes"], tiny)
    assert choose_variant("auto", tiny, 1400, 1400, 1400, ENTRIES).mode == "scalar"


@pytest.mark.parametrize("where", [RX590, RTX, make_identity("pocl"), device("rusticl", "llvmpipe", "cpu")])
@pytest.mark.parametrize("edge", [1, 60, 95, 96, 100, 1400, 2048])
def test_auto_takes_none_but_its_variants(where: DeviceIdentity, edge: int) -> None:
    """What is tuned by default is all that a run may take."""
    assert choose_variant("auto", where, edge, edge, edge, ENTRIES).mode in auto_variants(where, ENTRIES)
