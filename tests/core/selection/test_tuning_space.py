"""The search space: every candidate is one that the kernels' headers allow, and no loop is cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_weekops.core.measurement.catalog import KernelEntry, device_class, parse_catalog
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.selection.tuning_space import (
    LOOP_LIMIT,
    SPACES,
    candidates,
    complete_defines,
    default_defines,
    loop_iterations,
    parameters,
    why_illegal,
)
from tests.support.examples import examples
from tests.support.synthetic import make_identity

MANY = settings(max_examples=examples(150), deadline=None)
CATALOG = Path(__file__).resolve().parents[3] / "kernels" / "catalog.yaml"
ENTRIES = {
    entry.mode: entry
    for entry in parse_catalog(yaml.safe_load(CATALOG.read_text(encoding="utf-8")), "catalog").kernels.values()
}
TUNABLE = sorted(mode for mode, entry in ENTRIES.items() if parameters(entry))
WORKLOADS = [mode for mode in TUNABLE if ENTRIES[mode].layout == "steps"]
GEMMS = [mode for mode in TUNABLE if mode not in WORKLOADS]


def device(**changes: Any) -> DeviceIdentity:
    """A device that differs in what is named."""
    return make_identity("pocl").model_copy(update=changes)


DEVICES = st.sampled_from(
    [
        device(platform_name="Portable Computing Language", device_name="pthread-skylake-avx512"),
        device(platform_name="Portable Computing Language", device_name="pthread-generic"),
        device(platform_name="rusticl", device_name="llvmpipe (LLVM 15)"),
        device(platform_name="Clover", device_name="llvmpipe (LLVM 15)", max_work_group_size=16),
        device(platform_name="rusticl", device_name="AMD Radeon RX 590 (radeonsi, polaris10)", device_type="gpu"),
        device(device_name="A small GPU", device_type="gpu", max_work_group_size=64, local_mem_bytes=3400),
    ]
)


@MANY
@given(st.sampled_from(TUNABLE), DEVICES, st.integers(1, 80), st.integers(1, 20_000), st.integers(0, 9))
def test_every_candidate_is_legal(mode: str, where: DeviceIdentity, count: int, k: int, seed: int) -> None:
    """Complete, within the header's values and constraints, none of them the default, none of them twice."""
    entry = ENTRIES[mode]
    found = candidates(entry, where, count=count, k=k, seed=seed)
    assert len(found) <= count
    assert len({tuple(candidate.items()) for candidate in found}) == len(found)
    assert default_defines(entry, where) not in found
    assert found == candidates(entry, where, count=count, k=k, seed=seed)
    for candidate in found:
        assert set(candidate) == {parameter.name for parameter in parameters(entry)}
        assert why_illegal(entry, candidate, where, k=k) == ""
        assert candidate.get("KC", 0) % 4 == 0
        assert candidate.get("LANES", 1) <= where.max_work_group_size
        assert 8 * entry.tile * (entry.tile + candidate.get("PAD", 0)) <= where.local_mem_bytes


def counted(entry: KernelEntry, defines: dict[str, int], k: int) -> int:
    """Loop turns of one work-item with all its panels, by walking the loops of the kernel's source."""
    turns = 0
    if entry.layout == "packed":
        for base in range(0, k, defines["KC"]):
            turns += 1
            depth = min(defines["KC"], k - base)
            whole = depth // 4 * 4
            for _q in range(defines["NT"]):
                turns += 1
                for _p in range(defines["MT"]):
                    turns += 1 + len(range(0, whole, 4)) + len(range(whole, depth))
    elif entry.layout == "tile":
        for _base in range(0, k, entry.tile):
            turns += 1 + len(range(4)) + len(range(entry.tile))
    elif entry.layout == "regtile":
        items = defines["LANES"] * defines["LINES"]
        floats_of_a = defines["MR"] * defines["LINES"] * defines["KB"]
        vectors_of_b = defines["NV"] * defines["LANES"] * defines["KB"]
        for _base in range(0, k, defines["KB"]):
            # Each tile is fetched once, put into local memory once, and multiplied.
            turns += 1 + 2 * len(range(0, floats_of_a, items)) + 2 * len(range(0, vectors_of_b, items)) + defines["KB"]
    else:
        for base in range(0, k, 256):
            turns += 1 + len(range(base, min(base + 256, k)))
    return turns


@MANY
@given(st.sampled_from(GEMMS), st.data(), st.integers(1, 5000))
def test_the_iteration_count_is_that_of_the_loops(mode: str, data: st.DataObject, k: int) -> None:
    """The formula agrees with the loops walked one by one."""
    entry = ENTRIES[mode]
    defines = {p.name: data.draw(st.sampled_from(p.values), label=p.name) for p in parameters(entry)}
    if entry.layout == "regtile":  # the kernel refuses what cannot be shared evenly
        assume(
            not defines["MR"] * defines["KB"] % defines["LANES"]
            and not defines["NV"] * defines["KB"] % defines["LINES"]
        )
    assert loop_iterations(entry, defines, k) == counted(entry, defines, k)


@MANY
@given(st.sampled_from(GEMMS), DEVICES, st.integers(1, 20_000), st.integers(0, 9))
def test_no_candidate_reaches_llvmpipes_limit(mode: str, where: DeviceIdentity, k: int, seed: int) -> None:
    """At the usual depth on every device, and at the depth that is tuned for where loops are cut off."""
    cut_off = device_class(where) in ("llvmpipe", "clover")
    for candidate in candidates(ENTRIES[mode], where, count=30, k=k, seed=seed):
        assert counted(ENTRIES[mode], candidate, 4096) < LOOP_LIMIT
        if cut_off:
            assert counted(ENTRIES[mode], candidate, max(k, 4096)) < LOOP_LIMIT


def test_workloads_take_the_shapes_that_are_shipped_for_others() -> None:
    """On a device that was never met, both; where loops are cut off, none that could reach the limit."""
    assert WORKLOADS == ["reduce", "sort", "spmv", "transpose"]
    met, mesa = device(device_name="A CPU"), device(platform_name="rusticl", device_name="llvmpipe (LLVM 15)")
    found = {mode: candidates(ENTRIES[mode], met, count=9, k=2048) for mode in WORKLOADS}
    assert {mode: len(each) for mode, each in found.items()} == {"reduce": 1, "sort": 1, "spmv": 4, "transpose": 1}
    assert found["sort"] == ({"BUCKETS": 0},)
    assert candidates(ENTRIES["transpose"], mesa, count=9) == ({"BLOCKS": 1},)
    assert candidates(ENTRIES["reduce"], mesa, count=9) == ({"SIDE_BY_SIDE": 1},)
    assert candidates(ENTRIES["sort"], mesa, count=9) == candidates(ENTRIES["spmv"], mesa, count=9) == ()
    reason = "loop iterations per work-item at n = 4096; llvmpipe stops after 65535"
    assert why_illegal(ENTRIES["sort"], {"BUCKETS": 1}, mesa).endswith(reason)
    assert why_illegal(ENTRIES["spmv"], {"ROWS": 16}, mesa) == f"65536 {reason}"


@pytest.mark.parametrize("mode", TUNABLE)
def test_the_shipped_defaults_are_in_the_space(mode: str) -> None:
    """For every class of device: what is shipped could have been found."""
    entry = ENTRIES[mode]
    for kind in ("", *entry.quirks):
        shipped = entry.defines_for(kind)
        default = {p.name: shipped.get(p.name, p.default) for p in parameters(entry)}
        assert why_illegal(entry, default, device()) == "", kind


PACKED = default_defines(ENTRIES["packed"], device())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"EVIL": 1}, "EVIL is no parameter"),
        ({"MR": 15}, "MR is 15"),
        ({"MR": True}, "MR is True"),
        ({"MR": 6.0}, "MR is 6.0"),
        ({"MR": "6 -I/etc"}, "MR is '6 -I/etc'"),
        ({"KC": 130}, "KC is 130"),
        ({"MT": 32, "NT": 2}, "loop iterations"),
        ({"MR": 14, "NV": 4, "VW": 16}, "register block"),
    ],
)
def test_what_no_search_would_build_is_refused(changes: dict[str, Any], words: str) -> None:
    """Unknown names, values that are no legal integers, and constraints that they break together."""
    assert words in why_illegal(ENTRIES["packed"], {**PACKED, **changes}, device())


def test_a_parameter_may_not_be_missing() -> None:
    """Half a candidate would mix with whatever the default becomes."""
    assert "missing" in why_illegal(ENTRIES["packed"], {"MR": 6}, device())


def test_a_variant_without_parameters_has_no_candidates() -> None:
    """The scalar one is as it is."""
    assert candidates(ENTRIES["scalar"], device(), count=9) == ()
    assert "nothing to tune" in why_illegal(ENTRIES["scalar"], {}, device())


def test_sixty_three_panels_pass_the_simple_rule_and_are_refused() -> None:
    """Outer loops count as well: 63 x 1024 inner turns alone would be below the limit, with the others they are not."""
    entry = ENTRIES["packed"]
    defines = {**PACKED, "MT": 1, "NT": 63, "KC": 64}
    assert 63 * 1024 < LOOP_LIMIT < counted(entry, defines, 4096)
    assert loop_iterations(entry, defines, 4096) == counted(entry, defines, 4096)


@pytest.mark.parametrize("mode", TUNABLE)
def test_what_the_launcher_covers_the_result_by_is_always_built_in(mode: str) -> None:
    """A source that fell back on its own default, where the launcher has another, would write beyond its buffers."""
    bare = ENTRIES[mode].model_copy(update={"defines": {}, "quirks": {"gpu": {"MR": 2}}})
    covering = {
        p.name: p.default for p in parameters(bare) if p.name in ("MR", "NV", "VW", "LANES", "LINES", "MT", "NT")
    }
    assert complete_defines(bare, "cpu") == covering
    assert complete_defines(bare, "gpu") == {**covering, "MR": 2}


def test_the_largest_tile_of_register_blocks_fits_an_items_registers() -> None:
    """128 accumulators of the 255 registers that an item of a GPU has at most: no values of the space exceed that."""
    most = {parameter.name: max(parameter.values) for parameter in SPACES["regtile"]}
    assert most["MR"] * most["NV"] * most["VW"] <= 128
