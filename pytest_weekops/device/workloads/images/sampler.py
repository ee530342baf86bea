"""A sampler on the host in float64, as OpenCL C 1.2, section 8.2, says; places are in texels."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
GROUP = 64  # of image2d.cl
Address = Literal["CLAMP_TO_EDGE", "CLAMP", "REPEAT", "MIRRORED_REPEAT"]  # OpenCL's names
MODES: tuple[tuple[Address, bool], ...] = (  # address mode, and whether coordinates are normalized
    ("CLAMP_TO_EDGE", False),
    ("CLAMP", False),
    ("CLAMP_TO_EDGE", True),
    ("CLAMP", True),
    ("REPEAT", True),
    ("MIRRORED_REPEAT", True),
)


def read(image: F64, x: F64, y: F64, mode: Address, *, linear: bool) -> F64:
    """Texels (places x 4) of an image (h x w x 4) at places; outside of it ``CLAMP`` has zeros."""
    high, wide = image.shape[:2]
    columns, rows = _folded(x, wide, mode), _folded(y, high, mode)
    if not linear:
        return _texels(image, np.floor(rows), np.floor(columns), mode)
    left, above = np.floor(columns - 0.5), np.floor(rows - 0.5)
    a, b = (columns - 0.5 - left)[:, None], (rows - 0.5 - above)[:, None]
    upper = (1 - a) * _texels(image, above, left, mode) + a * _texels(image, above, left + 1, mode)
    lower = (1 - a) * _texels(image, above + 1, left, mode) + a * _texels(image, above + 1, left + 1, mode)
    return np.asarray((1 - b) * upper + b * lower)


def _folded(at: F64, size: int, mode: Address) -> F64:
    """A place along one axis, back in the image where the mode repeats."""
    turn = at / size
    if mode == "REPEAT":
        return np.asarray((turn - np.floor(turn)) * size)
    if mode == "MIRRORED_REPEAT":
        return np.asarray(np.abs(turn - 2.0 * np.rint(0.5 * turn)) * size)
    return at


def _texels(image: F64, rows: F64, columns: F64, mode: Address) -> F64:
    high, wide = image.shape[:2]
    i, j = rows.astype(np.int64), columns.astype(np.int64)
    if mode == "REPEAT":
        return np.asarray(image[i % high, j % wide])
    inside: Any = (i >= 0) & (i < high) & (j >= 0) & (j < wide)
    texels = image[np.clip(i, 0, high - 1), np.clip(j, 0, wide - 1)]
    return np.where(inside[:, None], texels, 0.0) if mode == "CLAMP" else texels
