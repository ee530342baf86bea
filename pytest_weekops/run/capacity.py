"""Whether a run fits: device memory for its buffers, temporary space for its float64 references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_weekops.core.measurement.kernel_operation import SizeNeeds
from pytest_weekops.core.measurement.records import DeviceIdentity


def memory_problem(needs: Iterable[SizeNeeds], identity: DeviceIdentity) -> str:
    """A sentence where a size cannot fit the device, or nothing."""
    for need in needs:
        if need.largest > identity.max_alloc_bytes or need.total > identity.global_mem_bytes:
            return (
                f"--sizes {need.size} does not fit {identity.profile} ({identity.device_name}): one buffer needs "
                f"{_mebibytes(need.largest)} and all of them {_mebibytes(need.total)}; the device allows "
                f"{_mebibytes(identity.max_alloc_bytes)} per buffer and {_mebibytes(identity.global_mem_bytes)} in "
                "all. Give a smaller size."
            )
    return ""


def scratch_problem(needs: Sequence[SizeNeeds], seeds: int, sessions: int, free_bytes: int) -> str:
    """A sentence where the float64 references of these needs (one per operation and size) cannot be kept."""
    needed = sum(need.reference for need in needs) * seeds * sessions
    if needed > free_bytes:
        sizes = " ".join(map(str, dict.fromkeys(need.size for need in needs)))
        return (
            f"The float64 references of --sizes {sizes} need {_mebibytes(needed)} of temporary "
            f"space and {_mebibytes(free_bytes)} are free. Without them no result can be verified. Give fewer sizes or "
            "seeds, or point TMPDIR at a larger disk."
        )
    return ""


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
