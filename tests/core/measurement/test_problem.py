"""Problem data: the same bytes for the same seed and session, other bytes for any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_weekops.core.measurement.problem import gemm_addend, gemm_inputs, triad_inputs

MAKERS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "gemm": lambda **facts: gemm_inputs(m=48, n=64, k=32, **facts),
    "addend": lambda **facts: (gemm_addend(m=48, n=64, **facts),),
    "triad": lambda **facts: triad_inputs(n=64, **facts),
}


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_bytes_for_the_same_seed_and_session(name: str) -> None:
    """In float32 and C order; a worker on another platform computes on the same numbers."""
    make = MAKERS[name]
    for one, other in zip(make(seed=11, session=2), make(seed=11, session=2), strict=True):
        assert one.dtype == np.float32
        assert one.flags.c_contiguous
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", MAKERS)
def test_no_two_matrices_are_alike(name: str) -> None:
    """Neither two of one problem, nor those of another seed or session: a stale result must not pass."""
    make = MAKERS[name]
    found = [
        array.tobytes() for facts in ((11, 1), (11, 2), (12, 1)) for array in make(seed=facts[0], session=facts[1])
    ]
    assert len(set(found)) == len(found)


def test_what_is_added_is_none_of_the_factors() -> None:
    """A kernel that reads A where it should read C is wrong, and must look wrong."""
    a, _b = gemm_inputs(m=64, n=64, k=64, seed=11)
    assert not np.array_equal(a, gemm_addend(m=64, n=64, seed=11))


def test_shapes_are_those_that_were_asked_for() -> None:
    """A is m x k, B is k x n, C is m x n, and triad's are n x n."""
    a, b = gemm_inputs(m=3, n=5, k=7, seed=1)
    assert (a.shape, b.shape, gemm_addend(m=3, n=5, seed=1).shape) == ((3, 7), (7, 5), (3, 5))
    assert [array.shape for array in triad_inputs(n=9, seed=1)] == [(9, 9), (9, 9)]
