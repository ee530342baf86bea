"""Calm launches: those whose threads had a CPU when they wanted one. Pure, and blind to the measured times.

Run delay is the time for which a thread is runnable and waits for a CPU; other programs on the host cause it. The own
threads of a driver wait for each other too, where a launch begins and ends: 0.05 ms a launch with PoCL on two CPUs, 0.1
to 0.3 ms with a guard's check right behind it. A program that takes a CPU away keeps it for a time slice, and that is
longer.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import compress

from pytest_weekops.core.measurement.records import SessionSamples

OWN_DELAY_NS = 250_000  # of a launch: what its own threads may wait for each other


def is_calm(wall_ns: int, delay_ns: int | None, most_percent: float | None) -> bool:
    """Whether a launch of ``wall_ns`` had at most so much run delay, in percent of its time, beyond its threads' own.

    With no limit every launch counts. Where there is one, a launch that nobody watched is not calm.
    """
    if most_percent is None:
        return True
    return delay_ns is not None and wall_ns > 0 and delay_ns <= OWN_DELAY_NS + most_percent * wall_ns / 100.0


def is_enough(wall_ns: int, delay_ns: int | None, most_percent: float | None) -> bool:
    """Whether a launch counts towards those that a session waits for: calm, or nobody watched it.

    Waiting for a witness that this host does not have would be in vain; whether such a launch is evidence is the
    judge's business (:func:`is_calm`).
    """
    return delay_ns is None or is_calm(wall_ns, delay_ns, most_percent)


def limit_beside(others_percent: float | None, most_percent: float | None) -> float | None:
    """Most run delay, in percent, of a launch that counts beside other programs; None where every launch does.

    ``others_percent`` is the CPU time that those had, None where nobody knows. Where they had next to none, threads
    waited for each other: a driver with more threads than CPUs is as slow as it is.
    """
    quiet = others_percent is not None and most_percent is not None and others_percent <= most_percent
    return None if quiet else most_percent


def calm_launches(session: SessionSamples, most_percent: float | None) -> tuple[bool, ...]:
    """Of each timed launch of a session, in order, whether it was calm."""
    count, delays = len(session.wall_ns), session.delay_ns
    if most_percent is None and (delays is None or len(delays) == count):
        return (True,) * count
    if most_percent is None or delays is None or len(delays) != count:
        return (False,) * count
    if _waited_for_themselves(session, most_percent):
        return (True,) * count
    return tuple(  # the rule of :func:`is_calm` written out: a judge asks it of every launch several times
        [
            wall > 0 and delay <= OWN_DELAY_NS + most_percent * wall / 100.0
            for wall, delay in zip(session.wall_ns, delays, strict=True)
        ]
    )


def _waited_for_themselves(session: SessionSamples, most_percent: float | None) -> bool:
    """Whether every launch is calm at a glance: each was watched, and delayed no longer than by its own threads."""
    walls, delays = session.wall_ns, session.delay_ns
    if most_percent is None or not delays or len(delays) != len(walls):
        return False
    return most_percent >= 0 and max(delays) <= OWN_DELAY_NS and min(walls) > 0


def calm_ns(session: SessionSamples, most_percent: float | None) -> tuple[int, ...]:
    """Wall times of the calm ones among a session's timed launches, in order."""
    if _waited_for_themselves(session, most_percent):
        return session.wall_ns
    return tuple(compress(session.wall_ns, calm_launches(session, most_percent)))


def delay_percent(session: SessionSamples) -> float | None:
    """Run delay of a session's timed launches in percent of their time; None where it was not watched."""
    total = sum(session.wall_ns)
    if session.delay_ns is None or not total or len(session.delay_ns) != len(session.wall_ns):
        return None
    return 100.0 * sum(session.delay_ns) / total


def turn_times(sessions: Sequence[SessionSamples], launches: int, most_percent: float | None) -> list[float | None]:
    """Median milliseconds of each turn of so many launches, over all sessions in order; None where it was not calm.

    What is left of a session after its last whole turn belongs to none.
    """
    found: list[float | None] = []
    for session in sessions:
        delays = session.delay_ns
        for first in range(0, len(session.wall_ns) - launches + 1, launches):
            walls = session.wall_ns[first : first + launches]
            waited = sum(delays[first : first + launches]) if delays is not None else None
            calm = is_calm(sum(walls), waited, most_percent)
            found.append(statistics.median(walls) * 1e-6 if calm else None)
    return found


def pair_logs(first: Sequence[float | None], second: Sequence[float | None]) -> list[float]:
    """ln(first / second) of the pairs of which both turns were calm; nothing where the turns do not match."""
    if len(first) != len(second):
        return []
    pairs = zip(first, second, strict=True)
    return [math.log(one / other) for one, other in pairs if one is not None and other is not None]
