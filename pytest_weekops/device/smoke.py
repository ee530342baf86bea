"""The driver smoke: small steps from enumeration to a verified, timed launch, each with a recommendation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyopencl as cl

from pytest_weekops.core.errors import BuildError
from pytest_weekops.core.measurement.advice import advise
from pytest_weekops.core.measurement.catalog import (
    ABORTS_ON_ATOMICS,
    ABORTS_ON_HALVES,
    ABORTS_ON_IMAGES,
    ABORTS_ON_POINTER_RESULTS,
    ABORTS_ON_SUB_RECTANGLES,
    ABORTS_ON_VECTOR_LOADS,
    FAILS_IN_WIDE_VECTORS,
    FORGETS_ARGUMENTS,
    FUSES_NO_DOUBLES,
    WRONG_IN_MAD_SAT,
    WRONG_IN_STRICT_MATH,
)
from pytest_weekops.core.measurement.records import Phase
from pytest_weekops.device.launcher import make_launcher
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Gemm, Shape
from pytest_weekops.device.program import build, kernels_of
from pytest_weekops.device.timing import judge_timer, time_launch
from pytest_weekops.device.verify import compare, scaled_error
from pytest_weekops.files.kernel_sources import load_sources
from pytest_weekops.worker.protocol import Smoked, SmokeRequest, SmokeStep

_SHAPE = Shape(m=61, n=67, k=71)
_SCALED_BOUND = 32.0
_LOOPS = 70_000
_LOOP_PROBE = """
__kernel void count(__global int *out, const int loops)
{
    volatile int sum = 0;
    for (int i = 0; i < loops; ++i)
        sum += 1;
    out[get_global_id(0)] = sum;
}
"""
_LEAST_ALLOC = 64 * 2**20
_LEAST_GROUP = 144

Notify = Callable[[Phase], None]


def smoke(device: OpenDevice, request: SmokeRequest, notify: Notify) -> Smoked:
    """Run every step; a step that raises has failed, and the next one is still tried."""
    steps = [_identity(device)]
    for step in (_run_and_verify, _timer, _limits, _loops):
        try:
            steps += step(device, request, notify)
        except (cl.Error, BuildError, ValueError, OSError) as error:
            steps.append(
                SmokeStep(
                    name=step.__name__.strip("_").replace("_", " "),
                    status="failed",
                    detail=str(error)[:500],
                    recommendation=advise(
                        str(error),
                        "The driver refused a plain request. Choose another platform or version.",
                    ),
                )
            )
    steps += _known_quirks(device)
    return Smoked(steps=tuple(steps))


def _identity(device: OpenDevice) -> SmokeStep:
    who = device.identity
    detail = f"{who.platform_name}, {who.device_name}, driver {who.driver_version}"
    if not who.library_sha256:
        advice = "The driver's library was not found among the loaded files, so its hash is unknown. Name its ICD file."
        return SmokeStep(name="identity", status="warning", detail=detail, recommendation=advice)
    return SmokeStep(name="identity", status="ok", detail=f"{detail}, {who.library} {who.library_sha256[:12]}")


def _run_and_verify(device: OpenDevice, request: SmokeRequest, notify: Notify) -> list[SmokeStep]:
    """Compile and run the scalar variant, and compare with float64."""
    notify(Phase.BUILD)
    source = load_sources(request.kernel_dirs)["scalar"]
    launcher = make_launcher(device.queue, device.programs, source, _SHAPE)
    steps = [SmokeStep(name="compile", status="ok", detail=source.path.name)]
    try:
        operation = Gemm()
        inputs = operation.inputs(_SHAPE, 1, 1)
        launcher.upload(inputs)
        launcher.poison()
        notify(Phase.LAUNCH)
        launcher.enqueue()
        device.queue.finish()
        notify(Phase.READ_BACK)
        found = compare(launcher.read(), operation.reference(_SHAPE, inputs))
    finally:
        launcher.release()
    scaled = scaled_error(found.max_abs_error, operation.error_unit(_SHAPE, inputs))
    good = found.nonfinite == 0 and scaled <= _SCALED_BOUND
    detail = f"largest error {found.max_abs_error:.3g}, {scaled:.3g} rounding units, {found.nonfinite} not finite"
    advice = "" if good else "Results of this driver are wrong. Do not promote it; try another version."
    steps.append(
        SmokeStep(name="run and verify", status="ok" if good else "failed", detail=detail, recommendation=advice)
    )
    return steps


def _timer(device: OpenDevice, request: SmokeRequest, notify: Notify) -> list[SmokeStep]:
    """Whether event times can be believed."""
    source = load_sources(request.kernel_dirs)["scalar"]
    shape = Shape(m=96, n=96, k=96)
    launcher = make_launcher(device.queue, device.programs, source, shape)
    try:
        launcher.upload(Gemm().inputs(shape, 1, 1))
        launches = []
        for _ in range(5):
            notify(Phase.LAUNCH)
            launches.append(time_launch(device.queue, launcher.enqueue))
    finally:
        launcher.release()
    trust = judge_timer(launches)
    if trust.trusted:
        return [SmokeStep(name="timer", status="ok", detail=trust.reason)]
    advice = "Event times are not used; the host clock is. Ratios stay valid, since both sides use the same clock."
    return [SmokeStep(name="timer", status="warning", detail=trust.reason, recommendation=advice)]


def _limits(device: OpenDevice, request: SmokeRequest, notify: Notify) -> list[SmokeStep]:  # noqa: ARG001
    """Memory and work-group limits against what the shipped variants use."""
    notify(Phase.CONTEXT)
    who = device.identity
    detail = (
        f"{who.max_work_group_size} work-items per group, {who.local_mem_bytes} bytes local, "
        f"{who.max_alloc_bytes // 2**20} MiB per buffer, {who.global_mem_bytes // 2**20} MiB in all"
    )
    small = who.max_work_group_size < _LEAST_GROUP or who.max_alloc_bytes < _LEAST_ALLOC
    advice = "tile20 and tile24 do not fit, or only small sizes do. Use --kernels auto and smaller --sizes."
    status = "warning" if small else "ok"
    return [SmokeStep(name="limits", status=status, detail=detail, recommendation=advice if small else "")]


def _loops(device: OpenDevice, request: SmokeRequest, notify: Notify) -> list[SmokeStep]:  # noqa: ARG001
    """Whether a long loop runs to its end: llvmpipe stops after 65,535 iterations and calls it success."""
    notify(Phase.BUILD)
    kernel = kernels_of(build(device.context, device.device, _LOOP_PROBE, (), "loop probe"))["count"]
    out = cl.Buffer(device.context, cl.mem_flags.READ_WRITE, 4)
    kernel.set_args(out, np.int32(_LOOPS))
    notify(Phase.LAUNCH)
    cl.enqueue_nd_range_kernel(device.queue, kernel, (1,), None)
    result = np.zeros(1, dtype=np.int32)
    cl.enqueue_copy(device.queue, result, out, is_blocking=True)
    out.release()
    counted = int(result[0])
    if counted == _LOOPS:
        return [SmokeStep(name="long loops", status="ok", detail=f"{_LOOPS} iterations ran")]
    advice = "This driver cuts long loops off and reports success. Keep every work-item below 65,535 iterations."
    return [
        SmokeStep(
            name="long loops",
            status="warning",
            detail=f"{_LOOPS} iterations were asked for, {counted} ran",
            recommendation=advice,
        )
    ]


def _known_quirks(device: OpenDevice) -> list[SmokeStep]:
    advice = {
        ABORTS_ON_VECTOR_LOADS: "vload and vstore abort this compiler. The shipped variants read through pointers.",
        ABORTS_ON_ATOMICS: "Atomic operations abort this compiler. Variants that need them are refused, not built.",
        ABORTS_ON_POINTER_RESULTS: "frexp, modf and their kind abort this compiler. Take functions of one result.",
        ABORTS_ON_HALVES: "vload_half and vstore_half abort this compiler. Keep floats in memory.",
        ABORTS_ON_IMAGES: "Image arguments abort this compiler. Read buffers.",
        ABORTS_ON_SUB_RECTANGLES: "A rectangle copied between sub-buffers crashes this version. Copy row by row.",
        FORGETS_ARGUMENTS: "Arguments set later reach a kernel that waits in the queue. Use a kernel object each.",
        WRONG_IN_STRICT_MATH: "tgamma, ldexp or signs of zeros are wrong in this version: math_strict is left out.",
        FAILS_IN_WIDE_VECTORS: "Vectors of 64 bytes do not compile in this version, or are wrong. Take narrower ones.",
        WRONG_IN_MAD_SAT: "mad_sat of int and uint does not saturate in this version. Saturate a sum of longs.",
        FUSES_NO_DOUBLES: "fma of doubles rounds the product first in this version: double_fma is left out.",
        "stops-after-65535-loop-iterations": "Unroll inner loops; the shipped variants stay below the limit.",
    }
    return [
        SmokeStep(name="known quirk", status="warning", detail=quirk, recommendation=advice.get(quirk, ""))
        for quirk in device.identity.quirks
    ]
