"""What is known of an operation by its name: its scalar, its gate's problems, its cost and its memory."""

from __future__ import annotations

import pytest

from pytest_weekops.core.measurement.kernel_operation import SPARE_EDGE, KernelOperation, OperationFile, gemm_needs

GEMM, TRIAD, MINE = (KernelOperation(name=name) for name in ("gemm", "triad", "mine"))


def test_an_operation_is_gemm_unless_it_says_otherwise() -> None:
    """T3, T5 and the absolute bound speak of GEMM alone."""
    assert KernelOperation().is_gemm
    assert [one.is_gemm for one in (GEMM, TRIAD, MINE)] == [True, False, False]


def test_the_scalars_of_a_campaigns_launches() -> None:
    """STREAM's 3 for triad; by 1 a kernel that forgets alpha would pass, which is the gate's to see."""
    assert [one.alpha for one in (GEMM, TRIAD, MINE)] == [1.0, 3.0, 1.0]


def test_gemms_gate_sees_every_edge() -> None:
    """One element, shapes that are no multiple of any tile, and a problem with alpha and beta other than 1 and 0."""
    assert GEMM.gate[0][:3] == (1, 1, 1)
    assert any(len({m, n, k}) == 3 for m, n, k, _alpha, _beta in GEMM.gate)
    assert any(alpha != 1.0 and beta != 0.0 for *_shape, alpha, beta in GEMM.gate)


@pytest.mark.parametrize("operation", [TRIAD, MINE], ids=lambda one: str(one.name))
def test_other_operations_have_one_size_and_several_scalars(operation: KernelOperation) -> None:
    """Beta is never read; one element is among them, and a negative scalar."""
    assert all(m == n == k and beta == 0.0 for m, n, k, _alpha, beta in operation.gate)
    assert operation.gate[0][0] == 1
    assert min(alpha for *_shape, alpha, _beta in operation.gate) < 0 < 1 < operation.gate[2][3]


def test_a_launch_costs_by_arithmetic_or_by_memory() -> None:
    """Twice the edge takes GEMM eight times as long, and triad four times."""
    assert GEMM.nominal_s(2048) / GEMM.nominal_s(1024) == 8.0
    assert TRIAD.nominal_s(2048) / TRIAD.nominal_s(1024) == 4.0


@pytest.mark.parametrize(("size", "edge"), [(1, SPARE_EDGE), (256, 256), (257, 512), (1400, 1536)])
def test_gemms_buffers_are_reckoned_padded(size: int, edge: int) -> None:
    """Seven float32 matrices of the padded edge, one of the plain edge, with red zones, and a float64 reference."""
    found, zones = gemm_needs(size), 2 * 2**20
    assert (found.largest, found.total) == (4 * size**2 + zones, 28 * edge**2 + 7 * zones)
    assert found.reference == 8 * size**2


def test_a_workload_is_gated_at_three_edges_without_a_scalar() -> None:
    """An operation of one's own has all of them, whatever its name."""
    scan = KernelOperation(name="scan")
    assert KernelOperation(name="memory_copy").gate == scan.gate
    assert scan.gate == tuple((n, n, n, 1.0, 0.0) for n in (1, 61, 131))
    own = KernelOperation(name="scan", file=OperationFile(path="scan.py", sha256="0" * 64))
    assert [one.is_workload for one in (scan, own, TRIAD, GEMM)] == [True, False, False, False]
    assert own.gate == TRIAD.gate
