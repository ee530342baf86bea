"""The host's pace during a measurement, from fixed work quanta that ran beside its launches. Pure.

A fixed work quantum (FWQ, Sottile and Minnich 2004) is a small computation that is always the same; its CPU time tells
how fast a core is at that moment. Anchors stand at a measurement's ends, quanta all through it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from pytest_weekops.core.measurement.host_condition import SessionPace
from pytest_weekops.core.measurement.records import SessionSamples

LEAST_QUANTA = 4


def session_paces(
    start_ns: Sequence[int], cpu_ns: Sequence[int], sessions: Sequence[SessionSamples]
) -> tuple[SessionPace, ...]:
    """The pace of each session, from the quanta that lie between its first timed launch and the end of its last.

    ``start_ns`` are stamps on the clock of the sessions' own, ``cpu_ns`` each quantum's CPU time. A session during
    which no quantum ran has none, so that it is nobody's evidence.
    """
    found: list[SessionPace] = []
    for session in sessions:
        if not session.start_ns or len(session.start_ns) != len(session.wall_ns):
            continue
        first, end = session.start_ns[0], session.start_ns[-1] + session.wall_ns[-1]
        inside = [
            cpu * 1e-3
            for start, cpu in zip(start_ns, cpu_ns, strict=True)
            if start >= first and start + cpu <= end and cpu > 0
        ]
        if inside:
            found.append(
                SessionPace(
                    session=session.session,
                    quanta=len(inside),
                    mean_us=statistics.fmean(inside),
                    median_us=statistics.median(inside),
                )
            )
    return tuple(found)


def is_covered(paces: Sequence[SessionPace], sessions: int) -> bool:
    """Whether every one of so many sessions has enough quanta for its pace to mean something."""
    if len(paces) != sessions:
        return False
    for session, pace in enumerate(paces, start=1):
        is_one = pace.session == session and pace.quanta >= LEAST_QUANTA
        if not (is_one and pace.median_us > 0 and pace.mean_us > 0):
            return False
    return True


def pace_change_percent(paces: Sequence[SessionPace]) -> float:
    """Change from the fastest session's median quantum to the slowest one's, in percent."""
    medians = [pace.median_us for pace in paces]
    return 100.0 * (max(medians) / min(medians) - 1.0)
