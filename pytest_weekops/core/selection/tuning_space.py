"""What may be tuned: the build parameters of each kernel layout and workload, their legal values and constraints. Pure.

The values are those that the headers of ``kernels/*.cl`` state. A candidate gives every parameter of its layout a
value. What comes from a file is held against the same lists, so that a stranger's file can name nothing else.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_weekops.core.measurement.catalog import KernelEntry, device_class
from pytest_weekops.core.measurement.kernel_operation import SPARE_EDGE
from pytest_weekops.core.measurement.records import DeviceIdentity

LOOP_LIMIT = 65_535  # loop iterations per work-item after which llvmpipe stops, with CL_SUCCESS and a wrong result
USUAL_DEPTH = 4096  # the k up to which every variant must stay below it
MOST_ACCUMULATORS = 512  # floats of one register block: 32 registers of 16 floats, the widest file there is
MOST_COLUMNS = 64  # of one register block on a CPU: more would not fit its registers
_UNROLL = 4  # UNROLL of gemm_packed.cl
_SUM_DEPTH = 256  # SUM_DEPTH of register_block.clh
_DRAWS_PER_CANDIDATE = 200

Defines = Mapping[str, int]


@dataclass(frozen=True)
class Parameter:
    """One ``-D`` name with its legal values, and the default of the kernel's header."""

    name: str
    values: tuple[int, ...]
    default: int


_ROWS = tuple(range(1, 15))
_PANELS = (1, 2, 4, 8, 16, 32)
_COVERING = ("MR", "NV", "VW", "LANES", "LINES", "MT", "NT")  # what the launcher covers the result by
_FMA = Parameter("USE_FMA", (0, 1), 0)
SPACES: dict[str, tuple[Parameter, ...]] = {
    "block": (Parameter("MR", _ROWS, 4), Parameter("NV", (1, 2, 3, 4), 2), Parameter("VW", (4, 8, 16), 8), _FMA),
    "lanes": (
        Parameter("MR", _ROWS, 8),
        Parameter("NV", (1, 2, 3, 4, 5, 6, 7, 8), 8),
        Parameter("LANES", (4, 8, 16, 32, 64), 8),
        _FMA,
    ),
    "packed": (
        Parameter("MR", _ROWS, 6),
        Parameter("NV", (1, 2, 3, 4), 2),
        Parameter("VW", (4, 8, 16), 8),
        Parameter("MT", _PANELS, 8),
        Parameter("NT", _PANELS, 4),
        Parameter("KC", (64, 128, 192, 256, 320, 384, 512), 256),
        Parameter("USE_FMA", (0, 1), 1),
    ),
    "regtile": (  # up to 8 * 4 * 4 accumulators: a GPU's item has 255 registers at most
        Parameter("MR", (4, 8), 8),
        Parameter("NV", (1, 2, 4), 1),
        Parameter("VW", (4,), 4),
        Parameter("LANES", (8, 16, 32), 32),
        Parameter("LINES", (8, 16, 32), 8),
        Parameter("KB", (8, 16, 32), 16),
        Parameter("KC", (256, 512, 1024), 512),
        Parameter("PAD", (0, 4), 4),
        _FMA,
    ),
    "tile": (Parameter("PAD", (0, 1, 2, 3, 4), 1), _FMA),
}
# Of shipped workloads, by operation: most choose between the shape made for GPUs and the one made for CPUs.
WORKLOAD_SPACES: dict[str, tuple[Parameter, ...]] = {
    "reduce": (Parameter("SIDE_BY_SIDE", (0, 1), 0),),
    "sort": (Parameter("BUCKETS", (0, 1), 0),),
    "transpose": (Parameter("BLOCKS", (0, 1), 0),),
    "spmv": (Parameter("ROWS", (1, 16, 64, 256, 1024), 1),),
}
_LONGEST_ROW = 4096  # elements of a row of the sparse matrix
_TIMES_A_KEY = 4  # an item that sorts a bucket takes each key of it up so often; all keys may be in one bucket
_TILE_ITERATIONS = 9000  # of an item of transpose_blocks.clh, at most


def parameters(entry: KernelEntry) -> tuple[Parameter, ...]:
    """The tunable parameters of a variant; none for layouts and operations without any."""
    if entry.layout == "steps":
        return WORKLOAD_SPACES.get(entry.operation, ())
    return SPACES.get(entry.layout, ()) if entry.operation == "gemm" else ()


def default_defines(entry: KernelEntry, identity: DeviceIdentity) -> dict[str, int]:
    """The values that the variant has on this device as shipped, one for every tunable parameter."""
    shipped = entry.defines_for(device_class(identity))
    return {parameter.name: shipped.get(parameter.name, parameter.default) for parameter in parameters(entry)}


def complete_defines(entry: KernelEntry, device_class: str) -> dict[str, int]:
    """The ``-D`` values of a variant, those included that the NDRange and the padding depend on and no catalogue names.

    A source that falls back on its own default, where the launcher has another, would write beyond its buffers.
    """
    covering = {parameter.name: parameter.default for parameter in parameters(entry) if parameter.name in _COVERING}
    return {**covering, **entry.defines_for(device_class)}


def loop_iterations(entry: KernelEntry, defines: Defines, k: int) -> int:
    """Most loop iterations that one work-item makes at depth ``k``, outer loops and unrolled tiles included.

    Counted as llvmpipe counts: each turn of each loop. Clover and rusticl 22.3 keep the loops of a tile.
    """
    if entry.layout == "steps":
        return _workload_iterations(defines, k)
    if entry.layout == "packed":
        depth, row_panels, column_panels = defines["KC"], defines["MT"], defines["NT"]
        blocks = math.ceil(k / depth)
        last = k - (blocks - 1) * depth
        steps = (blocks - 1) * (depth // _UNROLL + depth % _UNROLL) + last // _UNROLL + last % _UNROLL
        return blocks * (1 + column_panels * (1 + row_panels)) + row_panels * column_panels * steps
    if entry.layout == "tile":
        return math.ceil(k / entry.tile) * (1 + 4 + entry.tile)
    if entry.layout == "regtile":
        depth = defines["KB"]
        fetched = sum(_fetches(defines))  # once from memory, once into the tile
        return math.ceil(k / depth) * (1 + 2 * fetched + depth)
    return k + math.ceil(k / _SUM_DEPTH)


def _workload_iterations(defines: Defines, n: int) -> int:
    """The same of a workload at size ``n``; those of the shapes without a parameter are few."""
    if defines.get("BUCKETS"):
        return _TIMES_A_KEY * n * n
    if defines.get("BLOCKS"):
        return _TILE_ITERATIONS
    return defines.get("ROWS", 1) * _LONGEST_ROW


def why_illegal(entry: KernelEntry, defines: Defines, identity: DeviceIdentity, *, k: int = USUAL_DEPTH) -> str:
    """Why these values may not be built for a variant on a device at depths up to ``k``; nothing where they may."""
    space = parameters(entry)
    if not space:
        return f"variant {entry.mode} has nothing to tune"
    if unknown := sorted(set(defines) ^ {parameter.name for parameter in space}):
        return f"{unknown[0]} is {'no parameter' if unknown[0] in defines else 'missing among those'} of {entry.mode}"
    for parameter in space:
        value = defines[parameter.name]
        if type(value) is not int or value not in parameter.values:
            return f"{parameter.name} is {value!r:.40}; legal are {', '.join(map(str, parameter.values))}"
    return _breach(entry, defines, identity, max(k, USUAL_DEPTH))


def _breach(entry: KernelEntry, defines: Defines, identity: DeviceIdentity, k: int) -> str:
    """The constraint that legal values break together, or nothing."""
    cut_off = device_class(identity) in ("llvmpipe", "clover")
    if entry.layout == "steps" and not cut_off:
        return ""
    if problem := _tile_breach(defines) if entry.layout == "regtile" else _block_breach(defines):
        return problem
    items = defines.get("LANES", 1) * defines.get("LINES", 1)
    if items > identity.max_work_group_size:
        return f"a group of {items} work-items exceeds the device's {identity.max_work_group_size}"
    if (local := _local_bytes(entry, defines)) > identity.local_mem_bytes:
        return f"two tiles of {local} bytes in all exceed the device's {identity.local_mem_bytes} of local memory"
    # The kernel itself refuses by the usual depth on any device; what lies beyond matters where loops are cut off.
    depth = k if cut_off else min(k, USUAL_DEPTH)
    iterations = loop_iterations(entry, defines, depth)
    if not iterations < LOOP_LIMIT:
        at = "n" if entry.layout == "steps" else "k"
        return f"{iterations} loop iterations per work-item at {at} = {depth}; llvmpipe stops after {LOOP_LIMIT}"
    return ""


def _block_breach(defines: Defines) -> str:
    """What a CPU's register block may not be, or nothing."""
    columns = defines.get("NV", 1) * defines.get("VW", 1) * defines.get("LANES", 1)
    accumulators = defines.get("MR", 1) * columns
    if accumulators > MOST_ACCUMULATORS:
        return f"a register block of {accumulators} floats is larger than {MOST_ACCUMULATORS}"
    if columns > MOST_COLUMNS:
        return f"a register block of {columns} columns is wider than {MOST_COLUMNS}"
    return ""


def _tile_breach(defines: Defines) -> str:
    """What a GPU's register blocks on one tile may not be, or nothing."""
    columns = defines["NV"] * defines["VW"] * defines["LANES"]
    if columns > SPARE_EDGE:
        return f"a tile of {columns} columns is wider than {SPARE_EDGE}"
    if defines["MR"] * defines["KB"] % defines["LANES"] or defines["NV"] * defines["KB"] % defines["LINES"]:
        return f"LANES {defines['LANES']} and LINES {defines['LINES']} cannot share the loads of a tile evenly"
    return ""


def _fetches(defines: Defines) -> tuple[int, int]:
    """Floats of A's tile and vectors of B's that one item of a ``regtile`` group fetches."""
    return defines["MR"] * defines["KB"] // defines["LANES"], defines["NV"] * defines["KB"] // defines["LINES"]


def _local_bytes(entry: KernelEntry, defines: Defines) -> int:
    """Local memory of a group's two tiles."""
    if entry.layout == "regtile":
        lines = defines["MR"] * defines["LINES"] + defines["PAD"]
        return 4 * defines["KB"] * (lines + defines["NV"] * defines["VW"] * defines["LANES"])
    return 2 * 4 * entry.tile * (entry.tile + defines.get("PAD", 0))


def candidates(
    entry: KernelEntry, identity: DeviceIdentity, *, count: int, k: int = USUAL_DEPTH, seed: int = 1
) -> tuple[dict[str, int], ...]:
    """At most ``count`` legal candidates, each once, without the shipped default; the same for the same arguments.

    First what the catalogue ships for other classes of device, then the default with one value changed, then draws
    from the whole space: a budget that ends early has seen the likely ones.
    """
    default = default_defines(entry, identity)
    found: dict[tuple[int, ...], dict[str, int]] = {}
    for candidate in _proposals(entry, default, count=count, seed=seed):
        key = tuple(candidate.values())
        if candidate != default and key not in found and not why_illegal(entry, candidate, identity, k=k):
            found[key] = candidate
            if len(found) == count:
                break
    return tuple(found.values())


def _proposals(entry: KernelEntry, default: dict[str, int], *, count: int, seed: int) -> Iterator[dict[str, int]]:
    space = parameters(entry)
    names = [parameter.name for parameter in space]
    for quirk in entry.quirks.values():
        yield {**default, **{name: value for name, value in quirk.items() if name in names}}
    draws = random.Random(f"{entry.mode} {seed}")  # noqa: S311 - replayable, not secret
    single = [{**default, parameter.name: value} for parameter in space for value in parameter.values]
    draws.shuffle(single)
    yield from single[: max(count // 2, 1)]
    for _ in range(_DRAWS_PER_CANDIDATE * count):
        yield {parameter.name: draws.choice(parameter.values) for parameter in space}
    yield from single
