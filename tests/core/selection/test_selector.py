"""What ``auto`` takes on a device, and which variants cannot run there."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.catalog import (
    ABORTS_ON_ATOMICS,
    ABORTS_ON_HALVES,
    ABORTS_ON_IMAGES,
    ABORTS_ON_POINTER_RESULTS,
    ABORTS_ON_SUB_RECTANGLES,
    ABORTS_ON_VECTOR_LOADS,
    CAPABILITIES,
    FAILS_IN_WIDE_VECTORS,
    FORGETS_ARGUMENTS,
    FUSES_NO_DOUBLES,
    WRONG_IN_MAD_SAT,
    WRONG_IN_STRICT_MATH,
    KernelEntry,
    Needs,
)
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.selector import aborts, auto_variants, choose_variant, usable, worth_trying
from tests.core.selection.test_tuning_space import ENTRIES
from tests.support.synthetic import make_identity


def device(platform: str, name: str, kind: str = "gpu", **changes: object) -> DeviceIdentity:
    """A device by its names."""
    facts = {"platform_name": platform, "device_name": name, "device_type": kind, **changes}
    return make_identity("any").model_copy(update=facts)


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
    gemm = {mode: entry for mode, entry in ENTRIES.items() if entry.operation == "gemm"}
    assert {mode for mode, entry in gemm.items() if not worth_trying(entry, cpu)} == {"regtile"}
    assert {mode for mode, entry in gemm.items() if not worth_trying(entry, RTX)} == {"block", "packed"}
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


def test_a_variant_by_name_is_taken_or_refused() -> None:
    """Nothing takes the place of what was asked for by name."""
    assert choose_variant("packed", RTX, 64, 64, 64, ENTRIES).mode == "packed"
    tiny = RTX.model_copy(update={"max_work_group_size": 16})
    with pytest.raises(ValueError, match="variant tile20 needs 100 work-items per group, the device allows 16"):
        choose_variant("tile20", tiny, 64, 64, 64, ENTRIES)
    with pytest.raises(KeyError):
        choose_variant("nobody", RTX, 64, 64, 64, ENTRIES)


def test_auto_takes_nothing_where_nothing_can_run() -> None:
    """It says so instead of launching what the device refuses."""
    only = {"tile20": ENTRIES["tile20"]}
    assert choose_variant("auto", RTX, 1400, 1400, 1400, only).mode == "tile20"
    for bare in (RTX.model_copy(update={"local_mem_bytes": 0}), make_identity("pocl")):
        with pytest.raises(ValueError, match="no variant of the catalogue can run"):
            choose_variant("auto", bare, 1400, 1400, 1400, only)


def test_double_precision_is_asked_for_where_it_is_needed() -> None:
    """A kernel in double precision does not run on a device without it."""
    entry = KernelEntry(mode="twice", file="twice.cl", layout="elementwise", needs=Needs(fp64=True))
    assert "cl_khr_fp64" in usable(entry, RTX.model_copy(update={"has_fp64": False}))
    assert usable(entry, RTX.model_copy(update={"has_fp64": True})) == ""


@pytest.mark.parametrize(
    ("need", "quirk", "why"),
    [
        ("atomics", ABORTS_ON_ATOMICS, "needs atomic operations, and this driver's compiler is known to abort on them"),
        (
            "pointer_results",
            ABORTS_ON_POINTER_RESULTS,
            "needs functions with a second result, and this driver's compiler is known to abort on them",
        ),
        ("halves", ABORTS_ON_HALVES, "needs halves in memory, and this driver's compiler is known to abort on them"),
        (
            "vector_loads",
            ABORTS_ON_VECTOR_LOADS,
            "needs vload and vstore, and this driver's compiler is known to abort on them",
        ),
        (
            "wide_vectors",
            FAILS_IN_WIDE_VECTORS,
            "needs vectors of 64 bytes, and this driver's version is known to fail over them",
        ),
        ("images", ABORTS_ON_IMAGES, "needs images, and this driver's compiler is known to abort on them"),
        (
            "sub_rectangles",
            ABORTS_ON_SUB_RECTANGLES,
            "needs rectangles of sub-buffers, and this driver's version is known to crash over them",
        ),
        (
            "waiting_arguments",
            FORGETS_ARGUMENTS,
            "needs the arguments that a waiting kernel was enqueued with, and this driver's version is known to take",
        ),
        ("mad_sat", WRONG_IN_MAD_SAT, "needs mad_sat of 32 bits, and this driver's version is known to be wrong in it"),
        (
            "fused_doubles",
            FUSES_NO_DOUBLES,
            "needs fma of doubles, and this driver's version is known to round twice in it",
        ),
        (
            "strict_math",
            WRONG_IN_STRICT_MATH,
            "needs math as strict as the text, and this driver's version is known to be wrong there",
        ),
    ],
)
def test_what_a_driver_is_known_for_is_never_asked(need: str, quirk: str, why: str) -> None:
    """A variant that needs it is refused in words there, and taken anywhere else."""
    entry = KernelEntry(mode="twice", file="twice.cl", layout="elementwise", needs=Needs.model_validate({need: True}))
    able = RTX.model_copy(update={"capabilities": tuple(CAPABILITIES.values())})
    known = able.model_copy(update={"quirks": (quirk,)})
    assert aborts(entry, known) == usable(entry, known)
    assert aborts(entry, known).startswith(why)
    assert aborts(entry, able) == usable(entry, able) == ""
    assert aborts(entry.model_copy(update={"needs": Needs()}), known) == ""


def test_what_a_device_lacks_is_not_applicable_there() -> None:
    """By OpenCL's name for it, all that are missing."""
    entry = KernelEntry(mode="twice", file="twice.cl", layout="elementwise", needs=Needs(fill=True, svm=True))
    has = RTX.model_copy(update={"capabilities": ("clEnqueueFillBuffer",)})
    assert usable(entry, has) == "is not applicable: the device has no CL_DEVICE_SVM_COARSE_GRAIN_BUFFER"
    bare = "is not applicable: the device has no clEnqueueFillBuffer, no CL_DEVICE_SVM_COARSE_GRAIN_BUFFER"
    assert aborts(entry, RTX) == bare
    both = RTX.model_copy(update={"capabilities": ("clEnqueueFillBuffer", "CL_DEVICE_SVM_COARSE_GRAIN_BUFFER")})
    assert aborts(entry, both) == ""
