"""What a verdict means and how certain it is, in a line or two: the same words on the terminal and in the summary."""

from __future__ import annotations

from pytest_weekops.core.judge.asking.noise import NOISY
from pytest_weekops.core.judge.finding import Certainty, Decision, Verdict


def certainty_lines(verdict: Verdict) -> list[str]:
    """What the verdict means, its error rates, and what the run could see; nothing for a run without looks."""
    found = verdict.certainty
    if found is None:
        return []
    return [*_meaning(verdict, found), _errors(found), *_noise(found), *_open(found)]


def _meaning(verdict: Verdict, found: Certainty) -> list[str]:
    """What a promote says, and what it does not."""
    if verdict.decision is not Decision.PROMOTE:
        return []
    known = len(verdict.known_faults)
    words = [f"correct, but for known faults in {known} of the cells" if known else "correct"]
    if verdict.kind == "weekly" and found.stable_within_percent is not None:
        fall = found.stable_within_percent  # 0 for a driver, or a host, that became so much faster that it cannot have
        held = f"stable within {fall:.3g} %" if fall else "no slower at the end"
        words.append(f"{held} over {found.snapshots} snapshots")
    if verdict.kind == "split":
        words.append("as fast as asked")
    elif found.bounded:
        words.append(f"{found.bounded} limits on speed hold")
    else:
        words.append("speed not bounded: no baseline is pinned")
    return [f"means: {'; '.join(words)}"]


def _errors(found: Certainty) -> str:
    void = f", {found.void} of {found.measured} measurements void" if found.void else ""
    seen = "" if found.resolution_percent is None else f"; a slowdown of {found.resolution_percent:.3g} % below a limit"
    if seen:
        seen += " would have failed with 95 % power"
    return (
        f"certainty: false block at most {100 * found.max_false_block:g} %, false promote at a limit at most "
        f"{100 * found.max_false_promote:g} % a run, with a spread of {found.spread_source}{seen}{void}"
    )


def _noise(found: Certainty) -> list[str]:
    """That the run is not what its calibration was made for, or varies by more than is assumed."""
    if found.noise_ratio is None or found.noise_ratio < NOISY:
        return []
    is_assumed = "assumed" in found.spread_source
    source = "is assumed" if is_assumed else "their calibration says"
    way = "set a driver beside it (--against, --reference-driver on)" if is_assumed else "calibrate again"
    words = (
        f"warning: this run's snapshots scatter {found.noise_ratio:.1f} times as much as {source}; its error rates are "
        f"higher than promised. Look for what else runs on the host, and {way}."
    )
    return [words]


def _open(found: Certainty) -> list[str]:
    if not found.open:
        return []
    answers = f"{found.open} of {found.requirements} answers are open after {found.snapshots} snapshots"
    if found.would_decide is None:
        return [f"open: {answers}"]
    return [f"open: {answers}; about {found.would_decide} would decide them (--max-snapshots {found.would_decide})"]
