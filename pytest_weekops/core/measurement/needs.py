"""What a kernel needs that not every device has: capabilities, and a driver without certain quirks."""

from __future__ import annotations

from pytest_weekops.core.measurement.catalog import (
    ABORTS_ON_ATOMICS,
    ABORTS_ON_HALVES,
    ABORTS_ON_IMAGES,
    ABORTS_ON_POINTER_RESULTS,
    ABORTS_ON_SUB_RECTANGLES,
    ABORTS_ON_VECTOR_LOADS,
    DOUBLES,
    FAILS_IN_WIDE_VECTORS,
    FORGETS_ARGUMENTS,
    FUSES_NO_DOUBLES,
    WRONG_IN_MAD_SAT,
    WRONG_IN_STRICT_MATH,
    Needs,
)
from pytest_weekops.core.measurement.records import DeviceIdentity
from pytest_weekops.core.record import Record

_ABORTS = "compiler is known to abort on them"
# By quirk: what a kernel needs that such a driver spoils, and how.
SPOILT: dict[str, tuple[str, str]] = {
    ABORTS_ON_ATOMICS: ("atomic operations", _ABORTS),
    ABORTS_ON_HALVES: ("halves in memory", _ABORTS),
    ABORTS_ON_VECTOR_LOADS: ("vload and vstore", _ABORTS),
    ABORTS_ON_POINTER_RESULTS: ("functions with a second result", _ABORTS),
    ABORTS_ON_IMAGES: ("images", _ABORTS),
    ABORTS_ON_SUB_RECTANGLES: ("rectangles of sub-buffers", "version is known to crash over them"),
    FORGETS_ARGUMENTS: (
        "the arguments that a waiting kernel was enqueued with",
        "version is known to take later ones",
    ),
    FUSES_NO_DOUBLES: ("fma of doubles", "version is known to round twice in it"),
    WRONG_IN_MAD_SAT: ("mad_sat of 32 bits", "version is known to be wrong in it"),
    FAILS_IN_WIDE_VECTORS: ("vectors of 64 bytes", "version is known to fail over them"),
    WRONG_IN_STRICT_MATH: ("math as strict as the text", "version is known to be wrong there"),
}


class KernelNeeds(Record):
    """What a kernel of the plan needs of a device: capabilities by OpenCL's names, and a driver without quirks."""

    kernel: str
    capabilities: tuple[str, ...] = ()
    spoilt_by: tuple[str, ...] = ()

    @property
    def is_needy(self) -> bool:
        """Whether there may be a device that lacks something of it."""
        return bool(self.capabilities or self.spoilt_by)


def needs_of(kernel: str, needs: Needs) -> KernelNeeds:
    """The needs of a catalogue's entry that decide whether a kernel is applicable."""
    spoilt = {
        ABORTS_ON_ATOMICS: needs.atomics,
        ABORTS_ON_POINTER_RESULTS: needs.pointer_results,
        ABORTS_ON_HALVES: needs.halves,
        ABORTS_ON_VECTOR_LOADS: needs.vector_loads,
        ABORTS_ON_IMAGES: needs.images,
        ABORTS_ON_SUB_RECTANGLES: needs.sub_rectangles,
        FORGETS_ARGUMENTS: needs.waiting_arguments,
        FUSES_NO_DOUBLES: needs.fused_doubles,
        WRONG_IN_MAD_SAT: needs.mad_sat,
        WRONG_IN_STRICT_MATH: needs.strict_math,
        FAILS_IN_WIDE_VECTORS: needs.wide_vectors,
    }
    found = tuple(quirk for quirk, needed in spoilt.items() if needed)
    return KernelNeeds(kernel=kernel, capabilities=needs.capabilities, spoilt_by=found)


def told_of(identity: DeviceIdentity) -> frozenset[str]:
    """OpenCL's names of all that a record tells the device has; older ones tell of double precision by a field."""
    return frozenset({*identity.capabilities, *([DOUBLES] if identity.has_fp64 else [])})


def lacking(needs: KernelNeeds, identity: DeviceIdentity) -> str:
    """Why a kernel is not applicable on a device: what it lacks, or what its driver is known for; or nothing."""
    told = told_of(identity)
    if missing := [name for name in needs.capabilities if name not in told]:
        return f"is not applicable: the device has no {', no '.join(missing)}"
    for quirk in needs.spoilt_by:
        if quirk in identity.quirks:
            what, fault = SPOILT.get(quirk, ("what this quirk spoils", f"quirk is {quirk}"))
            return f"needs {what}, and this driver's {fault}"
    return ""
