"""One case on one device: warm up, time, verify, session by session."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase, SessionSamples
from pytest_weekops.core.measurement.session import LONG_WARM_UP_S, STEADY_MEDIANS, launch_count
from pytest_weekops.core.selection.online import Choice
from pytest_weekops.core.selection.selector import choose_variant, usable
from pytest_weekops.device.guard import Guard
from pytest_weekops.device.known_operations import find_operation
from pytest_weekops.device.launcher import GemmLauncher, Launcher, make_launcher
from pytest_weekops.device.online import Memory, Online
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Operation, Shape
from pytest_weekops.device.pressure import Pressure
from pytest_weekops.device.sampled import make_guard
from pytest_weekops.device.timing import Launch, judge_timer, time_launch
from pytest_weekops.device.tuning import put_in_force
from pytest_weekops.device.verify import Comparison, compare, refuse_wide_bound
from pytest_weekops.device.watch import Unwatched, Watch, Watched
from pytest_weekops.files.kernel_sources import Source, load_sources
from pytest_weekops.worker.protocol import Measured, MeasureRequest, SelectorRequest

STEADY_SHARE = 0.05

Notify = Callable[[Phase], None]


def measure(device: OpenDevice, request: MeasureRequest, notify: Notify) -> Measured:
    """Answer one measure request. Raises what the driver raises; the worker turns that into a status."""
    notify(Phase.BUILD)
    _refuse_lanes(request)
    sources = put_in_force(load_sources(request.kernel_dirs), request.tuned, device.identity)
    shape = Shape(m=request.m, n=request.n, k=request.k, alpha=request.alpha, beta=request.beta)
    if request.selector is not None:
        return _measure_online(device, request, notify, sources, shape, request.selector)
    return _measure_source(device, request, notify, pick(device, request, sources), shape)


def _measure_online(
    device: OpenDevice,
    request: MeasureRequest,
    notify: Notify,
    sources: dict[str, Source],
    shape: Shape,
    selector: SelectorRequest,
) -> Measured:
    """Choose a variant by what is known and tried, measure it, and fall back to the static one where that is due."""
    operation = find_operation(request.operation, request.operation_file)
    arms = {mode: source for mode, source in sources.items() if source.entry.operation == request.operation}
    online = Online(
        device=device,
        sources=arms,
        operation=operation,
        shape=shape,
        rules=selector.rules,
        inputs=operation.inputs(shape, request.seed, 1),
        reference=np.load(request.references[1], mmap_mode="r"),
        judge=lambda found, scaled: _problem(found, scaled, request, 1),
        notify=notify,
        priors=selector.priors,
        memory=Memory.load(selector.memory, device.identity, {mode: s.fingerprint for mode, s in arms.items()}),
    )
    choice = online.choose(selector.draw, selector.pick)
    answer = _measure_source(device, request, notify, arms[choice.arm], shape)
    if answer.status is MeasurementStatus.OK:
        times = [ns * 1e-6 for session in answer.sessions for ns in session.wall_ns]
        if online.settle(choice, statistics.median(times)):
            answer = _measure_source(device, request, notify, arms[online.static], shape)
            choice = Choice(online.static, f"fallback: {choice.arm} was slower by more than the limit")
    else:
        online.wrong(choice.arm, answer.reason)
    return answer.model_copy(update={"selector": online.evidence(choice)})


def _measure_source(
    device: OpenDevice, request: MeasureRequest, notify: Notify, source: Source, shape: Shape
) -> Measured:
    operation = find_operation(request.operation, request.operation_file)
    launcher = make_launcher(device.queue, device.programs, source, shape, operation)
    guard = _guard_of(device, request, launcher, shape)
    watch = Watched(*guard, shape) if guard else Unwatched()
    try:
        return _measure(device, request, notify, launcher, watch, source, operation, shape)
    finally:
        launcher.release()
        if guard:
            guard[0].release()


def _refuse_lanes(request: MeasureRequest) -> None:
    """T3 and T5 are algebra of matrix products; on anything else they would prove nothing."""
    asked = "the guard" if request.guard else "online selection" if request.selector else ""
    if asked and request.operation != "gemm":
        raise DeviceError(
            f"{asked} was asked for {request.operation}; it speaks of GEMM alone and would prove nothing here. "
            f"Name the variant {request.kernel} without it."
        )


def _guard_of(
    device: OpenDevice, request: MeasureRequest, launcher: Launcher, shape: Shape
) -> tuple[Guard, GemmLauncher] | None:
    """The guard of a request that asks for one, with the launcher it watches."""
    if request.guard is None or not isinstance(launcher, GemmLauncher):
        return None
    units = request.k_scaled_bound or 12.0
    guard = make_guard(
        device, launcher, shape, request.kernel_dirs, request.guard, draw=request.guard_draw, bound_units=units
    )
    return guard, launcher


def pick(device: OpenDevice, request: MeasureRequest, sources: dict[str, Source]) -> Source:
    """The source behind the request's kernel mode."""
    entries = {mode: s.entry for mode, s in sources.items() if s.entry.operation == request.operation}
    known = sources.get(request.kernel)
    if known is not None and known.entry.operation != request.operation:
        raise DeviceError(
            f"{request.kernel} computes {known.entry.operation}, and {request.operation} was asked for. T3, T5 and the "
            f"fault campaign speak of GEMM alone. Name a variant of {request.operation}."
        )
    if request.operation != "gemm":
        if known is None:
            raise DeviceError(
                f"{request.kernel} is no variant of {request.operation}; auto and the controlled lanes choose among "
                f"GEMM variants only. Name one of {', '.join(entries) or 'none'}."
            )
        if reason := usable(known.entry, device.identity):
            raise DeviceError(f"Variant {request.kernel} {reason}. It cannot run here. Leave it out or take another.")
        return known
    chosen = choose_variant(request.kernel, device.identity, request.m, request.n, request.k, entries)
    return sources[chosen.mode]


def _measure(
    device: OpenDevice,
    request: MeasureRequest,
    notify: Notify,
    launcher: Launcher,
    watch: Watch,
    source: Source,
    operation: Operation,
    shape: Shape,
) -> Measured:
    pressure = Pressure(device, request, notify) if request.pressure_during else None
    sessions: list[SessionSamples] = []
    launches: list[Launch] = []
    problem = ""
    for number in range(1, request.sessions + 1):
        samples, timed, reason = _session(device, request, notify, launcher, watch, operation, shape, number, pressure)
        sessions.append(samples)
        launches += timed
        problem = problem or reason
        if reason:
            break
    trust = judge_timer(launches)
    if not trust.trusted:
        sessions = [session.model_copy(update={"device_ns": None}) for session in sessions]
    return Measured(
        status=MeasurementStatus.WRONG if problem else MeasurementStatus.OK,
        reason=problem,
        phase=Phase.VERIFY if problem else None,
        variant=source.entry.mode,
        unit=operation.unit,
        flops=operation.flops(shape),
        bytes_moved=operation.bytes_moved(shape),
        kernel_sha256=source.sha256,
        build_options=device.programs.options(source),
        sessions=tuple(sessions),
        timer=trust,
        guard=watch.evidence(),
        pressure_completed=pressure.completed if pressure else 0,
    )


def _session(
    device: OpenDevice,
    request: MeasureRequest,
    notify: Notify,
    launcher: Launcher,
    watch: Watch,
    operation: Operation,
    shape: Shape,
    number: int,
    pressure: Pressure | None,
) -> tuple[SessionSamples, list[Launch], str]:
    notify(Phase.UPLOAD)
    inputs = operation.inputs(shape, request.seed, number)
    launcher.upload(inputs)
    watch.begin(inputs, seed=request.seed, session=number)
    launcher.poison()
    warm = _warm_up(device, request, notify, launcher, watch)
    caught = watch.trust()
    usual = statistics.median(launch.wall_ns for launch in warm) if warm else 0.0
    count = launch_count(request.iterations, request.least_session_ms, usual)
    timed: list[Launch] = []
    for iteration in range(count):
        if pressure is not None:
            pressure.between(iteration, count)
        # The last result is the one verified: poisoned, so that a launch that was dropped cannot pass for it.
        if iteration in (0, count - 1) or shape.beta != 0.0:
            launcher.poison()
        notify(Phase.LAUNCH)
        watch.before(count - 1 - iteration)
        timed.append(time_launch(device.queue, launcher.enqueue, watch.behind(usual)))
        caught = caught or watch.after(timed[-1].wall_ns)
        if caught:
            break
    if caught:  # the element-wise comparison below knows the first B's result only
        watch.before(0)
        time_launch(device.queue, launcher.enqueue)
    notify(Phase.READ_BACK)
    result = launcher.read()
    notify(Phase.VERIFY)
    reference = np.load(request.references[number], mmap_mode="r")
    found = compare(result, reference)
    unit = operation.error_unit(shape, inputs)
    if request.operation != "gemm":  # without an absolute bound, this one decides alone
        refuse_wide_bound(unit, request.k_scaled_bound, reference, request.operation)
    scaled = found.max_abs_error / unit if unit > 0 else found.max_abs_error
    reason = f"session {number}: {caught}" if caught else _problem(found, scaled, request, number)
    device_ns = [launch.device_ns for launch in timed]
    samples = SessionSamples(
        session=number,
        warmup_ns=tuple(launch.wall_ns for launch in warm),
        wall_ns=tuple(launch.wall_ns for launch in timed),
        device_ns=None if None in device_ns else tuple(ns for ns in device_ns if ns is not None),
        start_ns=tuple(launch.start_ns for launch in timed),
        verified=not reason,
        max_abs_error=found.max_abs_error,
        k_scaled_error=scaled,
        error_scale=unit,
        nonfinite=found.nonfinite,
    )
    return samples, timed, reason


def _warm_up(
    device: OpenDevice, request: MeasureRequest, notify: Notify, launcher: Launcher, watch: Watch
) -> list[Launch]:
    """Launch until the last five running medians agree within 5 %, within the request's bounds."""
    launches: list[Launch] = []
    medians: list[float] = []
    began = time.monotonic()
    while len(launches) < request.warmup_max:
        notify(Phase.WARM_UP)
        if request.beta != 0.0:
            launcher.poison()
        watch.before(len(launches))
        launches.append(time_launch(device.queue, launcher.enqueue))
        medians.append(statistics.median(launch.wall_ns for launch in launches[-STEADY_MEDIANS:]))
        if len(launches) >= 2 and time.monotonic() - began > LONG_WARM_UP_S:
            break
        if len(launches) >= request.warmup_min and _steady(medians[-STEADY_MEDIANS:]):
            break
    return launches


def _steady(medians: list[float]) -> bool:
    return len(medians) >= STEADY_MEDIANS and max(medians) <= (1.0 + STEADY_SHARE) * min(medians)


def _problem(found: Comparison, scaled: float, request: MeasureRequest, session: int) -> str:
    """Why a result is wrong, or nothing. Written so that a NaN fails every comparison."""
    where = (
        f"session {session}, row {found.row}, column {found.column}: {found.value!r} where {found.expected!r} is right"
    )
    if found.nonfinite:
        return f"{found.nonfinite} elements are not finite; {where}"
    if request.max_abs_error is not None and not found.max_abs_error <= request.max_abs_error:
        return f"error {found.max_abs_error:.3g} exceeds {request.max_abs_error:.3g}; {where}"
    if request.k_scaled_bound is not None and not scaled <= request.k_scaled_bound:
        return f"error of {scaled:.3g} rounding units exceeds {request.k_scaled_bound:.3g}; {where}"
    if request.max_abs_error is None and request.k_scaled_bound is None:
        return "no bound was given, so nothing can be called right"
    return ""
