"""Failed runs that lie in the report directory and are not in the ledger: evidence of attempts that it does not have.

It was locked when they ended, they were killed first, or it was deleted and begun anew behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.week.attempts import compare
from pytest_weekops.core.week.channel import Channel, ChannelState
from pytest_weekops.core.week.entry import RunEntry
from pytest_weekops.week.evidence import unknown_journals

if TYPE_CHECKING:
    from pytest_weekops.week.untold_attempt import Attempt

_PROMOTED = "a complete run of the same kind that promotes after it, at a profile not weaker"
_RESTORED = (
    "the ledger as it was, from a copy; else `weekops record` for each of those runs. A directory that came from "
    "elsewhere is no attempt of this channel: move it away"
)


def with_untold(channel: Channel, report_dir: Path, runs: Sequence[RunEntry]) -> Channel:
    """The channel, frozen where it would be promoted and a failed run that the ledger lacks is not answered."""
    if channel.state is not ChannelState.PROMOTED:
        return channel
    told = untold_failures(report_dir, runs)
    if not told:
        return channel
    lifts = _RESTORED if begun_anew(report_dir, runs) else _PROMOTED
    return replace(channel, state=ChannelState.FROZEN, why=told, lifts=(lifts,))


def untold_failures(report_dir: Path, runs: Sequence[RunEntry]) -> tuple[str, ...]:
    """Sentences for failed runs that the ledger lacks and nothing answers.

    A promote of the same kind answers one that was made before it, at a profile not weaker. One that ended before the
    first recorded run is answered by none: its record, and what else there was, went with the ledger that had it.
    """
    if not runs:
        return ()
    found = []
    for directory, attempt in _failed(report_dir, runs):
        words = f"Run directory {directory.name} is not in the ledger, and {attempt.failure}."
        if _is_older(attempt, runs):
            found.append(f"{words} It ended before the first run of this ledger, which was begun anew behind it.")
        elif not _is_answered(attempt, runs):
            found.append(words)
    return tuple(found)


def begun_anew(report_dir: Path, runs: Sequence[RunEntry]) -> bool:
    """Whether a failed run ended before the first one of the ledger: that ledger was begun after it."""
    return any(_is_older(attempt, runs) for _directory, attempt in _failed(report_dir, runs))


def _failed(report_dir: Path, runs: Sequence[RunEntry]) -> Iterator[tuple[Path, Attempt]]:
    unknown = unknown_journals(report_dir, runs)
    if not unknown:
        return
    from pytest_weekops.week.untold_attempt import attempt_of  # reads whole runs, and most directories have none

    for journal in unknown:
        attempt = attempt_of(journal.parent)
        if attempt.failure:
            yield journal.parent, attempt


def _is_older(attempt: Attempt, runs: Sequence[RunEntry]) -> bool:
    run = attempt.run
    first = min((parse_time(each.created_at) for each in runs), default=None)
    return attempt.ended and run is not None and first is not None and parse_time(run.created_at) < first


def _is_answered(attempt: Attempt, runs: Sequence[RunEntry]) -> bool:
    run = attempt.run
    if run is None:
        return False
    made = parse_time(run.created_at)
    later = [r for r in runs if r.is_promote and r.kind == run.kind and parse_time(r.created_at) >= made]
    return any(not compare(each, run).weaker for each in later)
