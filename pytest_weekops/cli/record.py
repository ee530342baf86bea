"""``weekops record``: a finished run into a ledger that did not take it when it ended."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_weekops.core.calendar import parse_time
from pytest_weekops.core.errors import InputError
from pytest_weekops.report.case_line import clock
from pytest_weekops.report.saying import say

if TYPE_CHECKING:
    from pytest_weekops.evidence.stored_run import StoredRun


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory, in the report directory of its ledger")


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0 where the run is in the ledger now, whatever its verdict.

    It is judged again first, and has to be what its files said when it ended. Its record says that it came later, and
    stands in the ledger's order where the run was made.
    """
    from pytest_weekops.evidence.stored_run import read_run
    from pytest_weekops.week.run_record import record_run

    directory = Path(arguments.run).absolute()
    stored = read_run(directory)
    decision = _decision_of(directory, stored)
    late_s = _late_s(stored)
    entry = record_run(directory.parent / "ledger.sqlite", {**decision, "run_dir": directory.name}, late_s=late_s)
    words = f"{entry.decision} (SEV{entry.severity}), exit status {entry.exit_status}"
    say(f"Run {entry.run_id} is record {entry.seq} of the ledger, {clock(late_s)} after it ended: {words}.")
    return 0


def _decision_of(directory: Path, stored: StoredRun) -> Mapping[str, Any]:
    """The decision on disk, where journal, verdict and every file agree with it; else it is refused."""
    from pytest_weekops.evidence.artifacts import contradictions, judged_anew, read_decision
    from pytest_weekops.week.evidence import check_file

    if not directory.is_dir():
        raise _refused(directory, "is no run directory", "A record names the files that prove it", "Name the directory")
    if stored.ended is None:
        why = "was broken off: its journal has no end"
        raise _refused(directory, why, "A run that did not finish has no verdict to record", "Run it again")
    if directory.name != stored.run_id:
        why = f"holds the journal of run {stored.run_id}"
        raise _refused(directory, why, "Two runs could not be told apart", "Name that run's own directory")
    decision = read_decision(directory)
    if decision is None:
        advice = f"`weekops report {directory.name}` makes it from the journal"
        raise _refused(directory, "has no decision.json", "A record holds its hash", advice)
    verdict, facts = judged_anew(stored)
    wrong = list(contradictions(directory, facts.decision(verdict), decision))
    for each in decision["artifacts"]:
        problem = check_file(directory.parent, f"{directory.name}/{each['path']}", str(each["sha256"]))[1]
        wrong += [problem.rstrip(".")] if problem else []
    if wrong:
        advice = "Restore it from a copy, or run again; `weekops judge` says what its journal gives"
        raise _refused(directory, f"contradicts itself: {'; '.join(wrong)}", "It proves nothing", advice)
    return decision


def _late_s(stored: StoredRun) -> float:
    """Seconds from the end of the run, or from its beginning where the end has no time, until now."""
    ended = str(stored.events[-1].data.get("ended_at") or stored.created_at)
    late = (datetime.now(UTC) - parse_time(ended)).total_seconds()
    if late < 0:
        raise InputError(
            f"Run {stored.run_id} ended at {ended}, which has not come yet. A record in that order would be wrong for "
            "every run until then. Set this machine's clock, or find out which clock was wrong."
        )
    return round(late, 3)


def _refused(directory: Path, what: str, why: str, advice: str) -> InputError:
    return InputError(f"Run {directory} {what}. {why}, so nothing was recorded. {advice}.")
