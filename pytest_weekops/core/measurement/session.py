"""How long a session is: the launches that a worker warms up with and times, as the estimate of a run reckons them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

MOST_LAUNCHES = 200
STEADY_MEDIANS = 5
OTHER_DATA = 1_000_000  # added to a session's number for the second inputs of an operation of one's own
LONG_WARM_UP_S = 0.5  # behind its first launch, in which a driver may compile, a warm-up ends here: clocks are up


def launch_count(iterations: int, least_session_ms: float, usual_ns: float) -> int:
    """Launches of a session: as many as asked for, more where they would not fill the least session time."""
    filling = math.ceil(min(least_session_ms * 1e6 / usual_ns, MOST_LAUNCHES)) if usual_ns > 0 else 0
    return max(iterations, filling)


def usual_launch_ns(warm_up_ns: Sequence[int]) -> float:
    """What a launch takes, by those of a warm-up; 0 without any.

    The first says nothing where there are others: a driver that compiles in it takes ten times as long, and a session
    whose length rests on that is a fifth of what it should be.
    """
    return statistics.median(warm_up_ns[1:] or warm_up_ns or (0,))


def usual_warm_up_s(launch_s: float) -> float:
    """Seconds of a warm-up once everything is compiled: a few launches, two at least."""
    return launch_s + max(launch_s, min(LONG_WARM_UP_S, (STEADY_MEDIANS + 1) * launch_s))
