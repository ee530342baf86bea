"""Work that is not done, or done wrong at some launches only: each launch is looked at, and the first one is named.

All of these kernels were right at the first launch of a session and at its last, which was poisoned before.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_weekops.core.measurement.plan import Deadlines
from pytest_weekops.core.measurement.records import Measurement, MeasurementStatus, Phase
from pytest_weekops.core.policy.policy import SelectorRules
from pytest_weekops.drivers.platforms import resolve_platforms
from pytest_weekops.worker.host import HostWorker
from pytest_weekops.worker.protocol import SelectorRequest
from pytest_weekops.worker.supervisor import PlatformSupervisor
from tests.device.test_misbehaviour import HEAD
from tests.device.test_own_operation import KERNEL, write
from tests.device.test_wrong_in_mid_session import N, counting
from tests.support.benches import Bench

pytestmark = pytest.mark.device
Open = Callable[[str], Bench]
Write = Callable[..., Path]
SHAPE = (N, N, N)
SEEKING = (
    HEAD.replace("    float sum", "    if (!isnan(C[i * ldc + j])) return;\n    float sum") + "C[i * ldc + j] = sum; }"
)
IDLE = "did no work: what it left is the result of other inputs, which a launch before it gave"


def refused(answer: Measurement, words: str) -> None:
    """Wrong, in the phase in which results are compared, in these words; the session does not count as verified."""
    assert (answer.status, answer.phase) == (MeasurementStatus.WRONG, Phase.VERIFY), answer.reason
    assert words in answer.reason
    assert not answer.sessions[-1].verified


@pytest.mark.parametrize("mode", ["mine", "auto_t3_controlled"])
def test_a_kernel_that_only_fills_in_what_is_missing_is_caught(benches: Open, own_kernels: Write, mode: str) -> None:
    """It returns at once where C is no NaN, so that all launches but the poisoned ones take no time; under T3 too."""
    selector = SelectorRequest(rules=SelectorRules(static_arm="mine")) if mode != "mine" else None
    answer = benches("pocl").measure(mode, SHAPE, kernel_dir=own_kernels(SEEKING), iterations=4, selector=selector)
    refused(answer, f"session 1: launch 1 {IDLE}")
    if selector:
        assert answer.selector is not None
        assert answer.selector.policy_disabled


def test_an_operation_of_ones_own_that_only_fills_in_what_is_missing_is_caught(benches: Open, tmp_path: Path) -> None:
    """Its second inputs are those of another session, with a reference of their own."""
    lazy = KERNEL.replace("    tmp[i]", "    if (!isnan(out[i])) return;\n    tmp[i]")
    operation = write(tmp_path, kernel=lazy)
    answer = benches("pocl").measure("mine", (61, 61, 61), operation=operation, kernel_dir=tmp_path, iterations=4)
    refused(answer, f"session 1: launch 1 {IDLE}")


def test_an_operation_whose_inputs_never_change_is_overwritten_before_each_launch(
    benches: Open, tmp_path: Path
) -> None:
    """No launch can be told from the one before it by its result: NaN stands there before each, and must be gone."""
    import tests.device.test_own_operation as own

    constant = own.SOURCE.replace("[seed, session]", "[1, 1]")
    assert (
        benches("pocl")
        .measure("mine", (61, 61, 61), operation=write(tmp_path, constant), kernel_dir=tmp_path, iterations=4)
        .sessions[0]
        .verified
    )
    odd = KERNEL.replace("    out[i] =", "    if (!isnan(out[i])) return;\n    out[i] =")
    answer = benches("pocl").measure(
        "mine", (61, 61, 61), operation=write(tmp_path, constant, odd), kernel_dir=tmp_path, iterations=4
    )
    assert answer.status is MeasurementStatus.OK, "it does all of its work at each launch here"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("launch > 1 && launch < 9", "session 1: launch 2: error"),
        ("launch == 5", "session 1: launch 4: error"),
        ("launch == 1", "session 1: warm-up launch 1: error"),
        ("launch == 9", "session 1: launch 8: error"),
    ],
    ids=["in-between", "fifth", "first", "last"],
)
def test_a_kernel_that_is_wrong_at_some_launches_only_is_caught(
    benches: Open, own_kernels: Write, condition: str, words: str
) -> None:
    """One element of a launch that nobody drew; the first launch is kept until another one confirms it."""
    kernels = own_kernels(counting(condition), "block")
    answer = benches("pocl").measure("mine", SHAPE, kernel_dir=kernels, iterations=8)
    refused(answer, words)
    assert "row 17, column 5" in answer.reason


def test_what_was_looked_at_is_in_the_record(benches: Open, own_kernels: Write) -> None:
    """The launch drawn by the seed and the last one were compared, all others had the bits of one that was."""
    answer = benches("pocl").measure("mine", SHAPE, kernel_dir=own_kernels(counting("0"), "block"), iterations=8)
    (session,) = answer.sessions
    drawn, last = session.compared
    assert 1 <= drawn < 8
    assert last == 8
    # nine launches on two sets of inputs; the first of each is what the others are held against
    assert session.same_bits == 9 - 2
    assert session.outside == ""


def test_a_kernel_that_never_repeats_itself_is_compared_now_and_then(benches: Open, own_kernels: Write) -> None:
    """Its last bits change from launch to launch, within the bound: bits prove nothing, and it is still right."""
    source = counting("0").replace(
        "C[i * ldc + j] = sum;\n}",
        "sum = as_float(as_int(sum) ^ (as_int(C[17 * ldc + n]) & 7)); C[i * ldc + j] = sum;\n}",
    )
    answer = benches("pocl").measure("mine", SHAPE, kernel_dir=own_kernels(source, "block"), iterations=40)
    assert answer.status is MeasurementStatus.OK, answer.reason


LAZY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
/* Runs a kernel only where a write came before it, and says that all went well. */
static int written = 0;
static void *real(const char *name) {
    static void *library = NULL;
    if (!library) library = dlopen(getenv("LAZY_REAL"), RTLD_NOW | RTLD_LOCAL);
    return dlsym(library, name);
}
int clEnqueueWriteBuffer(void *q, void *b, unsigned blocking, size_t o, size_t n, const void *p, unsigned c,
                         const void *w, void *e) {
    written = 1;
    int (*call)(void *, void *, unsigned, size_t, size_t, const void *, unsigned, const void *, void *) =
        real("clEnqueueWriteBuffer");
    return call(q, b, blocking, o, n, p, c, w, e);
}
int clEnqueueNDRangeKernel(void *q, void *k, unsigned d, const size_t *o, const size_t *g, const size_t *l, unsigned c,
                           const void *w, void *e) {
    int (*launch)(void *, void *, unsigned, const size_t *, const size_t *, const size_t *, unsigned, const void *,
                  void *) = real("clEnqueueNDRangeKernel");
    int (*mark)(void *, unsigned, const void *, void *) = real("clEnqueueMarkerWithWaitList");
    int run = written;
    written = 0;
    return run ? launch(q, k, d, o, g, l, c, w, e) : mark(q, c, w, e);
}
"""


def test_a_driver_that_only_runs_launches_behind_a_write_is_caught(
    tmp_path: Path, need_platform: Callable[[str], str], host: HostWorker
) -> None:
    """A library in front of the loader drops launches and answers CL_SUCCESS; the first one dropped is named."""
    import importlib.util

    spec = importlib.util.find_spec("pyopencl")
    assert spec is not None
    assert spec.origin is not None
    loaders = sorted(Path(spec.origin).parents[1].glob("pyopencl*/**/libOpenCL*"))
    if not loaders:
        pytest.skip("pyopencl has no loader of its own here")
    (tmp_path / "lazy.c").write_text(LAZY, encoding="utf-8")
    shim = tmp_path / "lazy.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, tmp_path / "lazy.c", "-ldl"], check=True)
    (launch,) = resolve_platforms([f"lazy={need_platform('pocl')}"], scratch=tmp_path)
    environment = {**launch.environment, "LD_PRELOAD": os.fspath(shim), "LAZY_REAL": os.fspath(loaders[0])}
    supervisor = PlatformSupervisor(launch.model_copy(update={"environment": environment}), Deadlines(), tmp_path)
    supervisor.start()
    try:
        answer = Bench(supervisor, host).measure("scalar", SHAPE, iterations=4)
    finally:
        supervisor.close()
    refused(answer, f" {IDLE}")
    assert answer.reason.startswith("session 1: launch ")
