"""One case on one device: warm up, time, verify, session by session."""

from __future__ import annotations

import statistics
from collections.abc import Generator

import numpy as np

from pytest_weekops.core.errors import DeviceError
from pytest_weekops.core.guard.invariants import GUARDED
from pytest_weekops.core.measurement.records import MeasurementStatus, Phase, SessionSamples
from pytest_weekops.core.selection.online import Choice
from pytest_weekops.core.selection.selector import choose_variant, usable
from pytest_weekops.device.described_launcher import DescribedLauncher
from pytest_weekops.device.digest import Digest
from pytest_weekops.device.guard import Guard
from pytest_weekops.device.invariant import Guarded
from pytest_weekops.device.invariant_guard import InvariantGuard, make_invariant_guard
from pytest_weekops.device.known_operations import find_operation
from pytest_weekops.device.launcher import GemmLauncher, Launcher, make_launcher
from pytest_weekops.device.online import Memory, Online
from pytest_weekops.device.opened import OpenDevice
from pytest_weekops.device.operation import Operation, Shape
from pytest_weekops.device.pressure import Pressure
from pytest_weekops.device.sampled import make_guard
from pytest_weekops.device.session import Notify, Session, problem
from pytest_weekops.device.timing import Launch, judge_timer
from pytest_weekops.device.tuning import put_in_force
from pytest_weekops.device.watch import Unwatched, Watch, Watched, WatchedInvariant
from pytest_weekops.files.kernel_sources import Source, load_sources
from pytest_weekops.worker.protocol import Measured, MeasureRequest, Ready, SelectorRequest, Turned, TurnRequest

Steps = Generator[Ready | Turned, TurnRequest, Measured]


def measure(device: OpenDevice, request: MeasureRequest, notify: Notify) -> Steps:
    """Answer one measure request, turn by turn where it asks for turns, else at once.

    Raises what the driver raises; the worker turns that into a status.
    """
    notify(Phase.BUILD)
    _refuse_lanes(request)
    sources = put_in_force(load_sources(request.kernel_dirs), request.tuned, device.identity)
    shape = Shape(m=request.m, n=request.n, k=request.k, alpha=request.alpha, beta=request.beta)
    if request.selector is not None:
        return (yield from _measure_online(device, request, notify, sources, shape, request.selector))
    return (yield from _measure_source(device, request, notify, pick(device, request, sources), shape))


def _measure_online(
    device: OpenDevice,
    request: MeasureRequest,
    notify: Notify,
    sources: dict[str, Source],
    shape: Shape,
    selector: SelectorRequest,
) -> Steps:
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
        judge=lambda found, scaled: problem(found, scaled, request),
        notify=notify,
        priors=selector.priors,
        most_delay_percent=request.max_run_delay_percent,
        memory=Memory.load(selector.memory, device.identity, {mode: s.fingerprint for mode, s in arms.items()}),
    )
    choice = online.choose(selector.draw, selector.pick)
    answer = yield from _measure_source(device, request, notify, arms[choice.arm], shape)
    if answer.status is MeasurementStatus.OK:
        times = [ns * 1e-6 for session in answer.sessions for ns in session.wall_ns]
        if online.settle(choice, statistics.median(times)):
            answer = yield from _measure_source(device, request, notify, arms[online.static], shape)
            choice = Choice(online.static, f"fallback: {choice.arm} was slower by more than the limit")
    else:
        online.wrong(choice.arm, answer.reason)
    return answer.model_copy(update={"selector": online.evidence(choice)})


def _measure_source(device: OpenDevice, request: MeasureRequest, notify: Notify, source: Source, shape: Shape) -> Steps:
    operation = find_operation(request.operation, request.operation_file)
    launcher = make_launcher(device.queue, device.programs, source, shape, operation)
    guard = _guard_of(device, request, launcher, shape)
    try:
        watch = _watch(guard, operation, shape, request)
        return (yield from _measure(device, request, notify, launcher, watch, source, operation, shape))
    finally:
        launcher.release()
        if guard:
            guard.release()


def _watch(guard: Guard | InvariantGuard | None, operation: Operation, shape: Shape, request: MeasureRequest) -> Watch:
    if isinstance(guard, InvariantGuard):
        assert isinstance(operation, Guarded)
        return WatchedInvariant(guard, operation, shape)
    return Watched(guard, shape, cost=request.guard_cost, draw=request.guard_draw) if guard else Unwatched()


def _refuse_lanes(request: MeasureRequest) -> None:
    """T3 and T5 are algebra of matrix products, and some workloads have one of their own; else they prove nothing."""
    guarded = request.guard is not None and request.operation not in GUARDED
    asked = "the guard" if guarded else "online selection" if request.selector else ""
    if asked and request.operation != "gemm":
        raise DeviceError(
            f"{asked} was asked for {request.operation}; it speaks of GEMM alone and would prove nothing here. "
            f"Name the variant {request.kernel} without it."
        )


def _guard_of(
    device: OpenDevice, request: MeasureRequest, launcher: Launcher, shape: Shape
) -> Guard | InvariantGuard | None:
    """The guard of a request that asks for one."""
    if request.guard is None:
        return None
    units = request.k_scaled_bound or 12.0
    if isinstance(launcher, DescribedLauncher):
        return make_invariant_guard(device, launcher, request.kernel_dirs, request.guard, bound_units=units)
    if not isinstance(launcher, GemmLauncher):
        return None
    return make_guard(
        device, launcher, shape, request.kernel_dirs, request.guard, draw=request.guard_draw, bound_units=units
    )


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
) -> Steps:
    pressure = Pressure(device, request, notify) if request.pressure_during else None
    digest = Digest(device.queue, device.programs, device.identity, launcher.output, launcher.area)
    sessions: list[SessionSamples] = []
    launches: list[Launch] = []
    wrong, waited_s = "", 0.0
    for number in range(1, request.sessions + 1):
        session = Session(device, request, notify, launcher, watch, operation, shape, number, digest, pressure)
        session.prepare()
        if request.in_turns:
            yield from _in_turns(session)
        else:
            waited_s += session.run(max(0.0, request.max_wait_s - waited_s))
        samples, wrong = session.finish()
        sessions.append(samples)
        launches += session.timed
        if wrong:
            break
    trust = judge_timer(launches)
    if not trust.trusted:
        sessions = [session.model_copy(update={"device_ns": None}) for session in sessions]
    return Measured(
        status=MeasurementStatus.WRONG if wrong else MeasurementStatus.OK,
        reason=wrong,
        phase=Phase.VERIFY if wrong else None,
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
        waited_s=waited_s,
    )


def _in_turns(session: Session) -> Generator[Ready | Turned, TurnRequest, None]:
    """Launch as the controller asks; what was asked last is answered by what comes after this session."""
    turn = yield Ready(session=session.number, usual_ns=session.usual_ns, planned=session.planned)
    while True:
        before = len(session.timed)
        for left in reversed(range(turn.launches)):
            session.launch(last=turn.last and left == 0)
        if turn.last:
            session.end()
            return
        new = session.timed[before:]
        delays = [launch.delay_ns for launch in new if launch.delay_ns is not None]
        turn = yield Turned(
            wall_ns=tuple(launch.wall_ns for launch in new),
            delay_ns=tuple(delays) if len(delays) == len(new) else None,
            problem=session.caught,
        )
