"""Numbers of one measurement and of one cell, from verified launches only.

Times in milliseconds, throughput in GFLOPS and GB/s; the unit says which of the two the operation is judged in.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from pytest_weekops.core.measurement.calm import calm_ns, limit_beside, pair_logs, turn_times
from pytest_weekops.core.measurement.host_condition import HostCondition
from pytest_weekops.core.measurement.pace import is_covered
from pytest_weekops.core.measurement.plan import CampaignPlan
from pytest_weekops.core.measurement.records import Measurement, SessionSamples, Turns
from pytest_weekops.core.measurement.stats import percentile95
from pytest_weekops.core.units import Unit, amount

_OTHER = {"A": "B", "B": "A"}


class CaseMetrics(NamedTuple):
    """One ok measurement in numbers. ``launches_ms`` are all verified launches in order, the calm ones on a CPU device.

    ``turns_ms`` are the turns that it took with a partner, None where one was not calm. ``pace_ms`` is the mean fixed
    work quantum during them, None where a session has too few. ``beside`` is the log of its speed over that of a
    partner beside it, the median of the calm pairs, and ``beside_ms`` are the partner's calm launches; None and nothing
    where there are too few pairs.
    """

    snapshot: int
    seed: int
    launches_ms: tuple[float, ...]
    mean_gflops: float
    median_ms: float
    p95_ms: float
    anchor_ms: float | None
    pace_ms: float | None = None
    mean_gbs: float = 0.0
    unit: Unit = "GFLOPS"
    turns_ms: tuple[float | None, ...] = ()
    turn_order: tuple[str, ...] = ()
    variant: str = ""
    beside: float | None = None
    beside_ms: tuple[float, ...] = ()

    @property
    def throughput(self) -> float:
        """Mean throughput in :attr:`unit`."""
        return self.mean_gbs if self.unit == "GB/s" else self.mean_gflops

    @property
    def speed(self) -> float:
        """Log throughput without the host's own speed: ln(pace / mean) where there is a pace, or ln(anchor / median).

        Means belong together: where the host was slow for a part of the launches, both hold the same part of it.
        """
        if self.pace_ms is not None:
            return math.log(self.pace_ms / statistics.fmean(self.launches_ms))
        return math.log((self.anchor_ms or 1.0) / self.median_ms)

    @property
    def bare_speed(self) -> float:
        """-ln(median): log throughput as measured."""
        return -math.log(self.median_ms)

    @property
    def slowness95(self) -> float:
        """ln(p95 / pace), or ln(p95 / anchor) without a pace."""
        return math.log(self.p95_ms / (self.pace_ms or self.anchor_ms or 1.0))

    @property
    def bare_slowness95(self) -> float:
        """ln(p95) as measured."""
        return math.log(self.p95_ms)


def case_metrics(measurement: Measurement, plan: CampaignPlan) -> CaseMetrics | None:
    """Metrics of a complete, verified, finite measurement; None for anything less."""
    counted = () if _missing(measurement, plan, timed=True) else counted_ns(measurement, plan)
    if not counted or nonfinite(measurement):
        return None
    launches, turns = _ms(counted), measurement.turns
    ordered = sorted(launches)
    mean_ns = statistics.fmean(launches) * 1e6
    return CaseMetrics(
        snapshot=measurement.case.snapshot,
        seed=measurement.case.seed,
        launches_ms=launches,
        mean_gflops=measurement.flops / mean_ns,
        median_ms=statistics.median(ordered),
        p95_ms=percentile95(ordered),
        anchor_ms=anchor_ms(measurement),
        pace_ms=pace_ms(measurement),
        mean_gbs=measurement.bytes_moved / mean_ns,
        unit=measurement.unit,
        turns_ms=tuple(_turns_ms(measurement, plan)),
        turn_order=turns.order if turns is not None and not turns.broken_off else (),
        variant=measurement.variant,
        **_beside(measurement, plan),
    )


def _beside(measurement: Measurement, plan: CampaignPlan) -> dict[str, Any]:
    logs = partner_pair_logs(measurement, plan)
    turns = measurement.turns
    if turns is None or turns.partner is None or len(logs) < least_pairs(plan):
        return {}
    limit = _limit(measurement, plan)
    return {"beside": statistics.median(logs), "beside_ms": _ms(_calm_ns(turns.partner.sessions, limit))}


def partner_pair_logs(measurement: Measurement, plan: CampaignPlan) -> list[float]:
    """ln(a partner's time / the measurement's own) of each calm pair of turns; nothing where one side is not whole.

    What the partner computed was verified as everything is, and a time without a right result is none.
    """
    turns = measurement.turns
    if plan.partner is None or turns is None or turns.broken_off or turns.partner is None:
        return []
    theirs = turns.partner.sessions
    if not _pairs_up(measurement.sessions, theirs, turns):
        return []
    limit = _limit(measurement, plan)
    return pair_logs(turn_times(theirs, turns.launches, limit), _turns_ms(measurement, plan))


def _pairs_up(mine: Sequence[SessionSamples], theirs: Sequence[SessionSamples], turns: Turns) -> bool:
    """Whether both sides have the same sessions, all verified, with as many launches as the order has turns."""
    if len(mine) != len(theirs) or len(mine) != len(turns.order):
        return False
    for one, other, order in zip(mine, theirs, turns.order, strict=True):
        launches = [order.count(letter) * turns.launches for letter in (turns.letter, _OTHER[turns.letter])]
        if [len(one.wall_ns), len(other.wall_ns)] != launches or one.session != other.session:
            return False
        if not (one.verified and other.verified) or min((*one.wall_ns, *other.wall_ns), default=0) <= 0:
            return False
    return True


def _limit(measurement: Measurement, plan: CampaignPlan) -> float | None:
    """Most run delay of a launch that counts; other programs say nothing of a device that is not the host's CPU."""
    return delay_limit(measurement.host, plan) if measurement.on_cpu else None


def delay_limit(host: HostCondition, plan: CampaignPlan) -> float | None:
    """Most run delay, in percent, of a CPU device's launch that counts on this host; None where every launch does."""
    return limit_beside(host.others_percent, plan.max_run_delay_percent)


def counted_ns(measurement: Measurement, plan: CampaignPlan) -> list[int]:
    """Wall times of the launches that count, in order."""
    return _calm_ns(measurement.sessions, _limit(measurement, plan))


def _calm_ns(sessions: Sequence[SessionSamples], limit: float | None) -> list[int]:
    return list(chain.from_iterable(calm_ns(session, limit) for session in sessions))


def _ms(launches_ns: Sequence[int]) -> tuple[float, ...]:
    return tuple([ns * 1e-6 for ns in launches_ns])


def _turns_ms(measurement: Measurement, plan: CampaignPlan) -> list[float | None]:
    turns = measurement.turns
    if turns is None or turns.broken_off:
        return []
    return turn_times(measurement.sessions, turns.launches, _limit(measurement, plan))


def least_pairs(plan: CampaignPlan) -> int:
    """Pairs of calm turns below which a comparison says nothing: a session's iterations for each session."""
    return plan.sessions * plan.iterations


def case_pair_logs(first: Measurement, second: Measurement, plan: CampaignPlan) -> list[float]:
    """ln(time of the first / time of the second) of each calm pair; nothing where the two did not go in turns."""
    orders = [turns.order if (turns := m.turns) is not None else () for m in (first, second)]
    if orders[0] != orders[1]:
        return []
    return pair_logs(_turns_ms(first, plan), _turns_ms(second, plan))


def anchor_ms(measurement: Measurement) -> float | None:
    """Mean of the anchor before and after, where both are usable; None on a device that is not the host's CPU.

    Divided by a host that slowed down at the same time, the fall of a GPU would be none.
    """
    if not measurement.on_cpu:
        return None
    before, after = measurement.host.anchor_before_ms, measurement.host.anchor_after_ms
    if before is None or after is None:
        return None
    usable = math.isfinite(before) and math.isfinite(after) and before > 0 and after > 0
    return (before + after) / 2.0 if usable else None


def pace_ms(measurement: Measurement) -> float | None:
    """Mean over sessions of the mean fixed work quantum, where every session has enough of them; as the anchor."""
    paces = measurement.host.paces
    if not measurement.on_cpu or not paces or not is_covered(paces, len(measurement.sessions)):
        return None
    mean = statistics.fmean([pace.mean_us for pace in paces]) * 1e-3
    return mean if math.isfinite(mean) else None


def on_one_clock(rows: Sequence[CaseMetrics]) -> tuple[CaseMetrics, ...]:
    """The rows of a cell, all with a pace or none: a pace and an anchor are not compared with each other."""
    if len({row.pace_ms is None for row in rows}) < 2:
        return tuple(rows)
    return tuple(row._replace(pace_ms=None) for row in rows)


def incompleteness(measurement: Measurement, plan: CampaignPlan, *, timed: bool = True) -> str:
    """What of the planned launches is missing or unverified, or nothing.

    Where times are not judged, one launch in each session is enough, and other programs may have run beside it.
    """
    if missing := _missing(measurement, plan, timed=timed):
        return missing
    limit = _limit(measurement, plan)
    is_bare = timed and not any(calm_ns(session, limit) for session in measurement.sessions)
    return "no launch was calm" if is_bare else ""


def _missing(measurement: Measurement, plan: CampaignPlan, *, timed: bool) -> str:
    least = plan.iterations if timed else 1
    sessions = measurement.sessions
    watched = timed and measurement.on_cpu and plan.max_run_delay_percent is not None
    if [session.session for session in sessions] != list(range(1, plan.sessions + 1)):
        return f"{len(sessions)} of {plan.sessions} sessions"
    for session in sessions:
        if len(session.wall_ns) < least:
            return f"{len(session.wall_ns)} of {least} launches in session {session.session}"
        if watched and session.delay_ns is None:
            return f"session {session.session} has no run delay: nobody saw whether other programs ran"
        if not session.verified:
            return f"session {session.session} is not verified"
    return ""


def nonfinite(measurement: Measurement) -> str:
    """Which number is not finite or not positive, or nothing. Zero launches are incomplete, not finite."""
    if not math.isfinite(measurement.flops) or measurement.flops <= 0:
        return f"flops is {measurement.flops}"
    done = amount(measurement.unit, measurement.flops, measurement.bytes_moved)
    if not math.isfinite(done) or done <= 0:
        return f"bytes_moved is {done}, and {measurement.operation} is judged in {measurement.unit}"
    for session in measurement.sessions:
        if min(session.wall_ns, default=1) <= 0:
            return f"a launch of session {session.session} took no time"
        if session.nonfinite:
            return f"{session.nonfinite} elements of session {session.session} are not finite"
        if not 0 <= session.max_abs_error < math.inf:
            return f"max_abs_error of session {session.session} is {session.max_abs_error}"
        if not 0 <= session.k_scaled_error < math.inf:
            return f"k_scaled_error of session {session.session} is {session.k_scaled_error}"
    return ""


def all_launches(rows: Sequence[CaseMetrics]) -> list[float]:
    """Every verified launch of a cell in milliseconds."""
    return [ms for row in rows for ms in row.launches_ms]


def mean_throughput(rows: Sequence[CaseMetrics]) -> float:
    """Mean over measurements of each measurement's mean throughput, in the cell's unit."""
    return statistics.fmean(row.throughput for row in rows)


def cell_unit(rows: Sequence[CaseMetrics]) -> Unit | None:
    """What a cell is judged in; None where its measurements do not agree, so that nothing can be said."""
    units = {row.unit for row in rows}
    return units.pop() if len(units) == 1 else None


def mean_gflops(rows: Sequence[CaseMetrics]) -> float:
    """Mean over measurements of each measurement's mean GFLOPS."""
    return statistics.fmean(row.mean_gflops for row in rows)


def mean_gbs(rows: Sequence[CaseMetrics]) -> float:
    """Mean over measurements of each measurement's mean GB/s."""
    return statistics.fmean(row.mean_gbs for row in rows)


def mean_anchor(rows: Sequence[CaseMetrics]) -> float | None:
    """Mean anchor of a cell, where every measurement has one."""
    anchors = [row.anchor_ms for row in rows]
    return statistics.fmean(a for a in anchors if a is not None) if anchors and None not in anchors else None


def witnesses_of(rows: Sequence[CaseMetrics]) -> tuple[str, ...]:
    """Which numbers tell of a change of speed: the ratio to the partner where each row has it, else two of one's own.

    Those are the times over the host's clock and as measured: a fall in the first alone may be the host's, in the
    second alone that clock's.
    """
    if rows and all(row.beside is not None for row in rows):
        return ("beside",)
    return ("speed", "bare_speed")


def by_snapshot(rows: Sequence[CaseMetrics], value: str) -> list[float]:
    """Per snapshot, the mean of a metric over seeds; in snapshot order."""
    found: dict[int, list[float]] = {}
    for row in rows:
        found.setdefault(row.snapshot, []).append(getattr(row, value))
    return [statistics.fmean(found[snapshot]) for snapshot in sorted(found)]
