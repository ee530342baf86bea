"""How often a driver fails to start: cold starts one after another, and their rate with an exact interval."""

from __future__ import annotations

from collections.abc import Callable

from pytest_weekops.core.binomial import clopper_pearson
from pytest_weekops.core.measurement.advice import advise
from pytest_weekops.worker.protocol import SmokeStep

_SHOWN = 3
_ADVICE = "This driver does not start every time. Do not promote it; report it with the words above, and its rate."


def cold_starts(start: Callable[[], str], many: int) -> SmokeStep:
    """Start ``many`` times; any failure fails the step. ``start`` answers why it failed, or nothing."""
    failures = [(number, problem) for number in range(1, many + 1) if (problem := start())]
    rate = cold_rate(len(failures), many)
    if not failures:
        return SmokeStep(name="cold starts", status="ok", detail=rate)
    told = "; ".join(f"start {number}: {' '.join(problem.split())}" for number, problem in failures[:_SHOWN])
    more = f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
    return SmokeStep(
        name="cold starts",
        status="failed",
        detail=f"{rate}: {told}{more}",
        recommendation=advise(failures[0][1], _ADVICE),
    )


def cold_rate(failed: int, tried: int) -> str:
    """The rate in words, with the 95 % interval of Clopper and Pearson."""
    low, high = clopper_pearson(failed, tried)
    how = f"{failed} of {tried} cold starts failed" if failed else f"none of {tried} cold starts failed"
    return f"{how} ({100 * failed / tried:.3g} %, 95 % interval {100 * low:.3g} to {100 * high:.3g} %)"
