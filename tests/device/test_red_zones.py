"""What a kernel writes beside its buffers is found and named; it neither hangs nor takes the worker down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus, Phase
from tests.device.test_misbehaviour import HEAD
from tests.device.test_own_operation import KERNEL, write
from tests.support.benches import Bench

pytestmark = pytest.mark.device
STORE = "C[i * ldc + j] = sum;\n    if (i == m - 1 && j == n - 1) {{ {} }}\n}}"
BESIDE = {
    "64 floats behind C": ("for (int x = 1; x <= 64; ++x) C[i * ldc + j + x] = 7.0f;", "C: 64 floats behind its end, "),
    "before C": ("C[-1] = 7.0f;", "C: 1 floats before its beginning, the nearest at byte -"),
    "a row behind B": ("((__global float *)B)[k * ldb] = 7.0f;", "B: 1 floats behind its end, the nearest at byte +"),
    "before A": ("((__global float *)A)[-2] = 7.0f;", "A: 1 floats before its beginning, the nearest at byte -"),
}


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
@pytest.mark.parametrize("name", BESIDE)
def test_a_write_beside_a_buffer_is_named(
    benches: Callable[[str], Bench], own_kernels: Callable[[str], Path], platform: str, name: str
) -> None:
    """By buffer, number of floats and place; the result itself is right, and the next case is clean."""
    statement, words = BESIDE[name]
    answer = benches(platform).measure("mine", (40, 40, 40), kernel_dir=own_kernels(HEAD + STORE.format(statement)))
    assert (answer.status, answer.phase) == (MeasurementStatus.WRONG, Phase.VERIFY), answer.reason
    assert f"session 1: the kernel wrote outside of {words}" in answer.reason
    assert words in answer.sessions[0].outside
    assert benches(platform).measure("scalar", (8, 8, 8)).status is MeasurementStatus.OK


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_what_is_read_behind_an_input_is_no_number(
    benches: Callable[[str], Bench], own_kernels: Callable[[str], Path], platform: str
) -> None:
    """One step too many along k reads behind A and B, and shows whatever stood there before."""
    source = HEAD.replace("l < k;", "l <= k;") + "C[i * ldc + j] = sum; }"
    answer = benches(platform).measure("mine", (40, 40, 40), kernel_dir=own_kernels(source))
    assert answer.status is MeasurementStatus.WRONG
    assert "not finite" in answer.reason


def test_the_scratch_of_an_operation_of_ones_own_has_red_zones(benches: Callable[[str], Bench], tmp_path: Path) -> None:
    """As every buffer has."""
    kernel = KERNEL.replace("    tmp[i] =", "    tmp[n] = 7.0f;\n    tmp[i] =")
    operation = write(tmp_path, kernel=kernel)
    answer = benches("pocl").measure("mine", (61, 61, 61), operation=operation, kernel_dir=tmp_path)
    assert answer.status is MeasurementStatus.WRONG
    assert "the kernel wrote outside of tmp: 1 floats behind its end, the nearest at byte +0" in answer.reason
