"""Checks on the clocks: launches one after the other, within what the run says it took, in the order it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from operator import add, gt, le
from typing import NamedTuple, cast

from pytest_weekops.core.judge.campaign import Campaign
from pytest_weekops.core.judge.finding import Finding
from pytest_weekops.core.judge.outcome import failed_by_name, inconclusive, listed, no_data, passed, problems_of
from pytest_weekops.core.measurement.records import Measurement, SessionSamples
from pytest_weekops.core.measurement.schedule import place_of
from pytest_weekops.core.measurement.segments import Segment, segment_at
from pytest_weekops.core.policy.policy import Policy

SLACK_NS = 1_000_000  # between what worker and controller read of the same clock
SLACK_S = 2.0  # by which a time service may set the host's clock
SHORT_NS, LEAST_SHARE = 5_000_000, 0.5  # of a launch no shorter, a trusted event time is half at least
SLEW = 0.9  # of the host's clock against its monotonic one: time services slew by less than a tenth
LONGEST_DAYS = 31
_UNITS = "what was measured at one time"  # as a campaign remembers it

Launches = tuple[list[int], list[int]]  # where each began and where it ended, on the monotonic clock in nanoseconds


class Unit(NamedTuple):
    """What was measured at one time: a measurement, or two that took turns. Seconds; nanoseconds where it says so.

    ``first_ns`` is the start of its first timed launch on the monotonic clock, None where it has no launch, and
    ``last_ns`` the end of its last; ``is_apart`` says that no two of its launches ran at a time, ``is_in_order`` that
    they also stand in their records as they ran. ``segment`` is the place of its segment of the run, ``boot`` the boot
    in which the monotonic clock had its times; ``order`` is the number that no other unit has.
    """

    measurements: tuple[Measurement, ...]
    started: datetime
    elapsed_s: float
    first_ns: int | None
    last_ns: int
    is_apart: bool
    is_in_order: bool
    segment: int = 0
    boot: str = ""
    order: int = 0

    @property
    def name(self) -> str:
        """Its cases for people."""
        return " and ".join(m.case.id for m in self.measurements)


def clocks_agree(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001 - the checks' common signature
    """Launches follow each other and fit into the time their measurement took, and both clocks tell the same."""
    check = "clocks_agree"
    measured = campaign.counted
    unstamped = [m.case.id for m in measured if not _is_stamped(m)]
    if unstamped:
        message = f"no time stamps, or some that are none: {listed(unstamped)}. Nothing shows when this was measured."
        return no_data(check, "unstamped", message, rows=tuple(unstamped), observed=len(unstamped), required=0)
    units = units_of(campaign)
    doubtful = {m.order for unit in units if not unit.is_in_order for m in unit.measurements}
    together = problems_of([m for m in measured if m.order in doubtful], _backward)
    return (
        failed_by_name(check, "opening", _before_opening(campaign.segments, units), _contradiction)
        or failed_by_name(check, "overlap", chain(together, _overlapping(units)), _contradiction)
        or failed_by_name(check, "beyond_elapsed", problems_of(measured, _beyond), _contradiction)
        or failed_by_name(check, "device_clock", problems_of(measured, _contradicted), _contradiction)
        or passed(check, "every launch lies where its clocks say", observed=0, required=0)
    )


def order_kept(policy: Policy, campaign: Campaign) -> Finding:  # noqa: ARG001
    """The host's clock went on as its monotonic one did, from the run's beginning, in the order of measurement.

    No snapshot was measured behind a later one, and none in another order than the plan's.
    """
    check = "order_kept"
    units = units_of(campaign)
    bad = [*_outside(campaign, units), *_disordered(units), *_out_of_segment(campaign.segments, units)]
    if bad:
        words = listed([f"{name} {problem}" for name, problem in bad])
        message = f"{words}. The host's clock was set during the run, or these records are of several runs. Run again."
        rows = tuple(name for name, _problem in bad)
        return inconclusive(check, "clock_set", message, rows=rows, observed=len(bad), required=0)
    round_of_all = "A snapshot is one round of all cells, and how much snapshots differ says how sure the verdict is."
    balanced = (
        "In a snapshot the plan balances which platform comes first, so that a host that gets slower favours none."
    )
    return (
        _other_order(check, _behind_later_ones(campaign), round_of_all)
        or _other_order(check, _out_of_turn(campaign), balanced)
        or passed(check, "measurements follow each other as their order says", observed=0, required=0)
    )


def _other_order(check: str, found: Sequence[tuple[str, str]], why: str) -> Finding | None:
    """That these measurements, by name and in words, are not where the plan has them, and why that counts."""
    if not found:
        return None
    message = (
        f"{listed([words for _name, words in found])}. {why} Take out what sorts the campaign's tests, and run again."
    )
    rows = tuple(name for name, _words in found)
    return inconclusive(check, "other_order", message, rows=rows, observed=len(found), required=0)


def _contradiction(told: str) -> str:
    return f"the clocks contradict each other: {told}. A clock is broken, or these records are of several runs."


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _is_stamped(m: Measurement) -> bool:
    whole = all(len(session.start_ns) == len(session.wall_ns) for session in m.sessions)
    timed = math.isfinite(m.elapsed_s) and m.elapsed_s > 0
    return whole and timed and m.order > 0 and _moment(m.started_at) is not None


def _took_s(m: Measurement) -> float:
    """Seconds that it took with its partner, if it had one: of such a pair, each record has half."""
    return m.elapsed_s * (2 if m.turns is not None and m.turns.with_platform else 1)


def _launches(sessions: Iterable[SessionSamples]) -> Launches:
    """The timed launches of these sessions in order, as far as they are stamped."""
    starts: list[int] = []
    ends: list[int] = []
    for session in sessions:
        starts += session.start_ns[: len(session.wall_ns)]
        ends += map(add, session.start_ns, session.wall_ns)
    return starts, ends


def _in_time(launches: Launches) -> Launches:
    """The same by their beginnings."""
    pairs = sorted(zip(*launches, strict=True))
    return [start for start, _end in pairs], [end for _start, end in pairs]


def _follow(launches: Launches) -> bool:
    """Whether each begins after the one before it has ended, or just then."""
    starts, ends = launches
    return all(map(le, ends, starts[1:]))


def _all_sessions(m: Measurement) -> tuple[SessionSamples, ...]:
    """Those of a measurement, and of its partner where that has no record of its own."""
    partner = m.turns.partner if m.turns is not None else None
    return m.sessions if partner is None else m.sessions + partner.sessions


def units_of(campaign: Campaign) -> tuple[Unit, ...]:
    """What was measured, void or not, in the order of measurement; two that took turns are one."""
    if _UNITS not in campaign.memory:
        campaign.memory[_UNITS] = tuple(_units(campaign))
    return cast("tuple[Unit, ...]", campaign.memory[_UNITS])


def _units(campaign: Campaign) -> Iterator[Unit]:
    groups: dict[tuple[object, ...], list[Measurement]] = {}
    for m in sorted((m for m in campaign.measurements if m.order > 0), key=lambda m: m.order):
        in_turns = m.turns is not None and m.turns.with_platform
        case = m.case
        cell = (case.kernel, case.size, case.seed, case.snapshot, m.attempt)
        key = (m.started_at, *cell) if in_turns else (m.order, case.platform, *cell)
        groups.setdefault(key, []).append(m)
    for group in groups.values():
        started = _moment(group[0].started_at)
        took = _took_s(group[0])
        if started is not None and math.isfinite(took):
            launches = _launches(chain.from_iterable(map(_all_sessions, group)))
            is_in_order = _follow(launches) and all(map(le, *launches))
            if not is_in_order:
                launches = _in_time(launches)
            place = segment_at(campaign.segments, group[0].order)
            yield Unit(
                measurements=tuple(group),
                started=started,
                elapsed_s=took,
                first_ns=launches[0][0] if launches[0] else None,
                last_ns=launches[1][-1] if launches[1] else 0,
                is_apart=is_in_order or _follow(launches),
                is_in_order=is_in_order,
                segment=place,
                boot=campaign.segments[place].boot_id if campaign.segments else "",
                order=group[0].order,
            )


def _backward(m: Measurement) -> str:
    """Whether a launch began before the one before it had ended: one worker launches one by one."""
    launches = _launches(m.sessions)
    if _follow(launches):
        return ""
    starts, ends = launches
    too_early = next(end - start for end, start in zip(ends, starts[1:], strict=False) if start < end)
    return f"a launch began {too_early} ns before the one before it had ended"


def _overlapping(units: Sequence[Unit]) -> list[tuple[str, str]]:
    """Units with two launches at a time, and units whose launches began before the last of that boot had ended."""
    found = []
    lasts: dict[str, Unit] = {}
    for unit in units:
        last = lasts.get(unit.boot)
        if not unit.is_apart:
            found.append((unit.name, "two launches ran at the same time"))
        if unit.first_ns is None:
            continue
        if last is not None and unit.first_ns < last.last_ns:
            early_ns = last.last_ns - unit.first_ns
            found.append((unit.name, f"its first launch began {early_ns} ns before {last.name} had ended"))
        lasts[unit.boot] = unit
    return found


def _beyond(m: Measurement) -> str:
    """Whether launches take longer than the measurement took as a whole, by its controller's watch."""
    limit = _took_s(m) * 1e9 + SLACK_NS
    spent = sum(sum(session.warmup_ns) + sum(session.wall_ns) for session in m.sessions)
    timed = [session for session in m.sessions if session.wall_ns]
    span = timed[-1].start_ns[-1] + timed[-1].wall_ns[-1] - timed[0].start_ns[0] if timed else 0
    if max(spent, span) <= limit:
        return ""
    return f"launches of {max(spent, span)} ns in a measurement that took {_took_s(m):.6g} s"


def _contradicted(m: Measurement) -> str:
    """Whether the device's clock, called trusted, says what made the worker distrust it."""
    if m.timer is None or not m.timer.trusted:
        return ""
    for session in m.sessions:
        if session.device_ns is None or len(session.device_ns) != len(session.wall_ns):
            return f"the device's times of session {session.session} are not there, and its clock is called trusted"
        if not _may_contradict(session.device_ns, session.wall_ns):
            continue
        for device, wall in zip(session.device_ns, session.wall_ns, strict=True):
            if device > wall or (wall >= SHORT_NS and device < LEAST_SHARE * min(wall, 10**18)):
                return f"the device says {device} ns of a launch that took {wall} ns by the host's clock"
    return ""


def _may_contradict(device_ns: Sequence[int], wall_ns: Sequence[int]) -> bool:
    """Whether it is worth looking at each launch: a device's time is longer than the host's, or short beside any."""
    longest = min(max(wall_ns, default=0), 10**18)
    return any(map(gt, device_ns, wall_ns)) or (longest >= SHORT_NS and min(device_ns) < LEAST_SHARE * longest)


def _outside(campaign: Campaign, units: Sequence[Unit]) -> list[tuple[str, str]]:
    """Units that began before the run did, or longer after it than any run takes, or were not over when it was."""
    began = _moment(campaign.created_at)
    if began is None:
        return []
    ended = _moment(campaign.ended_at)
    if ended is not None and ended >= began:
        late = [u for u in units if (u.started - ended).total_seconds() + u.elapsed_s > SLACK_S]
        if late:
            return [(u.name, f"was over after the run, which ended at {ended.isoformat()}") for u in late]
    waiting = campaign.plan.snapshot_interval_s * campaign.plan.snapshots
    longest = timedelta(days=LONGEST_DAYS).total_seconds() + (waiting if math.isfinite(waiting) else 0.0)
    return [
        (unit.name, f"began at {unit.started.isoformat()}, and the run at {began.isoformat()}")
        for unit in units
        if not -SLACK_S <= (unit.started - began).total_seconds() <= longest
    ]


def _disordered(units: Sequence[Unit]) -> list[tuple[str, str]]:
    """Units with the number of the one before, begun earlier than it, or before the time since the first was over."""
    found = []
    for before, unit in pairwise(units):
        if unit.order == before.order:
            found.append((unit.name, f"is number {unit.order}, and so is {before.name}"))
        if (unit.started - before.started).total_seconds() < -SLACK_S:
            found.append((unit.name, f"began at {unit.started.isoformat()}, before {before.name}, measured before it"))
    firsts: dict[str, tuple[Unit, int]] = {}
    for unit in units:
        if unit.first_ns is None:
            continue
        first, first_ns = firsts.setdefault(unit.boot, (unit, unit.first_ns))
        passed_s = (unit.started - first.started).total_seconds() + unit.elapsed_s
        if (unit.first_ns - first_ns) > (passed_s + SLACK_S) * 1e9 / SLEW:
            since = (unit.first_ns - first_ns) // 10**9
            found.append(
                (unit.name, f"began {passed_s:.6g} s after {first.name}, and its first launch {since} s after")
            )
    return found


def _behind_later_ones(campaign: Campaign) -> list[tuple[str, str]]:
    """Measurements of a snapshot that were taken behind one of a later snapshot, in the same segment of the run."""
    found = []
    latest: dict[int, Measurement] = {}
    for m in sorted(campaign.measurements, key=lambda m: m.order):
        last = latest.setdefault(segment_at(campaign.segments, m.order), m)
        if m.case.snapshot < last.case.snapshot:
            found.append((m.case.id, f"{m.case.id} was measured behind {last.case.id}, of a later snapshot"))
        elif m.case.snapshot > last.case.snapshot:
            latest[segment_at(campaign.segments, m.order)] = m
    return found


def _out_of_turn(campaign: Campaign) -> list[tuple[str, str]]:
    """Measurements that were taken behind one which the plan has after them in the snapshot. Two in turns are one.

    What is measured again is so at once, or where the run is gone on with.
    """
    plan, found = campaign.plan, []
    lasts: dict[tuple[int, int], tuple[int, Measurement]] = {}
    for m in sorted((m for m in campaign.measurements if m.attempt == 1), key=lambda m: m.order):
        place = place_of(plan, m.case)
        if place is None or m.order < 1:
            continue
        place //= len(plan.platforms) if plan.in_turns else 1
        key = segment_at(campaign.segments, m.order), m.case.snapshot
        last_place, last = lasts.setdefault(key, (place, m))
        if place < last_place:
            found.append((m.case.id, f"{m.case.id} was measured behind {last.case.id}, which is after it in the plan"))
        else:
            lasts[key] = place, m
    return found


def _before_opening(segments: Sequence[Segment], units: Sequence[Unit]) -> list[tuple[str, str]]:
    """Units that began before their segment was opened, segments that do not follow each other, by the monotonic clock.

    A segment in the boot of another one cannot have been opened before the other's launches were over.
    """
    found = []
    for before, after in pairwise(segments):
        if after.first_order < before.first_order:
            found.append((after.run_id, "begins before the segment that it goes on with"))
    for place, segment in enumerate(segments):
        others = [unit for unit in units if unit.boot == segment.boot_id and unit.first_ns is not None]
        early = [u for u in others if u.segment == place and (u.first_ns or 0) < segment.monotonic_ns - SLACK_NS]
        late = [u for u in others if u.segment < place and u.last_ns > segment.monotonic_ns + SLACK_NS]
        found += [(unit.name, f"its first launch began before {segment.run_id} was opened") for unit in early]
        found += [(unit.name, f"its last launch ended after {segment.run_id} was opened") for unit in late]
    return found


def _out_of_segment(segments: Sequence[Segment], units: Sequence[Unit]) -> list[tuple[str, str]]:
    """Units that began before their segment was opened, or after the next one was, by the host's clock."""
    opened = [_moment(segment.started_at) for segment in segments]
    found = [
        (segment.run_id, f"was opened at {segment.started_at!r:.40}, which is no time")
        for segment, moment in zip(segments, opened, strict=True)
        if moment is None
    ]
    for unit in units:
        for place, moment in enumerate(opened):
            since = (unit.started - moment).total_seconds() if moment is not None else 0.0
            if (place <= unit.segment and since < -SLACK_S) or (place > unit.segment and since > SLACK_S):
                side = "before" if place <= unit.segment else "after"
                found.append((unit.name, f"began {side} {segments[place].run_id} was opened"))
    return found
