"""The matrix of features speaks of the kernels that are shipped: what is plain to see is in it, and holes are holes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_matrix_shows_what_is_there_and_names_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """By sections; comments prove nothing, and every word that is looked for compiles."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    from generating import coverage

    rows = {line.split(" | ")[1]: line.split(" | ")[2].rstrip(" |") for line in coverage.coverage().splitlines()[2:]}
    assert rows["global memory"] == "all"
    assert rows["atomics of 32 bits: add and inc"] == "`histogram`"
    assert rows["images, read through samplers"] == rows["samplers"] == "`image2d`"
    assert rows["out-of-order queues"] == rows["user events"] == "`queue`"
    assert rows["functions with a second result"] == "`math`"
    assert rows["fills of buffers"] == "`histogram`, `queue`"
    assert rows["double"] == "`double`, `double_fma`"
    assert {"printf", "subgroups", "async copies and prefetch"} <= set(coverage.holes())
    assert all(rows[hole] == coverage.HOLE for hole in coverage.holes())
    assert set(coverage.kernels()) == set(coverage.host_calls()) >= {"gemm", "triad", "scan", "math", "image2d"}
    assert "/*" not in coverage.kernels()["scan"]
