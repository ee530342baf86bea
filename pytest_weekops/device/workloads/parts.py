"""What the workloads share: how many elements a size has, whole work-groups over them, and launches of many kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.guard.invariants import stretch_sums
from pytest_weekops.core.measurement.launch import Launch, Step
from pytest_weekops.device.invariant import STRETCH, Draw, Sums
from pytest_weekops.device.operation import Array, Shape

MOST_ELEMENTS = 2**31 - 2**16  # the kernels count in int, the last group beyond the arrays included


def up(value: int, multiple: int) -> int:
    """The least multiple that is not below the value."""
    return -(-value // multiple) * multiple


def elements(name: str, shape: Shape) -> int:
    """N x n. Raises ``DeviceError`` where that is more than the kernels count."""
    return counted(name, shape, shape.n * shape.n)


def counted(name: str, shape: Shape, count: int) -> int:
    """The elements of a launch at this size. Raises ``DeviceError`` where they are more than the kernels count."""
    if count > MOST_ELEMENTS:
        raise DeviceError(f"{name} at n = {shape.n} has more elements than an int counts. Give a smaller size.")
    return count


def steps_of(steps: Sequence[Step], **facts: Any) -> Launch:
    """A launch of these kernels in order; ``facts`` are the other fields of :class:`Launch`."""
    first, *then = steps
    return Launch(
        kernel=first.kernel,
        arguments=first.arguments,
        global_size=first.global_size,
        local_size=first.local_size,
        then=tuple(then),
        **facts,
    )


def stretches(reference: Array, unit: float, draw: Draw) -> Sums:
    """Signed sums of stretches of a float64 reference, whose elements have this error unit."""
    flat = np.asarray(reference, dtype=np.float64).reshape(-1)
    signs = draw.signs(min(STRETCH, flat.size))
    sums, rms = stretch_sums(flat, signs.astype(np.float64))
    return Sums(flat.size, signs, sums, unit, rms)
