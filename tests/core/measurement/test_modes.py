"""Names that stand for several kernels."""

from __future__ import annotations

from pytest_weekops.core.measurement.modes import CONTROLLED_KERNELS, KERNEL_SETS, named_kernels
from pytest_weekops.core.units import IMAGE, LEVEL0, LEVEL1, MATH, QUEUE, STRICT_MATH

MEASURED = list(LEVEL1)


def test_a_set_stands_for_its_kernels() -> None:
    """Each once, in the order of the words; every other word stands for itself."""
    assert named_kernels(["level1"], ()) == MEASURED
    assert named_kernels(["default", "triad", "all"], ()) == [*CONTROLLED_KERNELS, "triad", *MEASURED]
    assert named_kernels(["auto", "nonsense"], ()) == ["auto", "nonsense"]
    assert set(KERNEL_SETS["all"]) == {*CONTROLLED_KERNELS, "triad", *MEASURED}
    assert named_kernels(["level0", "triad"], ()) == ["triad", *LEVEL0]
    assert named_kernels(["math", "queues", "images"], ()) == [*MATH, STRICT_MATH, *QUEUE, *IMAGE]


def test_a_variant_of_that_name_comes_first() -> None:
    """A catalogue of one's own keeps its meaning."""
    assert named_kernels(["level1", "reduce"], {"level1"}) == ["level1", "reduce"]
