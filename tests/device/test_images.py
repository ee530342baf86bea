"""The sampler on the host against the formulas of the specification, place by place."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest

from pytest_weekops.device.operation import Shape
from pytest_weekops.device.workloads.images.operation import IMAGES
from pytest_weekops.device.workloads.images.sampler import MODES, Address, read

WIDE, HIGH = 5, 3
IMAGE = np.arange(1.0, 1.0 + HIGH * WIDE * 4).reshape(HIGH, WIDE, 4)


def along(at: float, size: int, mode: Address, *, linear: bool) -> list[tuple[int, float]]:
    """Texels of one axis and their weights, as OpenCL C 1.2, section 8.2, has them; -1 is the border."""
    s = at / size
    if mode == "REPEAT":
        u = (s - math.floor(s)) * size
    elif mode == "MIRRORED_REPEAT":
        u = abs(s - 2.0 * round(0.5 * s)) * size  # rint: Python rounds halves to even, too
    else:
        u = at
    if not linear:
        found = [(math.floor(u), 1.0)]
    else:
        first = math.floor(u - 0.5)
        found = [(first, 1.0 - (u - 0.5 - first)), (first + 1, u - 0.5 - first)]
    if mode == "REPEAT":
        return [(i + size if i < 0 else i - size if i > size - 1 else i, weight) for i, weight in found]
    if mode == "CLAMP":
        return [(i if 0 <= i < size else -1, weight) for i, weight in found]
    return [(min(max(i, 0), size - 1), weight) for i, weight in found]


@pytest.mark.parametrize(
    ("mode", "linear"), [(mode, linear) for mode in sorted({mode for mode, _ in MODES}) for linear in (False, True)]
)
def test_a_place_is_read_as_the_specification_says(mode: Address, linear: bool) -> None:
    """Inside, at each edge, and up to two images away."""
    places = [(x / 8 + 1 / 16, y / 8 + 1 / 16) for x in range(-80, 120, 3) for y in range(-48, 72, 5)]
    found = read(IMAGE, np.array(places)[:, 0], np.array(places)[:, 1], mode, linear=linear)
    for (x, y), texel in zip(places, found, strict=True):
        right = np.zeros(4)
        for (j, a), (i, b) in itertools.product(
            along(x, WIDE, mode, linear=linear), along(y, HIGH, mode, linear=linear)
        ):
            right += 0.0 if -1 in (i, j) else a * b * IMAGE[i, j]
        assert texel == pytest.approx(right, abs=1e-12), (x, y)


def test_places_are_off_all_edges_and_all_around() -> None:
    """So that a rounding takes no other texel; and images need no driver to be expected."""
    inputs = IMAGES["image2d"].inputs(Shape(61, 61, 61), 5, 1)
    parts = inputs["at0"].astype(np.float64) * 32
    assert np.all(parts % 2 == 1)
    assert parts.min() < -32 * 61
    assert parts.max() > 2 * 32 * 61
    assert np.abs(inputs["at1"] * 61.0 - inputs["at0"]).max() < 1 / 64
    assert np.count_nonzero(inputs["x"]) == inputs["x"].size
    words = "import sys; import pytest_weekops.device.host; assert 'pyopencl' not in sys.modules"
    subprocess.run([sys.executable, "-c", words], check=True)
