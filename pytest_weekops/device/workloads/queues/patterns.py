"""Numbers that the host calls and whoever expects their results share."""

from __future__ import annotations

import numpy as np

from pytest_weekops.device.operation import Array

GROUP = 64  # of queue.cl
FACTOR = np.uint32(2654435761)  # of queue.cl
MASK = 0xA5A5A5A5
CHAIN = 12  # launches, each waiting for the one before
PATTERNS: tuple[Array, ...] = (  # of fills: 1, 2, 4, 8 and 16 bytes
    np.full(1, 0xC3, dtype=np.uint8),
    np.full(1, 0x1F2E, dtype=np.uint16),
    np.full(1, 0x89ABCDEF, dtype=np.uint32),
    np.array([0x0123456789ABCDEF], dtype=np.uint64),
    np.array([1, 2, 3, 0xFFFFFFFF], dtype=np.uint32),
)
