"""Kernels and drivers that misbehave for real: each ends in the status that names it, and the next case works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.records import MeasurementStatus
from pytest_weekops.worker.protocol import PressureRequest, SmokeRequest
from tests.support.benches import Bench

pytestmark = pytest.mark.device

HEAD = """
__kernel void gemm(__global const float *A, __global const float *B, __global float *C, const int m, const int n,
                   const int k, const int ldb, const int ldc, const float alpha, const float beta)
{
    const int j = get_global_id(0), i = get_global_id(1);
    if (i >= m || j >= n) return;
    float sum = 0.0f;
    for (int l = 0; l < k; ++l) sum += A[i * k + l] * B[l * ldb + j];
"""
WRONG = {
    "off-by-one": (HEAD.replace("l < k;", "l < k - 1;") + "C[i * ldc + j] = sum; }", "exceeds"),
    "nan": (HEAD + "C[i * ldc + j] = i == 3 ? NAN : sum; }", "not finite"),
    "half": (HEAD + "if (i < m / 2) C[i * ldc + j] = sum; }", "not finite"),
    "one-bit": (
        HEAD + "if (i == 7 && j == 9) sum = as_float(as_int(sum) ^ (1 << 23)); C[i * ldc + j] = sum; }",
        "row 7, column 9",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_result_is_caught(
    benches: Callable[[str], Bench], own_kernels: Callable[[str], Path], name: str
) -> None:
    """A missing term, a NaN, an unwritten half and a single flipped bit are each wrong, with the place named."""
    source, words = WRONG[name]
    answer = benches("pocl").measure("mine", (40, 40, 40), kernel_dir=own_kernels(source))
    assert answer.status is MeasurementStatus.WRONG
    assert words in answer.reason
    assert "row" in answer.reason
    assert not answer.sessions[0].verified


def test_llvmpipe_cutting_a_loop_is_caught(benches: Callable[[str], Bench], own_kernels: Callable[[str], Path]) -> None:
    """A loop of 70,000 iterations stops early on llvmpipe with CL_SUCCESS; the verification sees it."""
    answer = benches("rusticl").measure(
        "mine", (4, 4, 70_000), kernel_dir=own_kernels(HEAD + "C[i * ldc + j] = sum; }")
    )
    assert answer.status is MeasurementStatus.WRONG, answer.reason


def test_a_compile_error_keeps_its_log(benches: Callable[[str], Bench], own_kernels: Callable[[str], Path]) -> None:
    """The compiler's log is in the reason, with file and line."""
    bench = benches("pocl")
    answer = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(HEAD + "C[i] = undeclared; }"))
    assert answer.status is MeasurementStatus.BUILD_FAILED
    assert "mine.cl:9" in answer.reason, answer.reason
    assert "undeclared" in answer.reason
    assert bench.measure("scalar", (8, 8, 8)).status is MeasurementStatus.OK


def test_clover_aborting_on_vector_loads_costs_one_case(
    start_bench: Callable[[str], Bench], own_kernels: Callable[[str], Path]
) -> None:
    """Clover's compiler aborts on vload4: crashed twice, the signal and the assertion are kept, the next case works."""
    bench = start_bench("clover")  # of its own: the shared one would lose two of its four restarts
    source = HEAD + "vstore4(vload4(0, A), 0, C); C[i * ldc + j] = sum; }"
    answer = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(source))
    assert answer.status is MeasurementStatus.CRASHED
    assert answer.signal == "SIGABRT"
    assert "getNonOpaquePointerElementType" in answer.stderr_tail
    assert bench.measure("scalar", (8, 8, 8)).status is MeasurementStatus.OK


def test_the_embedded_pocl_never_passes_what_it_cannot_compile(
    start_bench: Callable[[str], Bench], own_kernels: Callable[[str], Path]
) -> None:
    """A float16 kernel on the embedded PoCL 3.0: it aborts, refuses to build, or is right, as the CPU has it.

    Its LLVM 14 aborts on some float16 code on CPUs with AVX-512, builds nothing at all on CPUs it does not know, and
    is fine on others. Whichever it is here, a status that is not ok comes with its reason, and the run goes on.
    """
    bench = start_bench("pocl-embedded")
    source = HEAD + "float16 v = fma((float16)(sum), (float16)(1.0f), (float16)(0.0f)); C[i * ldc + j] = v.s3; }"
    answer = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(source))
    known = (MeasurementStatus.OK, MeasurementStatus.CRASHED, MeasurementStatus.BUILD_FAILED)
    assert answer.status in known, answer.reason
    if answer.status is MeasurementStatus.OK:
        assert answer.sessions[0].verified
    else:
        assert answer.signal == "SIGABRT" or "does not compile" in answer.reason, answer.reason


FAR = "C[(size_t)(i * ldc + j) * 1073741824 + 274877906944] = sum; }"
HUGE = "__local float held[4194304]; held[j * 4099] = sum; C[i * ldc + j] = held[j * 4099]; }"


@pytest.mark.long
def test_what_no_buffer_has_room_for_costs_one_case(
    start_bench: Callable[..., Bench], own_kernels: Callable[[str], Path]
) -> None:
    """A store far outside takes the worker down, 16 MiB of local memory are right or named; the next case works."""
    bench = start_bench("pocl")
    far = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(HEAD + FAR))
    assert (far.status, far.signal) == (MeasurementStatus.CRASHED, "SIGSEGV"), far.reason
    huge = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(HEAD + HUGE))
    assert huge.reason or huge.sessions[0].verified, huge.status
    assert bench.measure("scalar", (8, 8, 8)).status is MeasurementStatus.OK


@pytest.mark.long
def test_an_endless_kernel_is_ended_at_its_deadline(
    start_bench: Callable[..., Bench], own_kernels: Callable[[str], Path]
) -> None:
    """Hung, in the phase of the first launch that did not end; the next case works."""
    bench = start_bench("pocl", warm_up_s=6, launch_s=6)
    source = HEAD + "volatile __global float *V = C; while (V[0] != -1.0f || sum < 1e30f) V[1] += 1.0f; }"
    answer = bench.measure("mine", (8, 8, 8), kernel_dir=own_kernels(source))
    assert answer.status is MeasurementStatus.HUNG, (answer.status, answer.reason)
    assert "was killed" in answer.reason
    assert bench.measure("scalar", (8, 8, 8)).status is MeasurementStatus.OK


def test_rusticls_constant_event_times_are_not_believed(benches: Callable[[str], Bench]) -> None:
    """Rusticl 22.3 says each kernel took 1 ns: the timer is not trusted and its times are dropped."""
    answer = benches("rusticl").measure("scalar", (64, 64, 64), iterations=3)
    assert answer.timer is not None
    if benches("rusticl").supervisor.identity.driver_version.startswith("22."):  # type: ignore[union-attr]
        assert not answer.timer.trusted
    if not answer.timer.trusted:
        assert answer.timer.reason
        assert all(session.device_ns is None for session in answer.sessions)


def test_pressure_pulses_are_counted(benches: Callable[[str], Bench]) -> None:
    """Three pulses are asked for and three complete."""
    from pytest_weekops.files.shipped import data_dir

    request = PressureRequest(pulses=3, iterations=2, size=64, kernel_dirs=(str(data_dir("kernels")),))
    done = benches("pocl").supervisor.pressure(request)
    assert (done.completed, done.failures) == (3, 0)


@pytest.mark.parametrize("platform", ["pocl", "rusticl", "clover"])
def test_the_smoke_passes_and_names_quirks(benches: Callable[[str], Bench], platform: str) -> None:
    """No step fails on a working driver; each warning has a recommendation."""
    from pytest_weekops.files.shipped import data_dir

    steps = benches(platform).supervisor.smoke(SmokeRequest(kernel_dirs=(str(data_dir("kernels")),))).steps
    assert not [step for step in steps if step.status == "failed"]
    assert all(step.recommendation for step in steps if step.status == "warning")
    if platform != "pocl":
        assert any(step.name == "long loops" and step.status == "warning" for step in steps)


def test_two_measurements_on_one_seed_have_the_same_data(benches: Callable[[str], Bench]) -> None:
    """The error of a fixed kernel on fixed data is the same number twice."""
    errors = [benches("pocl").measure("scalar", (50, 50, 50)).sessions[0].max_abs_error for _ in range(2)]
    assert errors[0] == errors[1]
