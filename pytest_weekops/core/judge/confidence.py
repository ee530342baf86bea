"""Whether a bound that holds on the mean holds in enough of the snapshots to be believed."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_weekops.core.measurement.stats import least_successes, trials_to_decide

_MOST_FAILURES = 30  # beyond, more snapshots are no advice


def doubt(holds: Iterable[bool], confidence: float) -> str:
    """Why a bound is not believed, from whether it holds in each snapshot; nothing where it is.

    A mean can be carried by a few snapshots in which the host was fast, or a rival slow. The count cannot, and it is
    monotone: a number that becomes worse never makes it larger.
    """
    outcomes = list(holds)
    count, held = len(outcomes), sum(outcomes)
    least = least_successes(count, confidence)
    if least is not None and held >= least:
        return ""
    failures = count - held
    ways = [] if least is None else [f"{least} of {count}"]
    if failures <= _MOST_FAILURES:
        more = trials_to_decide(failures, confidence)
        ways.append(f"{more - failures} of {more}")
    wanted = " or ".join(ways) or "more"
    return f"holds in {held} of {count} snapshots, {wanted} needed for {100 * confidence:g} % confidence"
