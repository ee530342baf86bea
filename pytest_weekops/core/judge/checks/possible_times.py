"""Checks on the times as such: whether any device could have been so fast, and a clock so exact or so coarse."""

from __future__ import annotations

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed_by_name, passed
from pytest_weekops.core.measurement.peak_bound import most_beyond_peak
from pytest_weekops.core.measurement.records import DeviceIdentity, Measurement
from pytest_weekops.core.policy.policy import Policy
from pytest_weekops.core.units import SHIPPED_UNITS

CLOCK_GHZ = 8.0  # beyond any clock in service
CPU_FLOPS = 128.0  # of a core and cycle: twice two 512-bit fused multiply-adds on float32
OTHER_FLOPS = 8192.0  # the same for GPUs' compute units, and for operations of one's own, which may count int8 on tiles
BYTES = 512.0  # of a core or compute unit and cycle: more than first-level caches give
LEAST_GPU_UNITS = 64  # some drivers tell of one compute unit where there are dozens
LEAST_LAUNCH_NS = 200  # two readings of the clock with an enqueue and a wait between them take longer
COARSE_SHARE = 10  # a clock that ticks but ten times in a launch cannot time it
LEAST_SAMPLES = 8  # of which all are multiples of a large tick by chance with one in ten million at most
_CORES = re.compile(r" x (\d{1,6})$")


def times_possible(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """No launch was faster than any device could be, or shorter than a clock can see, and the times vary like times.

    Nor was one far beyond what level 0 measured of this very device and driver, where that is known.
    """
    check = "times_possible"
    shortest = [(m, _shortest_ns(m)) for m in campaign.counted]
    too_short = ((m.case.id, words) for m, ns in shortest if (words := _too_short(ns)))
    too_fast = ((m.case.id, words) for m, ns in shortest if (words := _too_fast(m, ns)))
    beyond_peak = ((m.case.id, words) for m, ns in shortest if (words := _beyond_peak(campaign, m, ns)))
    return (
        failed_by_name(check, "too_short", too_short, _impossible)
        or failed_by_name(check, "too_fast", too_fast, _impossible)
        or failed_by_name(check, "beyond_peak", beyond_peak, _impossible)
        or failed_by_name(check, "coarse", _coarse(campaign.counted), _impossible)
        or passed(check, "every launch took a time that is possible", observed=0, required=0)
    )


def _impossible(told: str) -> str:
    return f"these times are not possible: {told}. A clock is broken, or launches did not run."


def _shortest_ns(measurement: Measurement) -> int | None:
    return min([min(session.wall_ns) for session in measurement.sessions if session.wall_ns], default=None)


def _too_short(shortest: int | None) -> str:
    if shortest is None or shortest >= LEAST_LAUNCH_NS:
        return ""
    return f"a launch of {shortest} ns, less than {LEAST_LAUNCH_NS} ns"


def _too_fast(measurement: Measurement, fastest: int | None) -> str:
    """The fastest launch against the most that such a device could ever do."""
    return _beyond(measurement, fastest, *most_per_ns(measurement.identity, measurement.operation))


def _beyond_peak(campaign: Campaign, measurement: Measurement, fastest: int | None) -> str:
    """The fastest launch against what level 0 measured of the device, and what a healthy driver may do beyond it."""
    done = measurement.bytes_moved
    for peak in campaign.peaks.get(measurement.case.platform, ()):
        most = most_beyond_peak(peak, measurement.operation, done, is_cpu=measurement.on_cpu)
        if told := _beyond(measurement, fastest, *most):
            return f"{told}: level 0 of {peak.made_at:%Y-%m-%d} measured the device far below it"
    return ""


def _beyond(measurement: Measurement, fastest: int | None, most_flops: float | None, most_bytes: float | None) -> str:
    """The fastest launch where it did more per nanosecond than these; None bounds nothing."""
    if fastest is None or fastest <= 0:
        return ""
    for done, most, unit in (
        (measurement.flops, most_flops, "GFLOPS"),
        (measurement.bytes_moved, most_bytes, "GB/s"),
    ):
        if most is not None and done > most * float(min(fastest, 10**18)):
            return (
                f"{done / fastest:.4g} {unit} in its fastest launch of {fastest} ns, and {most:.4g} cannot be reached"
            )
    return ""


def most_per_ns(identity: DeviceIdentity | None, operation: str) -> tuple[float, float]:
    """Operations and bytes per nanosecond beyond what any such device does: units x width x clock, all generous."""
    units = 1
    is_cpu = identity is not None and identity.is_cpu
    if identity is not None:
        cores = _CORES.search(identity.hardware) if is_cpu else None
        units = max(identity.compute_units, int(cores.group(1)) if cores else 1, 1)
    if not is_cpu:
        units = max(units, LEAST_GPU_UNITS)
    flops = CPU_FLOPS if is_cpu and operation in SHIPPED_UNITS else OTHER_FLOPS
    units = min(units, 10**9)
    return units * flops * CLOCK_GHZ, units * BYTES * CLOCK_GHZ


def _coarse(measured: Sequence[Measurement]) -> list[tuple[str, str]]:
    """Measurements, or else whole cells, of which every launch is a multiple of one large tick."""
    cells: dict[str, list[int]] = defaultdict(list)
    found = []
    for m in measured:
        walls = list(chain.from_iterable(session.wall_ns for session in m.sessions))
        cells[f"{m.case.platform} {m.case.row}"] += walls
        found.append((m.case.id, _tick(walls)))
    return [*found, *((name, _tick(walls)) for name, walls in cells.items())]


def _tick(walls: list[int]) -> str:
    shortest = min(walls, default=0)
    if len(walls) < LEAST_SAMPLES or shortest <= 0:
        return ""
    if walls.count(shortest) == len(walls):
        return f"all {len(walls)} launches took exactly {walls[0]} ns"
    tick = math.gcd(*walls)
    if tick * COARSE_SHARE < shortest or tick * COARSE_SHARE < statistics.median_low(walls):
        return ""
    return f"all {len(walls)} launches took whole multiples of {tick} ns"
