"""What the workloads share: how many elements a size has, and whole work-groups over them."""

from __future__ import annotations

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.device.operation import Shape

MOST_ELEMENTS = 2**31 - 2**16  # the kernels count in int, the last group beyond the arrays included


def up(value: int, multiple: int) -> int:
    """The least multiple that is not below the value."""
    return -(-value // multiple) * multiple


def elements(name: str, shape: Shape) -> int:
    """N x n. Raises ``DeviceError`` where that is more than the kernels count."""
    count = shape.n * shape.n
    if count > MOST_ELEMENTS:
        raise DeviceError(f"{name} at n = {shape.n} has more elements than an int counts. Give a smaller size.")
    return count
