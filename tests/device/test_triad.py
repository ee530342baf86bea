"""Triad on real drivers: right at sizes that fit nothing, wrong ones caught, and no lane of GEMM's takes it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.kernel_operation import KernelOperation
from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.files.shipped import data_dir
from pytest_weekops.worker.protocol import GuardRequest, InjectRequest, SelectorRequest
from tests.support.benches import Bench

pytestmark = pytest.mark.device
Open = Callable[[str], Bench]
TRIAD = KernelOperation(name="triad")


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_triad_is_right_at_any_size(benches: Open, platform: str) -> None:
    """One element, primes, and more elements than llvmpipe runs loop iterations, at every kind of s."""
    for n, s in ((1, 1.0), (2, 0.0), (17, -0.5), (131, 3.0), (521, -2.0)):
        answer = benches(platform).measure("triad", (n, n, n), alpha=s, operation=TRIAD)
        assert answer.status is MeasurementStatus.OK, f"n = {n}, s = {s}: {answer.reason}"
        assert (answer.operation, answer.unit, answer.variant) == ("triad", "GB/s", "triad")
        assert (answer.flops, answer.bytes_moved) == (2.0 * n * n, 12.0 * n * n)
        assert answer.sessions[0].k_scaled_error < 8.0, "a sound kernel stays well within the bound of 12"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("= b[i] + s * c[i]", "= 1.0001f * (b[i] + s * c[i])", "row 60, column 60"),
        ("i < count", "i < count - 1", "not finite"),
        ("+ s * *", "+ 3.0f * *", "rounding units"),
    ],
    ids=["one element", "last element", "another s"],
)
def test_a_wrong_triad_is_caught(benches: Open, tmp_path: Path, old: str, new: str, word: str) -> None:
    """The last element off by a ten-thousandth or never written, and a scalar that is ignored."""
    shutil.copytree(data_dir("kernels"), tmp_path / "kernels")
    path = tmp_path / "kernels" / "triad.cl"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    answer = benches("pocl").measure("triad", (61, 61, 61), alpha=1.5, operation=TRIAD, kernel_dir=path.parent)
    assert answer.status is MeasurementStatus.WRONG
    assert word in answer.reason


@pytest.mark.parametrize(
    ("lane", "words"),
    [({"guard": GuardRequest()}, "the guard was asked"), ({"selector": SelectorRequest()}, "online selection was")],
    ids=["guard", "selector"],
)
def test_the_lanes_refuse_another_operation(benches: Open, lane: dict[str, object], words: str) -> None:
    """A guard or a selection that would prove nothing is refused, not left out."""
    answer = benches("pocl").measure("triad", (32, 32, 32), operation=TRIAD, **lane)  # type: ignore[arg-type]
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert words in answer.reason
    assert "GEMM alone" in answer.reason


@pytest.mark.parametrize("kernel", ["auto", "auto_t5_guarded", "scalar"])
def test_only_a_variant_of_the_operation_is_taken(benches: Open, kernel: str) -> None:
    """`auto` chooses among GEMM variants, and a GEMM variant computes no triad."""
    answer = benches("pocl").measure(kernel, (32, 32, 32), operation=TRIAD)
    assert answer.status is MeasurementStatus.LAUNCH_FAILED
    assert "triad" in answer.reason
    assert not answer.sessions


def test_the_fault_campaign_refuses_another_operation(benches: Open) -> None:
    """`weekops inject --kernel triad` ends in a sentence."""
    request = InjectRequest(kernel="triad", size=32, kernel_dirs=(str(data_dir("kernels")),))
    with pytest.raises(DeviceError, match="speak of GEMM alone"):
        benches("pocl").supervisor.inject(request)
